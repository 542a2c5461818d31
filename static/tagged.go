package static

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"sync"
	"time"
)

var (
	sdkFile     = sync.OnceValue(func() asset { return newFile("text/javascript; charset=utf-8", SDK()) })
	openAPIFile = sync.OnceValue(func() asset { return newFile("application/yaml", OpenAPI()) })
)

func newFile(contentType string, content []byte) asset {
	return asset{contentType: contentType, plain: content, gzipped: compress(content)}
}

// ServeSDK answers with the script of GET /embed/sdk.js.
func ServeSDK(w http.ResponseWriter, r *http.Request) { sdkFile().serveTagged(w, r) }

// ServeOpenAPI answers with the document of GET /openapi.yaml.
func ServeOpenAPI(w http.ResponseWriter, r *http.Request) { openAPIFile().serveTagged(w, r) }

// serveTagged serves a file whose address stays the same when it changes: it is
// cached for minutes, then asked for again by its ETag. Each encoding has an
// ETag of its own (RFC 9110 8.8.3.3).
func (a asset) serveTagged(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", a.contentType)
	h.Set("Cache-Control", "public, max-age=300")
	h.Add("Vary", "Accept-Encoding")
	sum := sha256.Sum256(a.plain)
	body, tag := a.plain, hex.EncodeToString(sum[:8])
	if a.gzipped != nil && AcceptsGzip(r.Header.Get("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		body, tag = a.gzipped, tag+"-gzip"
	}
	h.Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}
