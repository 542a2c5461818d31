package handlers_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"dialpad-texting/integrations/crm"
)

// gunzip returns a body, and fails the test unless it is gzipped.
func (r response) gunzip() string {
	r.t.Helper()
	zip, err := gzip.NewReader(strings.NewReader(r.body))
	if err != nil {
		r.t.Fatalf("%s is not gzipped: %v", r.what, err)
	}
	body, err := io.ReadAll(zip)
	if err != nil {
		r.t.Fatal(err)
	}
	return string(body)
}

// popupForm is what the CRM posts to open the popup.
func (w *world) popupForm() url.Values {
	return url.Values{"token": {w.token("acme", "42", crm.UsePopup, one("+14155550142"))}}
}

func TestPagesAreGzippedOverTheWire(t *testing.T) {
	w := newWorld(t)
	accept := header("Accept-Encoding", "gzip, br")
	popup := w.form("/embed/popup", w.popupForm(), accept).want(http.StatusOK, "")
	if page := popup.gunzip(); !strings.Contains(page, `name="session-token"`) || len(page) < 2*len(popup.body) {
		t.Errorf("the popup has %d bytes, on the wire %d", len(page), len(popup.body))
	}
	for name, want := range map[string]string{"Content-Encoding": "gzip", "Vary": "Accept-Encoding", "Etag": ""} {
		if got := popup.header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	plain := w.form("/embed/popup", w.popupForm(), header("Accept-Encoding", "identity"))
	if plain.header.Get("Content-Encoding") != "" || plain.header.Get("Vary") != "Accept-Encoding" || !strings.Contains(plain.body, "session-token") {
		t.Errorf("plain: %v", plain.header)
	}
}

func TestFilesAtFixedAddressesAreGzippedAndTagged(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/embed/sdk.js", "/openapi.yaml"} {
		zipped := w.send(http.MethodGet, path, nil, header("Accept-Encoding", "gzip"))
		plain := w.send(http.MethodGet, path, nil, header("Accept-Encoding", "identity"))
		if zipped.gunzip() != plain.body || zipped.header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%s: %v", path, zipped.header)
		}
		tag, plainTag := zipped.header.Get("Etag"), plain.header.Get("Etag")
		if tag == "" || plainTag == "" || tag == plainTag {
			t.Errorf("%s: tags %q and %q", path, tag, plainTag)
		}
		again := w.send(http.MethodGet, path, nil, header("Accept-Encoding", "gzip"), header("If-None-Match", tag))
		if again.status != http.StatusNotModified || again.body != "" {
			t.Errorf("%s again: %d", path, again.status)
		}
		if other := w.send(http.MethodGet, path, nil, header("Accept-Encoding", "identity"), header("If-None-Match", tag)); other.status != http.StatusOK {
			t.Errorf("%s by the other encoding's tag: %d", path, other.status)
		}
	}
}

func TestAnswersWithASecretAreNotCompressed(t *testing.T) {
	w := newWorld(t)
	accept := header("Accept-Encoding", "gzip")
	list := w.call(http.MethodGet, "/apps/dialpad/countries", w.page("acme", "42"), nil, accept).want(http.StatusOK, "")
	if countries := list.gunzip(); !strings.Contains(countries, `"US"`) {
		t.Errorf("countries: %s", countries)
	}
	renewed := w.call(http.MethodPost, "/embed/api/session", w.popup("acme", "42", one("+14155550142")),
		map[string]string{"token": w.token("acme", "42", crm.UsePopup, one("+14155550142"))}, accept)
	if renewed.header.Get("Content-Encoding") != "" {
		t.Errorf("a session: %v", renewed.header)
	}
}
