package static

import (
	"bytes"
	"compress/gzip"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

// asset is one file, ready to be written.
type asset struct {
	contentType string
	plain       []byte
	gzipped     []byte // nil where compression saves nothing
}

// Assets serves /static/{hash}/{css,js,img,words}/…. Under this build's hash a
// response may be cached for ever. Another build's hash is asked for during a
// deployment, while two versions run side by side: it gets this build's file,
// which must not be cached.
func Assets() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		build, name, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/static/"), "/")
		file, ok := assets()[name]
		if !ok {
			http.NotFound(w, r)
			return
		}
		file.serve(w, r, build == buildHash())
	})
}

func (a asset) serve(w http.ResponseWriter, r *http.Request, current bool) {
	h := w.Header()
	h.Set("Content-Type", a.contentType)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "no-store")
	if current {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	body := a.plain
	if a.gzipped != nil && AcceptsGzip(r.Header.Get("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		body = a.gzipped
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodGet {
		_, _ = w.Write(body) // fails only when the client is gone
	}
}

// AcceptsGzip reports whether an Accept-Encoding header (RFC 9110 12.5.3) names
// gzip without the weight 0, which forbids it.
func AcceptsGzip(header string) bool {
	for part := range strings.SplitSeq(header, ",") {
		coding, weight, _ := strings.Cut(strings.TrimSpace(part), ";")
		if !strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			continue
		}
		q := strings.TrimPrefix(strings.ReplaceAll(weight, " ", ""), "q=")
		value, err := strconv.ParseFloat(q, 64)
		return err != nil || value > 0
	}
	return false
}

// assets is built once: compressing on each request would delay the first byte.
var assets = sync.OnceValue(func() map[string]asset {
	built := map[string]asset{}
	scripts, err := wordScripts()
	if err != nil {
		panic("static: " + err.Error())
	}
	for name, content := range scripts {
		built[name] = newAsset(name, content)
	}
	for _, dir := range []string{"css", "js", "img"} {
		eachFile(dir, func(name string, content []byte) { built[name] = newAsset(name, content) })
	}
	return built
})

// contentTypes holds the types that the machine's own table could get wrong.
var contentTypes = map[string]string{
	".js":   "text/javascript; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".svg":  "image/svg+xml",
	".json": "application/json",
}

func newAsset(name string, content []byte) asset {
	ext := path.Ext(name)
	contentType, ok := contentTypes[ext]
	if !ok {
		contentType = mime.TypeByExtension(ext)
	}
	content = strip(name, content)
	return asset{contentType: contentType, plain: content, gzipped: compress(content)}
}

// compress returns nil where compression saves nothing.
func compress(content []byte) []byte {
	var out bytes.Buffer
	zip, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil
	}
	if _, err := zip.Write(content); err != nil {
		return nil
	}
	if err := zip.Close(); err != nil || out.Len() >= len(content) {
		return nil
	}
	return out.Bytes()
}
