// Package modeltest creates databases for tests: a SQLite file, or a
// Postgres database on a server that the test process starts.
//
//	modeltest.Each(t, migrate, func(t *testing.T, dsn string) { … })
//
// It does not import the models, so that their tests can use it.
package modeltest

import (
	"os"
	"path/filepath"
	"testing"
)

// Migrate brings the database at dsn to the schema under test.
type Migrate func(dsn string) error

// Each runs the test once on SQLite and once on Postgres, as two subtests.
func Each(t *testing.T, migrate Migrate, test func(t *testing.T, dsn string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, SQLite(t, migrate)) })
	t.Run("postgres", func(t *testing.T) { test(t, Postgres(t, migrate)) })
}

// SQLite creates a database file and returns "sqlite:<path>". It is
// migrated unless migrate is nil, and deleted after the test. Each
// process calls a migrate function once and then copies the result.
func SQLite(t testing.TB, migrate Migrate) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "test.db")
	if migrate != nil {
		if err := copyMigratedSQLite(migrate, path); err != nil {
			t.Fatalf("preparing SQLite: %v", err)
		}
	}
	return "sqlite:" + path
}

// Postgres creates a database and returns "postgres://…". It is
// migrated unless migrate is nil, and dropped after the test. Each
// process calls a migrate function once and then copies the result, in
// about 60 ms.
//
// The server is that of DATABASE_URL_TEST, if set: its user must be
// allowed to create databases, and each process leaves its template
// there. Else the process starts one. Without Postgres the test is
// skipped, or fails if CI=true or REQUIRE_POSTGRES=1.
func Postgres(t testing.TB, migrate Migrate) string {
	t.Helper()
	admin, err := serverDSN()
	if err != nil {
		if isRequired() {
			t.Fatalf("no Postgres: %v", err)
		}
		t.Skipf("skipped, no Postgres: %v", err)
	}
	template, err := migratedPostgres(admin, migrate)
	if err != nil {
		t.Fatalf("preparing Postgres: %v", err)
	}
	name, err := createDatabase(admin, template)
	if err != nil {
		t.Fatalf("copying the database: %v", err)
	}
	t.Cleanup(func() {
		if err := dropDatabase(admin, name); err != nil {
			t.Errorf("dropping the database: %v", err)
		}
	})
	return withDatabase(admin, name)
}

func isRequired() bool {
	return os.Getenv("CI") == "true" || os.Getenv("REQUIRE_POSTGRES") == "1"
}
