package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// fileMode is that of the database's files: they hold people's numbers and
// texts.
const fileMode fs.FileMode = 0o600

// suffixes of the files beside a database: SQLite's own, and the lock of
// the migrations.
var suffixes = []string{"-wal", "-shm", "-journal", ".lock"}

// restrictFiles makes the database's files readable by their owner alone,
// whatever the umask is. It creates the database's own file, whose mode
// SQLite gives to those that it creates beside it.
func restrictFiles(path string) error {
	if path == ":memory:" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, fileMode)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := restrict(path); err != nil {
		return err
	}
	for _, suffix := range suffixes {
		if err := restrict(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// restrict changes a file's mode. On a volume that belongs to another user
// it can't, which is an error only if everybody may read the file.
func restrict(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	mode := info.Mode().Perm()
	if mode == fileMode {
		return nil
	}
	if err := os.Chmod(path, fileMode); err != nil && mode&0o007 != 0 {
		return fmt.Errorf("every user of this machine may read %s, and its mode can't be changed (run chmod 600 as its owner): %w", path, err)
	}
	return nil
}
