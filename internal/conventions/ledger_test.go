package conventions

import (
	"go/ast"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	// ledgerSQL finds a statement that writes a table of the ledger.
	ledgerSQL = regexp.MustCompile(`(?i)\b(INSERT\s+INTO|UPDATE|DELETE\s+FROM)\s+"?(` + strings.Join(ledgerTables, "|") + `)\b`)
	// ledgerModel finds a model of such a table, as gorm is given it.
	ledgerModel = regexp.MustCompile(`(&|\[\])(\w+\.)?(` + strings.Join(ledgerModels, "|") + `)\{`)
)

// gormWrites are gorm's methods that write.
var gormWrites = []string{"Create", "CreateInBatches", "Save", "Update", "Updates", "UpdateColumn", "UpdateColumns", "Delete", "FirstOrCreate"}

func TestOnlyTheLedgerWritesItsTables(t *testing.T) {
	t.Parallel()
	for _, s := range code(t) {
		if inAny(s.folder, ledgerWriters) || slices.Contains(testPackages, s.folder) {
			continue
		}
		for _, place := range ledgerWrites(s) {
			t.Errorf("%s writes a table of the ledger", place)
		}
	}
	err := walk(".sql", func(name string) error {
		text, err := os.ReadFile(filepath.Join(root, name))
		if ledgerSQL.Match(text) && !inAny(path.Dir(name), ledgerWriters) && !strings.HasPrefix(name, "models/migrations/") {
			t.Errorf("%s writes a table of the ledger", name)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// ledgerWrites finds SQL in strings, and calls of gorm that name a model and
// write.
func ledgerWrites(s source) []string {
	var found []string
	ast.Inspect(s.file, func(node ast.Node) bool {
		switch n := node.(type) {
		case *ast.BasicLit:
			if ledgerSQL.MatchString(n.Value) {
				found = append(found, s.at(n))
			}
		case *ast.CallExpr:
			method, ok := n.Fun.(*ast.SelectorExpr)
			if !ok || !slices.Contains(gormWrites, method.Sel.Name) {
				return true
			}
			text := s.text[s.set.Position(n.Pos()).Offset:s.set.Position(n.End()).Offset]
			if ledgerModel.MatchString(text) {
				found = append(found, s.at(n))
			}
		}
		return true
	})
	return found
}

func TestLedgerWritesAreFound(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"db.Exec(`UPDATE messages SET state = 'sent'`)":                true,
		"db.Exec(\"INSERT INTO attempts (id) VALUES (1)\")":            true,
		"db.Model(&Lane{}).Where(\"id = 1\").Updates(set)":             true,
		"db.Create(&ledger.Message{})":                                 true,
		"db.Exec(`SELECT 1 FROM messages; UPDATE tenants SET name=1`)": false,
		"db.Model(&Tenant{}).Updates(set)":                             false,
		"db.Model(&Message{}).Count(&n)":                               false,
	} {
		s, err := parseText("p.go", "package p\nfunc f() { _ = "+text+" }\n")
		if err != nil {
			t.Fatal(err)
		}
		if got := len(ledgerWrites(s)) > 0; got != want {
			t.Errorf("%s: found %v, want %v", text, got, want)
		}
	}
}
