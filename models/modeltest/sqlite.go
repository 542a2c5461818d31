package modeltest

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// copyMigratedSQLite copies the template of migrate to path.
func copyMigratedSQLite(migrate Migrate, path string) error {
	source, err := templateFor("sqlite", migrate, func() (string, error) {
		dir, err := processFolder()
		if err != nil {
			return "", err
		}
		path := filepath.Join(dir, "template.db")
		return path, migrate("sqlite:" + path)
	})
	if err != nil {
		return err
	}
	// If migrate left a connection open, the log has the last changes.
	for _, suffix := range []string{"", "-wal"} {
		content, err := os.ReadFile(source + suffix)
		if errors.Is(err, fs.ErrNotExist) && suffix != "" {
			continue
		}
		if err != nil {
			return err
		}
		if err := os.WriteFile(path+suffix, content, 0o600); err != nil {
			return err
		}
	}
	return nil
}
