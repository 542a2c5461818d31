package static

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestStrip(t *testing.T) {
	const source = "/* head\n * more */\n// why\nconst a = 1; // here\n\n  /** says */\n  if (a) {\n    b('//'); /* c */\n  }\n"
	if got := string(strip("a.js", []byte(source))); got != "const a = 1; // here\nif (a) {\nb('//'); /* c */\n}\n" {
		t.Errorf("%q", got)
	}
	if got := string(strip("a.svg", []byte(source))); got != source {
		t.Errorf("a picture was stripped: %q", got)
	}
}

// Stripping goes by lines: it needs every string to end on the line where
// it begins, and code not to follow a comment that it removes.
func TestStrippingChangesNoCode(t *testing.T) {
	eachFile("js", func(name string, content []byte) {
		for number, line := range strings.Split(string(content), "\n") {
			if !strings.HasPrefix(strings.TrimSpace(line), "//") && strings.Count(strings.ReplaceAll(line, "'`'", ""), "`")%2 != 0 {
				t.Errorf("%s:%d: a template literal goes on in the next line", name, number+1)
			}
			if before, after, found := strings.Cut(strings.TrimSpace(line), "*/"); found && strings.TrimSpace(after) != "" && !strings.Contains(before, "/*") {
				t.Errorf("%s:%d: code follows a comment", name, number+1)
			}
		}
	})
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is missing")
	}
	dir, all := t.TempDir(), []string{"--experimental-vm-modules", "--no-warnings", "-e", parse}
	eachFile("js", func(name string, content []byte) {
		file := filepath.Join(dir, filepath.Base(name))
		if err := os.WriteFile(file, strip(name, content), 0o600); err != nil {
			t.Fatal(err)
		}
		all = append(all, file)
	})
	if said, err := exec.CommandContext(t.Context(), node, all...).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, said)
	}
}

// parse is a script that parses the modules which are its arguments.
const parse = `for (const file of process.argv.slice(1)) {
	new (require("vm").SourceTextModule)(require("fs").readFileSync(file, "utf8"), { identifier: file });
}`

// maxPopup is how much a browser loads, in bytes over the wire, until it
// shows the popup.
const maxPopup = 40 << 10

func TestThePopupIsSmall(t *testing.T) {
	pages, err := Pages()
	if err != nil {
		t.Fatal(err)
	}
	for _, locale := range []string{"en-US", "es-MX"} {
		var page bytes.Buffer
		if err := pages.Render(&page, "popup", Page{User: User{Locale: locale}}); err != nil {
			t.Fatal(err)
		}
		total := len(compress(page.Bytes()))
		for name, file := range assets() {
			isLoaded := strings.Contains(page.String(), AssetPath(name)) || name == "img/icons.svg"
			if isLoaded && file.gzipped != nil {
				total += len(file.gzipped)
			}
		}
		t.Logf("the popup has %d bytes for %s", total, locale)
		if total > maxPopup || total < maxPopup/2 {
			t.Errorf("the popup has %d bytes for %s, at most %d", total, locale, maxPopup)
		}
	}
}
