// Package modeltest gives tests real databases: a fresh SQLite file, or a fresh
// Postgres database on a server of the test process's own.
//
//	modeltest.Each(t, migrate, func(t *testing.T, dsn string) { … })
//
// It knows nothing of the models, so that their own tests can use it; how to
// migrate is the caller's to say.
package modeltest

import (
	"os"
	"path/filepath"
	"testing"
)

// Migrate brings the database at dsn to the schema under test.
type Migrate func(dsn string) error

// Each runs the test once on SQLite and once on Postgres, as two subtests side
// by side. The two share nothing but what test captures; Each returns when both
// are done.
func Each(t *testing.T, migrate Migrate, test func(t *testing.T, dsn string)) {
	t.Helper()
	t.Run("databases", func(t *testing.T) {
		t.Run("sqlite", func(t *testing.T) {
			t.Parallel()
			test(t, SQLite(t, migrate))
		})
		t.Run("postgres", func(t *testing.T) {
			t.Parallel()
			test(t, Postgres(t, migrate))
		})
	})
}

// SQLite gives "sqlite:<path>" of a fresh database file, migrated unless
// migrate is nil. The file goes with the test. Migrating happens once per
// process and migrate function; each test gets a copy.
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

// Postgres gives "postgres://…" of a fresh database, migrated unless migrate is
// nil, dropped when the test ends. Migrating happens once per process and
// migrate function; each test gets a copy, in some 60 ms.
//
// The server is DATABASE_URL_TEST's if that is set (its user must be allowed to
// create databases; each process leaves its template there), else one of this process's own. Without Postgres the test
// is skipped, or fails where CI=true or REQUIRE_POSTGRES=1.
func Postgres(t testing.TB, migrate Migrate) string {
	t.Helper()
	admin, err := theServer()
	if err != nil {
		if required() {
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

func required() bool {
	return os.Getenv("CI") == "true" || os.Getenv("REQUIRE_POSTGRES") == "1"
}
