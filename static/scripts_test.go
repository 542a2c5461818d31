package static_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A circle works until one module needs another's constant while it is loaded; then a page stays empty.
func TestScriptsImportEachOtherInNoCircle(t *testing.T) {
	scripts, err := filepath.Glob("js/*.js")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts found: %v", err)
	}
	imports := map[string][]string{}
	from := regexp.MustCompile(`(?:^import |\nimport |import\()[^;]*?'\./([a-z_]+\.js)'`)
	for _, script := range scripts {
		text, err := os.ReadFile(script)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range from.FindAllStringSubmatch(string(text), -1) {
			imports[filepath.Base(script)] = append(imports[filepath.Base(script)], found[1])
		}
	}
	if len(imports["popup.js"]) == 0 {
		t.Fatal("no import was read")
	}
	var walk func(way []string)
	walk = func(way []string) {
		for _, next := range imports[way[len(way)-1]] {
			if slices.Contains(way, next) {
				t.Fatalf("a circle: %s → %s", strings.Join(way, " → "), next)
			}
			walk(append(slices.Clone(way), next))
		}
	}
	for script := range imports {
		walk([]string{script})
	}
}
