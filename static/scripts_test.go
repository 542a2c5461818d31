package static_test

import (
	"bufio"
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// scripts returns the source of each script of the pages, by its file name.
func scripts(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, name := range glob(t, "js/*.js") {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		found[filepath.Base(name)] = string(source)
	}
	return found
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		t.Fatalf("no files match %s: %v", pattern, err)
	}
	return names
}

// A circle works until one script needs another's constant while it is loaded;
// then the page stays empty.
func TestScriptsDoNotImportEachOtherInACircle(t *testing.T) {
	from := regexp.MustCompile(`(?:^import |\nimport |import\()[^;]*?'\./([a-z_]+\.js)'`)
	imports := map[string][]string{}
	for name, source := range scripts(t) {
		for _, found := range from.FindAllStringSubmatch(source, -1) {
			imports[name] = append(imports[name], found[1])
		}
	}
	if len(imports["popup.js"]) == 0 {
		t.Fatal("no imports were found")
	}
	var walk func(path []string)
	walk = func(path []string) {
		for _, next := range imports[path[len(path)-1]] {
			if slices.Contains(path, next) {
				t.Fatalf("a circle: %s → %s", strings.Join(path, " → "), next)
			}
			walk(append(slices.Clone(path), next))
		}
	}
	for name := range imports {
		walk([]string{name})
	}
}

// A browser loads no script of a page when one of them imports a name that
// does not exist.
func TestScriptsImportOnlyWhatIsExported(t *testing.T) {
	sources := scripts(t)
	exported := regexp.MustCompile(`(?m)^export (?:async )?(?:function|const|class) (\w+)`)
	imported := regexp.MustCompile(`import \{([^}]*)\} from '\./([\w.]+)'`)
	exports := map[string][]string{}
	for name, source := range sources {
		for _, found := range exported.FindAllStringSubmatch(source, -1) {
			exports[name] = append(exports[name], found[1])
		}
	}
	checked := 0
	for name, source := range sources {
		for _, found := range imported.FindAllStringSubmatch(source, -1) {
			for one := range strings.SplitSeq(found[1], ",") {
				one = strings.TrimSpace(one)
				// The expression above finds no export of $.
				if one == "" || one == "$" {
					continue
				}
				checked++
				if !slices.Contains(exports[found[2]], one) {
					t.Errorf("%s imports %s from %s, which does not export it", name, one, found[2])
				}
			}
		}
	}
	if checked < 100 {
		t.Errorf("only %d imported names were found: the search no longer fits the scripts", checked)
	}
}

func TestNoLineIsLongerThan140Characters(t *testing.T) {
	for _, pattern := range []string{"js/*.js", "jstest/*.js", "sdk/*", "html/*.html", "css/*.css"} {
		for _, name := range glob(t, pattern) {
			source, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewScanner(bytes.NewReader(source))
			for number := 1; lines.Scan(); number++ {
				if length := utf8.RuneCount(lines.Bytes()); length > 140 {
					t.Errorf("%s:%d has %d characters", name, number, length)
				}
			}
			if err := lines.Err(); err != nil {
				t.Error(err)
			}
		}
	}
}

// What nothing imports is either dead or needs no export.
func TestScriptsExportOnlyWhatIsImported(t *testing.T) {
	sources := scripts(t)
	all := maps.Clone(sources)
	for _, name := range glob(t, "jstest/*.js") {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = string(source)
	}
	exported := regexp.MustCompile(`(?m)^export (?:async )?(?:function|const|class) (\w+)`)
	for name, source := range sources {
		for _, found := range exported.FindAllStringSubmatch(source, -1) {
			use := regexp.MustCompile(`\{[^}]*\b` + found[1] + `\b[^}]*\}\s*(?:from|=\s*await|\) =>)`)
			isImported := false
			for other, text := range all {
				isImported = isImported || other != name && strings.Contains(text, name) && use.MatchString(text)
			}
			if !isImported && name != "catalogue.js" {
				t.Errorf("%s exports %s, which nothing imports", name, found[1])
			}
		}
	}
}
