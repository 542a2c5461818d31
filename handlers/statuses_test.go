package handlers

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// A code without a status is answered 500.
func TestEveryErrorCodeHasAStatus(t *testing.T) {
	found := map[string]bool{}
	apiErrors := []string{`apierror\.New\("([a-z_]+)"`, `apierror\.Error\{Code: "([a-z_]+)"`, `[cC]ode[A-Z]\w* += "([a-z_]+)"`}
	for folder, patterns := range map[string][]string{
		"apierror": apiErrors, "audience": apiErrors, "batch": apiErrors, "outbox": apiErrors, "popup": apiErrors, "templates": apiErrors,
		"walltime":    {`ask\("([a-z_]+)"`, `apierror\.New\("([a-z_]+)"`},
		"eligibility": {`Code[A-Z]\w* += "([a-z_]+)"`},
		"compose":     {`Code\(\) string +\{ return "([a-z_]+)"`, `plainError\{"([a-z_]+)"`},
	} {
		files, err := filepath.Glob("../app/" + folder + "/*.go")
		if err != nil || len(files) == 0 {
			t.Fatalf("no files of %s: %v", folder, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, pattern := range patterns {
				for _, code := range regexp.MustCompile(pattern).FindAllSubmatch(text, -1) {
					found[string(code[1])] = true
				}
			}
		}
	}
	if len(found) < 20 {
		t.Errorf("only %d codes were found: the patterns no longer fit", len(found))
	}
	for code := range found {
		if _, known := statuses[code]; !known {
			t.Errorf("%s has no status", code)
		}
	}
}
