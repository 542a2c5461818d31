package conventions

import (
	"go/ast"
	"slices"
	"strings"
	"testing"
)

func TestPackagesImportWhatTheTableAllows(t *testing.T) {
	t.Parallel()
	for _, s := range code(t) {
		for _, name := range s.imports() {
			to, ours := strings.CutPrefix(name, module+"/")
			if ours && !canImport(s.folder, to) {
				t.Errorf("%s imports %s", s.path, to)
			}
		}
	}
}

// canImport answers for two folders of this module.
func canImport(from, to string) bool {
	if slices.Contains(testPackages, from) {
		return true
	}
	if _, listed := imports[from]; listed && slices.Contains(leaves, to) {
		return true
	}
	return !slices.Contains(testPackages, to) && inAny(to, imports[from])
}

func TestImportRules(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from, to string
		want     bool
	}{
		{".", "internal/program", true},
		{"internal/program", "handlers", true},
		{"handlers", "app/compose", true},
		{"internal/demotest", "models/modeltest", true},
		{".", "models", false},
		{"app/compose", "models", false},
		{"models", "handlers", false},
		{"models", "models/modeltest", false},
		{"handlers", "integrations/crm/sandbox", false},
		{"integrations/crm", "integrations/dialpad", false},
		{"models", "internal/text", true},
		{"internal/text", "models", false},
		{"nowhere", "models", false},
		{"nowhere", "internal/text", false},
	} {
		if got := canImport(c.from, c.to); got != c.want {
			t.Errorf("%s may import %s: %v, want %v", c.from, c.to, got, c.want)
		}
	}
}

func TestTheTableNamesEveryPackage(t *testing.T) {
	t.Parallel()
	folders := map[string]bool{}
	for _, s := range all(t) {
		folders[s.folder] = true
	}
	known := slices.Clone(testPackages)
	for folder := range imports {
		known = append(known, folder)
	}
	for folder := range folders {
		if !slices.Contains(known, folder) {
			t.Errorf("package %s is not in the table", folder)
		}
	}
	for _, folder := range known {
		if !folders[folder] {
			t.Errorf("the table names %s, which does not exist", folder)
		}
	}
}

func TestLibrariesAreImportedWhereTheTableAllows(t *testing.T) {
	t.Parallel()
	for _, s := range all(t) {
		for _, name := range s.imports() {
			for prefix, folders := range libraries {
				if strings.HasPrefix(name, prefix) && !inAny(s.folder, folders) {
					t.Errorf("%s imports %s", s.path, name)
				}
			}
		}
	}
}

func TestTheEnvironmentIsReadInOnePlace(t *testing.T) {
	t.Parallel()
	for _, s := range code(t) {
		if inAny(s.folder, environmentReaders) || slices.Contains(testPackages, s.folder) {
			continue
		}
		for _, use := range selectors(s.file, "os", "Getenv", "LookupEnv", "Environ", "ExpandEnv") {
			t.Errorf("%s reads the environment", s.at(use))
		}
	}
}

// A default such as now = time.Now is a value and allowed; a call is not.
func TestTheTimeComesFromAnInjectedClock(t *testing.T) {
	t.Parallel()
	for _, s := range code(t) {
		if !inAny(s.folder, clockUsers) || slices.Contains(testPackages, s.folder) {
			continue
		}
		ast.Inspect(s.file, func(node ast.Node) bool {
			if call, ok := node.(*ast.CallExpr); ok && isSelector(call.Fun, "time", "Now", "Since", "Until") {
				t.Errorf("%s asks the machine for the time", s.at(call))
			}
			return true
		})
	}
}

// selectors finds the uses of a package's names.
func selectors(file *ast.File, pkg string, names ...string) []ast.Node {
	var found []ast.Node
	ast.Inspect(file, func(node ast.Node) bool {
		if expression, ok := node.(ast.Expr); ok && isSelector(expression, pkg, names...) {
			found = append(found, node)
		}
		return true
	})
	return found
}

func isSelector(expression ast.Expr, pkg string, names ...string) bool {
	selector, ok := expression.(*ast.SelectorExpr)
	if !ok || !slices.Contains(names, selector.Sel.Name) {
		return false
	}
	ident, ok := selector.X.(*ast.Ident)
	return ok && ident.Name == pkg
}
