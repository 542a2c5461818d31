package sqlite_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"dialpad-texting/models/sqlite"
)

// modes opens a database, writes to it, and returns the modes of its files.
func modes(t *testing.T, path string) map[string]fs.FileMode {
	t.Helper()
	db, err := sqlite.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE IF NOT EXISTS notes (text text)"); err != nil {
		t.Fatal(err)
	}
	found := map[string]fs.FileMode{}
	files, err := filepath.Glob(path + "*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		found[file[len(path):]] = info.Mode().Perm()
	}
	return found
}

func wantPrivate(t *testing.T, found map[string]fs.FileMode, suffixes ...string) {
	t.Helper()
	for _, suffix := range suffixes {
		if mode, exists := found[suffix]; !exists || mode != 0o600 {
			t.Errorf("the file %q exists: %v, with mode %o; want 600", suffix, exists, mode)
		}
	}
}

// Not parallel: the umask is the process's.
func TestNewFilesAreTheOwnersWhateverTheUmask(t *testing.T) {
	for _, umask := range []int{0, 0o022, 0o077, 0o777} {
		path := filepath.Join(t.TempDir(), "new.db")
		old := syscall.Umask(umask)
		found := modes(t, path)
		syscall.Umask(old)
		wantPrivate(t, found, "", "-wal", "-shm")
	}
}

func TestExistingFilesAreTightened(t *testing.T) {
	path := filepath.Join(t.TempDir(), "old.db")
	for _, suffix := range []string{"", "-journal", ".lock"} {
		if err := os.WriteFile(path+suffix, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path+suffix, 0o664); err != nil { // the umask may have taken bits
			t.Fatal(err)
		}
	}
	other := path + ".of-somebody-else"
	if err := os.WriteFile(other, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(other, 0o644); err != nil {
		t.Fatal(err)
	}
	wantPrivate(t, modes(t, path), "", "-wal", "-shm", ".lock")
	if info, err := os.Stat(other); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("a file that is not the database's has mode %v, %v", info.Mode(), err)
	}
}

// A database that was open while it was 0644 leaves its WAL behind when its
// process dies.
func TestLeftoverWALIsTightened(t *testing.T) {
	path := filepath.Join(t.TempDir(), "died.db")
	first, err := sqlite.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if _, err := first.ExecContext(t.Context(), "CREATE TABLE notes (text text)"); err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Chmod(path+suffix, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	wantPrivate(t, modes(t, path), "", "-wal", "-shm")
}

func TestFolderThatDoesNotExistIsNamed(t *testing.T) {
	if _, err := sqlite.Open(filepath.Join(t.TempDir(), "nowhere", "x.db")); err == nil {
		t.Error("opened")
	}
}
