package static_test

import (
	"compress/gzip"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dialpad-texting/static"
)

func get(t *testing.T, method, path, encoding string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, path, nil)
	r.Header.Set("Accept-Encoding", encoding)
	w := httptest.NewRecorder()
	static.Assets().ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, r io.Reader) string {
	t.Helper()
	content, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestAssetsOfThisBuildAreCachedForEver(t *testing.T) {
	for name, contentType := range map[string]string{
		"css/app.css":  "text/css; charset=utf-8",
		"js/popup.js":  "text/javascript; charset=utf-8",
		"img/logo.svg": "image/svg+xml",
	} {
		res := get(t, http.MethodGet, static.AssetPath(name), "identity")
		if res.StatusCode != http.StatusOK {
			t.Fatalf("%s: status %d", name, res.StatusCode)
		}
		if got := res.Header.Get("Content-Type"); got != contentType {
			t.Errorf("%s: content type %q, want %q", name, got, contentType)
		}
		if got := res.Header.Get("Cache-Control"); got != "public, max-age=31536000, immutable" {
			t.Errorf("%s: cache control %q", name, got)
		}
		file, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := body(t, res.Body); got != string(static.Strip(name, file)) {
			t.Errorf("%s: %d bytes differ from the file", name, len(got))
		}
	}
}

func TestAssetsOfAnotherBuildAreNotCached(t *testing.T) {
	res := get(t, http.MethodGet, "/static/0000000000000000/css/app.css", "")
	if res.StatusCode != http.StatusOK || res.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("status %d, cache control %q", res.StatusCode, res.Header.Get("Cache-Control"))
	}
}

func TestAssetsAreCompressedForClientsThatAcceptGzip(t *testing.T) {
	for header, want := range map[string]string{
		"gzip": "gzip", "br, gzip;q=0.5": "gzip", "": "", "br": "", "gzip;q=0": "", "gzip; q=0.0, br": "", "xgzip": "",
	} {
		res := get(t, http.MethodGet, static.AssetPath("css/app.css"), header)
		if got := res.Header.Get("Content-Encoding"); got != want {
			t.Errorf("Accept-Encoding %q: content encoding %q, want %q", header, got, want)
		}
		if res.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("Accept-Encoding %q: no Vary header", header)
		}
	}
	res := get(t, http.MethodGet, static.AssetPath("css/app.css"), "gzip")
	zip, err := gzip.NewReader(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile("css/app.css")
	if err != nil {
		t.Fatal(err)
	}
	if body(t, zip) != string(static.Strip("css/app.css", file)) {
		t.Error("the compressed file differs")
	}
}

func TestAssetsServeNoOtherFiles(t *testing.T) {
	for _, path := range []string{
		"/static/", "/static/x", "/static/x/html/popup.html", "/static/x/sdk/sdk.js", "/static/x/js/", "/static/x/../assets.go",
	} {
		if res := get(t, http.MethodGet, path, ""); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: status %d, want 404", path, res.StatusCode)
		}
	}
	if res := get(t, http.MethodPost, static.AssetPath("css/app.css"), ""); res.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: status %d, want 405", res.StatusCode)
	}
	head := get(t, http.MethodHead, static.AssetPath("css/app.css"), "")
	if head.StatusCode != http.StatusOK || head.Header.Get("Content-Length") == "0" || body(t, head.Body) != "" {
		t.Errorf("HEAD: status %d, length %s", head.StatusCode, head.Header.Get("Content-Length"))
	}
}

func TestSDKHoldsItsOwnWordsAndStylesOnly(t *testing.T) {
	sdk := string(static.SDK())
	if !strings.Contains(sdk, `"sdk.text":"Text"`) || strings.Contains(sdk, "popup.title") || strings.Contains(sdk, "/* words */") {
		t.Error("the script does not hold exactly the words that begin with sdk.")
	}
	if !strings.Contains(sdk, ".dialpad-texting-popup {") || strings.Contains(sdk, "/* styles */") {
		t.Error("the script does not hold its styles")
	}
}

// A browser silently drops everything after the first error in an SVG.
func TestPicturesAreWellFormed(t *testing.T) {
	files, err := filepath.Glob("img/*.svg")
	if err != nil || len(files) == 0 {
		t.Fatalf("no pictures found: %v", err)
	}
	for _, file := range files {
		source, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		checkXML(t, file, xml.NewDecoder(source))
		_ = source.Close()
	}
}

func checkXML(t *testing.T, file string, in *xml.Decoder) {
	t.Helper()
	for {
		token, err := in.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Errorf("%s: %v", file, err)
			return
		}
		element, ok := token.(xml.StartElement)
		seen := map[string]bool{}
		for _, attribute := range element.Attr { // encoding/xml accepts a name twice, browsers do not
			if ok && seen[attribute.Name.Local] {
				t.Errorf("%s: <%s> has %s twice", file, element.Name.Local, attribute.Name.Local)
			}
			seen[attribute.Name.Local] = true
		}
	}
}
