package modeltest

import (
	"bufio"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	_ "modernc.org/sqlite"
)

var migrations atomic.Int32

func migrateOneTable(dsn string) error {
	migrations.Add(1)
	db, err := open(dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.Exec("CREATE TABLE notes (text varchar(20))")
	return err
}

func open(dsn string) (*sql.DB, error) {
	if path, ok := strings.CutPrefix(dsn, "sqlite:"); ok {
		return sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)")
	}
	return sql.Open("pgx", dsn)
}

func TestEachTestGetsItsOwnMigratedDatabase(t *testing.T) {
	migrations.Store(0)
	for i := range 4 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			Each(t, migrateOneTable, func(t *testing.T, dsn string) {
				db, err := open(dsn)
				if err != nil {
					t.Fatal(err)
				}
				defer db.Close()
				if _, err := db.Exec("INSERT INTO notes VALUES ('mine')"); err != nil {
					t.Fatal(err)
				}
				var count int
				if err := db.QueryRow("SELECT count(*) FROM notes").Scan(&count); err != nil || count != 1 {
					t.Errorf("%d notes, %v; want only this test's", count, err)
				}
			})
		})
	}
	t.Cleanup(func() {
		if n := migrations.Load(); n > 2 {
			t.Errorf("migrated %d times, want once for each kind", n)
		}
	})
}

func TestSQLiteCopyIncludesTheLogOfAnOpenConnection(t *testing.T) {
	migrateAndStayOpen := func(dsn string) error {
		db, err := open(dsn)
		if err != nil {
			return err
		}
		t.Cleanup(func() { _ = db.Close() })
		_, err = db.Exec("CREATE TABLE notes (text varchar(20))")
		return err
	}
	db, err := open(SQLite(t, migrateAndStayOpen))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("INSERT INTO notes VALUES ('x')"); err != nil {
		t.Error(err)
	}
}

func TestFailedMigrationIsReportedEachTime(t *testing.T) {
	want := errors.New("migration failed")
	failing := func(string) error { return want }
	for range 2 {
		if err := copyMigratedSQLite(failing, filepath.Join(t.TempDir(), "x.db")); !errors.Is(err, want) {
			t.Errorf("got %v", err)
		}
	}
}

// TestHelperProcess is not a test but the process that the next test
// kills.
func TestHelperProcess(t *testing.T) {
	if os.Getenv("MODELTEST_HELPER") != "1" {
		t.Skip("runs only as a child process of another test")
	}
	fmt.Println("dsn=" + Postgres(t, nil))
	select {}
}

func TestServerEndsWithItsKilledTestProcess(t *testing.T) {
	Postgres(t, nil) // skips the test if there is none
	if os.Getenv("DATABASE_URL_TEST") != "" {
		t.Skip("the server is not started by the test process")
	}
	child := exec.Command(os.Args[0], "-test.run=^TestHelperProcess$", "-test.v")
	child.Env = append(os.Environ(), "MODELTEST_HELPER=1")
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	dsn := ""
	for lines := bufio.NewScanner(out); dsn == "" && lines.Scan(); {
		dsn, _ = strings.CutPrefix(lines.Text(), "dsn=")
		if !strings.HasPrefix(dsn, "postgres://") {
			dsn = ""
		}
	}
	if dsn == "" {
		t.Fatal("the child printed no DSN")
	}
	if err := ping(dsn); err != nil {
		t.Fatalf("the child's server is not up: %v", err)
	}
	_ = child.Process.Kill()
	_ = child.Wait()
	for deadline := time.Now().Add(10 * time.Second); ping(dsn) == nil; {
		if time.Now().After(deadline) {
			t.Fatal("the server still runs 10 s after its process was killed")
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestRemoveLeftoversKeepsFoldersOfRunningProcesses(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	dead := exec.Command("true")
	if err := dead.Run(); err != nil {
		t.Fatal(err)
	}
	leftover := filepath.Join(os.TempDir(), fmt.Sprintf("%s%d-x", leftoverPrefix, dead.Process.Pid))
	if err := os.MkdirAll(filepath.Join(leftover, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	mine, err := processFolder()
	if err != nil {
		t.Fatal(err)
	}
	removeLeftovers()
	if _, err := os.Stat(leftover); err == nil {
		t.Error("the folder of an ended process was not removed")
	}
	if _, err := os.Stat(mine); err != nil {
		t.Errorf("the folder of a running process was removed: %v", err)
	}
}
