// Package conventions tests the module's own rules: which package imports
// which, where a library is used, who writes the ledger, and how large things
// may get. table_test.go holds the rules.
package conventions

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const (
	module = "dialpad-texting"
	root   = "../.." // the module's root, seen from this package
)

// source is a Go file that is not generated.
type source struct {
	path   string // "app/compose/clean.go"
	folder string // "app/compose"; "." for the root
	isTest bool
	lines  int
	text   string
	file   *ast.File
	set    *token.FileSet
}

// sources reads every Go file of the module, once.
var sources = sync.OnceValues(func() ([]source, error) {
	var found []source
	err := walk(".go", func(name string) error {
		s, err := parse(name)
		if err == nil && !ast.IsGenerated(s.file) {
			found = append(found, s)
		}
		return err
	})
	return found, err
})

// all returns every Go file; code returns those that are no tests.
func all(t *testing.T) []source {
	t.Helper()
	found, err := sources()
	if err != nil || len(found) == 0 {
		t.Fatalf("reading the module: %d files, %v", len(found), err)
	}
	return found
}

func code(t *testing.T) []source {
	t.Helper()
	return slices.DeleteFunc(slices.Clone(all(t)), func(s source) bool { return s.isTest })
}

// walk visits the module's files with an extension, by their path from the
// root. Hidden folders, test data and tools are not visited.
func walk(extension string, visit func(name string) error) error {
	return fs.WalkDir(os.DirFS(root), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (strings.HasPrefix(entry.Name(), ".") && name != "." || slices.Contains([]string{"tools", "testdata", "node_modules"}, entry.Name())):
			return fs.SkipDir
		case entry.IsDir() || path.Ext(name) != extension:
			return nil
		}
		return visit(name)
	})
}

func parse(name string) (source, error) {
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		return source{}, err
	}
	return parseText(name, string(text))
}

func parseText(name, text string) (source, error) {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, name, text, parser.ParseComments)
	return source{
		path: name, folder: path.Dir(name), isTest: strings.HasSuffix(name, "_test.go"),
		lines: strings.Count(text, "\n"), text: text, file: file, set: set,
	}, err
}

func (s source) imports() []string {
	var found []string
	for _, spec := range s.file.Imports {
		name, _ := strconv.Unquote(spec.Path.Value) // the parser has checked it
		found = append(found, name)
	}
	return found
}

// at is a node's place, as "file:line".
func (s source) at(node ast.Node) string {
	return s.path + ":" + strconv.Itoa(s.set.Position(node.Pos()).Line)
}

// inAny reports whether a folder is in a list, in which "x/..." is x and all
// below it.
func inAny(folder string, list []string) bool {
	return slices.ContainsFunc(list, func(entry string) bool {
		above, tree := strings.CutSuffix(entry, "/...")
		return folder == above || tree && strings.HasPrefix(folder, above+"/")
	})
}
