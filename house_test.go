package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// This file is the plan of the house, as a test: who may import whom, where a
// library may be used, and how large a room may get. README.md draws it.

const (
	module         = "dialpad-texting"
	maxFileLines   = 400
	maxFuncLines   = 60
	generatedByGo  = "// Code generated "
	appPrefix      = "app/"
	vendorsPrefix  = "integrations/"
	modelsPrefix   = "models"
	sandboxSuffix  = "/sandbox"
	commandsFolder = "." // main.go and its neighbours
)

// appMayUse: which capabilities a capability may build on. "work" runs jobs for all of them.
var appMayUse = map[string][]string{
	"eligibility": {},
	"connection":  {"eligibility"},
	"install":     {"eligibility", "connection"},
	"accounts":    {"eligibility", "connection"},
	"compose":     {},
	"access":      {},
	"delivery":    {"eligibility", "connection", "accounts", "compose"},
	"texting":     {"eligibility", "accounts", "compose", "delivery"},
	"automation":  {"eligibility", "compose", "texting", "delivery"},
	"work":        {"eligibility", "connection", "install", "accounts", "compose", "access", "delivery", "texting", "automation"},
}

// mayImport answers for two folders of ours, "." being main's.
func mayImport(from, to string) bool {
	switch floor := strings.SplitN(from, "/", 2)[0]; {
	case to == commandsFolder:
		return false
	case forTests(to):
		return false
	case from == commandsFolder:
		return true
	case forTests(from):
		return to == path.Dir(from)
	case floor == "config", floor == "static":
		return false
	case floor == "models":
		return strings.HasPrefix(to, modelsPrefix+"/") // its own parts: sqlite, migrations
	case floor == "integrations":
		return strings.HasSuffix(from, sandboxSuffix) && to == strings.TrimSuffix(from, sandboxSuffix)
	case strings.HasSuffix(to, sandboxSuffix):
		return false
	case floor == "app":
		return appMayImport(from, to)
	case floor == "handlers":
		return !strings.HasPrefix(to, "handlers") || strings.HasPrefix(from, to) || strings.HasPrefix(to, from)
	}
	return false
}

// forTests: modeltest, openapitest, seed. Only tests may import them, and they only what they stand in.
func forTests(folder string) bool {
	return strings.HasSuffix(folder, "test") || path.Base(folder) == "seed"
}

func appMayImport(from, to string) bool {
	if other, ok := strings.CutPrefix(to, appPrefix); ok {
		capability := strings.Split(strings.TrimPrefix(from, appPrefix), "/")[0]
		return slices.Contains(appMayUse[capability], other) || strings.HasPrefix(other, capability+"/")
	}
	return to == modelsPrefix || strings.HasPrefix(to, vendorsPrefix)
}

// source is one Go file that is not generated.
type source struct {
	path   string // "app/compose/clean.go"
	folder string // "app/compose", or "." for main
	isTest bool
	lines  int
	text   string
	file   *ast.File
	set    *token.FileSet
}

func (s source) imports() []string {
	var found []string
	for _, spec := range s.file.Imports {
		name, _ := strconv.Unquote(spec.Path.Value)
		found = append(found, name)
	}
	return found
}

func (s source) line(node ast.Node) string {
	return s.path + ":" + strconv.Itoa(s.set.Position(node.Pos()).Line)
}

