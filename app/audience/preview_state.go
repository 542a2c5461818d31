package audience

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"sync"
	"time"

	"dialpad-texting/app/access"
	"dialpad-texting/app/apierror"
	"dialpad-texting/internal/faircache"
)

const (
	previewTTL      = 10 * time.Minute
	maxPreviewParts = 200
	// maxRereadParts is how many parts of a preview that was begun in
	// another process, or forgotten, one request reads again.
	maxRereadParts = 10
	// maxPreviewNames is how many bytes of names a preview keeps. Duplicates
	// of people beyond them are found, but not named.
	maxPreviewNames = 4 << 20
)

// previewLimits leave room for one preview of maxPreviewParts per user.
var previewLimits = faircache.Limits{User: 16 << 20, Tenant: 32 << 20, Total: 64 << 20}

// previewState is a preview between two of its parts. It is in this
// process's memory; another process starts over.
type previewState struct {
	mu         sync.Mutex
	duplicates duplicates
	seen       cursorSet
	view       PreviewView
	cursor     string
	part       int // parts so far
}

func newPreviewState() *previewState {
	p := &previewState{}
	p.reset()
	return p
}

func (p *previewState) reset() {
	p.duplicates, p.seen, p.view, p.cursor, p.part = newDuplicates(maxPreviewNames), cursorSet{}, PreviewView{}, "", 0
}

// bytes is about what the state takes.
func (p *previewState) bytes() int { return p.duplicates.bytes() + p.seen.bytes() + len(p.cursor) }

// previewCursor says which part of which preview comes next. Clients get it
// signed, and can't make one up.
type previewCursor struct {
	id   string // random
	part int    // parts so far
	hash string // of what is asked: another text begins another preview
}

func (c previewCursor) String() string { return c.id + ":" + strconv.Itoa(c.part) + ":" + c.hash }

// cursorFor reads the cursor of a request; "" begins a preview.
func cursorFor(a access.Asker, r PreviewRequest) (previewCursor, error) {
	c := previewCursor{hash: RequestHash(a.Target, r.ToField, r.ElseField, r.Exclude, r.Message, r.Schedule)[:16]}
	if r.Cursor == "" {
		c.id = rand.Text()[:16]
		return c, nil
	}
	parts := strings.Split(r.Cursor, ":")
	unknown := apierror.Field("cursor", "That page of the preview does not exist.")
	if len(parts) != 3 || len(parts[0]) != 16 || parts[2] != c.hash {
		return c, unknown
	}
	n, err := strconv.Atoi(parts[1])
	if err != nil || n < 1 || n > maxPreviewParts {
		return c, unknown
	}
	c.id, c.part = parts[0], n
	return c, nil
}

// previewState returns the state of a preview, new if there is none.
func (x *Audience) previewState(owner faircache.Owner, id string) *previewState {
	x.previewsMu.Lock()
	defer x.previewsMu.Unlock()
	p, ok := x.previews.Get(owner, id)
	if !ok {
		p = newPreviewState()
		x.previews.Put(owner, id, p, p.bytes())
	}
	return p
}

// RequestHash is the SHA-256, in hex, of a request's parts as JSON.
func RequestHash(parts ...any) string {
	body, err := json.Marshal(parts)
	if err != nil {
		panic(err) // our own types always marshal
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}
