package conventions

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// readmePath finds what the README names as `app/access` or `app/jobs/sweep.go`.
var readmePath = regexp.MustCompile("`((?:app|config|handlers|integrations|internal|models|static)/[a-z0-9_/.]+)`")

func TestREADMENamesWhatExists(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	found := readmePath.FindAllSubmatch(text, -1)
	if len(found) < 20 {
		t.Errorf("found %d paths: the pattern does not match", len(found))
	}
	for _, m := range found {
		if _, err := os.Stat(filepath.Join(root, string(m[1]))); err != nil {
			t.Errorf("README.md names %s, which does not exist", m[1])
		}
	}
}