// house reads every Go file of the module but tools' and dot folders'.
func house(t *testing.T) []source {
	t.Helper()
	var sources []source
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			hidden := strings.HasPrefix(entry.Name(), ".") && name != "."
			if hidden || entry.Name() == "tools" || entry.Name() == "testdata" || entry.Name() == "node_modules" {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(name) != ".go" {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, text, parser.ParseComments)
		if err != nil {
			return err
		}
		if !strings.HasPrefix(string(text), generatedByGo) {
			sources = append(sources, source{
				path: filepath.ToSlash(name), folder: path.Dir(filepath.ToSlash(name)),
				isTest: strings.HasSuffix(name, "_test.go"),
				lines:  strings.Count(string(text), "\n"), text: string(text), file: file, set: set,
			})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(sources) == 0 {
		t.Fatal("found no Go files")
	}
	return sources
}

func TestImportsPointDown(t *testing.T) {
	for _, s := range house(t) {
		if s.isTest {
			continue // a test may boot whatever it needs
		}
		for _, name := range s.imports() {
			to, ours := strings.CutPrefix(name, module+"/")
			if name == module {
				to, ours = commandsFolder, true
			}
			if ours && !mayImport(s.folder, to) {
				t.Errorf("%s: %s must not import %s", s.path, s.folder, to)
			}
		}
	}
}

func TestEveryCapabilityIsInThePlan(t *testing.T) {
	folders, _ := filepath.Glob("app/*")
	for _, folder := range folders {
		if _, known := appMayUse[filepath.Base(folder)]; !known {
			t.Errorf("%s is not in the plan of this file", folder)
		}
	}
}

func TestLibrariesStayInTheirRooms(t *testing.T) {
	rooms := []struct {
		library string
		allowed func(folder string) bool
	}{
		{"gorm.io/", func(folder string) bool { return folder == modelsPrefix || strings.HasPrefix(folder, modelsPrefix+"/") }},
		{"github.com/gin-gonic/", func(folder string) bool {
			return strings.HasPrefix(folder, "handlers") || strings.HasSuffix(folder, sandboxSuffix)
		}},
		{"github.com/gorilla/", func(folder string) bool {
			return strings.HasPrefix(folder, "handlers") || strings.HasSuffix(folder, sandboxSuffix)
		}},
	}
	for _, s := range house(t) {
		for _, name := range s.imports() {
			for _, room := range rooms {
				if strings.HasPrefix(name, room.library) && !room.allowed(s.folder) {
					t.Errorf("%s imports %s", s.path, name)
				}
			}
		}
	}
}

func TestTheEnvironmentIsReadInOnePlace(t *testing.T) {
	for _, s := range house(t) {
		if s.isTest || s.folder == "config" || s.folder == commandsFolder || forTests(s.folder) {
			continue
		}
		for _, call := range uses(s, "os", "Getenv", "LookupEnv", "Environ", "ExpandEnv") {
			t.Errorf("%s reads the environment", s.line(call))
		}
	}
}

// A default like `now = time.Now` is a value and fine; a call is not.
func TestTimeComesFromAClock(t *testing.T) {
	for _, s := range house(t) {
		floor := strings.SplitN(s.folder, "/", 2)[0]
		if s.isTest || floor != "app" && floor != "models" && floor != "handlers" || forTests(s.folder) {
			continue
		}
		ast.Inspect(s.file, func(node ast.Node) bool {
			call, ok := node.(*ast.CallExpr)
			if ok && (isSelector(call.Fun, "time", "Now") || isSelector(call.Fun, "time", "Since") || isSelector(call.Fun, "time", "Until")) {
				t.Errorf("%s: %s takes the time from an injected clock", s.line(call), s.folder)
			}
			return true
		})
	}
}

func TestPackagesSayTheirJob(t *testing.T) {
	documented := map[string]bool{}
	for _, s := range house(t) {
		if !s.isTest {
			documented[s.folder] = documented[s.folder] || s.file.Doc.Text() != ""
		}
	}
	for folder, ok := range documented {
		if !ok {
			t.Errorf("package %s has no doc comment", folder)
		}
	}
}

func TestFilesAndFunctionsStaySmall(t *testing.T) {
	for _, s := range house(t) {
		if s.isTest {
			continue
		}
		if s.lines > maxFileLines {
			t.Errorf("%s has %d lines, at most %d", s.path, s.lines, maxFileLines)
		}
		for _, declaration := range s.file.Decls {
			function, ok := declaration.(*ast.FuncDecl)
			if !ok {
				continue
			}
			lines := s.set.Position(function.End()).Line - s.set.Position(function.Pos()).Line + 1
			if lines > maxFuncLines {
				t.Errorf("%s: %s has %d lines, at most %d", s.line(function), function.Name.Name, lines, maxFuncLines)
			}
		}
	}
}

// The word is put together here so that this file does not hold it.
var unfinished = regexp.MustCompile(`\b(` + "TO" + `DO|FIX` + `ME|X` + `XX)\b`)

func TestNothingIsLeftForLater(t *testing.T) {
	for _, s := range house(t) {
		if found := unfinished.FindString(s.text); found != "" {
			t.Errorf("%s says %s", s.path, found)
		}
	}
}

func TestThePlanRefusesWhatPointsUp(t *testing.T) {
	for _, c := range []struct {
		from, to string
		want     bool
	}{
		{".", "handlers", true}, {".", "integrations/crm/sandbox", true}, {"handlers", "app/texting", true},
		{"handlers", "models", true}, {"handlers", "config", true}, {"handlers", "static", true},
		{"app/texting", "app/delivery", true}, {"app/texting", "models", true}, {"app/texting", "integrations/crm", true},
		{"models", "models/sqlite", true}, {"integrations/crm/sandbox", "integrations/crm", true},
		{"app/connection", ".", false}, {"app/delivery", "app/texting", false}, {"app/texting", "handlers", false},
		{"app/compose", "app/eligibility", false}, {"app/eligibility", "app/connection", false}, {"app/texting", "static", false}, {"app/texting", "config", false},
		{"app/texting", "integrations/crm/sandbox", false}, {"app/texting", "models/sqlite", false},
		{"models", "app/eligibility", false}, {"models", "integrations/crm", false}, {"models", "models/modeltest", false}, {"models/seed", "models", true}, {"handlers", "models/seed", false}, {"handlers", "static/openapitest", false},
		{"integrations/crm", "models", false}, {"integrations/crm", "integrations/dialpad", false},
		{"integrations/crm/sandbox", "integrations/dialpad", false}, {"handlers", "integrations/crm/sandbox", false},
		{"static", "models", false}, {"config", "models", false}, {"somewhere", "models", false},
	} {
		if got := mayImport(c.from, c.to); got != c.want {
			t.Errorf("%s may import %s: %v, want %v", c.from, c.to, got, c.want)
		}
	}
}

func uses(s source, pkg string, names ...string) []ast.Node {
	var found []ast.Node
	ast.Inspect(s.file, func(node ast.Node) bool {
		for _, name := range names {
			if expression, ok := node.(ast.Expr); ok && isSelector(expression, pkg, name) {
				found = append(found, node)
			}
		}
		return true
	})
	return found
}

func isSelector(expression ast.Expr, pkg, name string) bool {
	selector, ok := expression.(*ast.SelectorExpr)
	if !ok || selector.Sel.Name != name {
		return false
	}
	ident, ok := selector.X.(*ast.Ident)
	return ok && ident.Name == pkg
}
