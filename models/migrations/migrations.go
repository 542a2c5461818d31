// Package migrations holds the schema's versions for goose, in SQL
// that both databases understand but for the names of a few types.
package migrations

import (
	"bytes"
	"embed"
	"io/fs"
	"strings"
)

//go:embed *.sql
var files embed.FS

// Postgres returns the migrations as they are written.
func Postgres() fs.FS { return files }

// SQLite returns the migrations with SQLite's names for the types.
func SQLite() fs.FS { return sqliteFS{files} }

var sqliteTypes = strings.NewReplacer(" timestamptz", " datetime", " jsonb", " text", " double precision", " real")

// sqliteFS replaces the types in each file when it is opened.
type sqliteFS struct{ embed.FS }

// Open implements fs.FS.
func (f sqliteFS) Open(name string) (fs.File, error) {
	file, err := f.FS.Open(name)
	if err != nil || name == "." {
		return file, err
	}
	text, err := f.ReadFile(name)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	return &sqliteFile{bytes.NewReader(text), info}, err
}

// ReadFile implements fs.ReadFileFS.
func (f sqliteFS) ReadFile(name string) ([]byte, error) {
	text, err := f.FS.ReadFile(name)
	return []byte(sqliteTypes.Replace(string(text))), err
}

type sqliteFile struct {
	*bytes.Reader
	info fs.FileInfo
}

// Stat implements fs.File.
func (f *sqliteFile) Stat() (fs.FileInfo, error) { return f.info, nil }

// Close implements fs.File.
func (f *sqliteFile) Close() error { return nil }
