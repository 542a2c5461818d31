package audience

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"dialpad-texting/app/access"
	"dialpad-texting/app/apierror"
)

const (
	previewTTL      = 10 * time.Minute
	maxPreviews     = 500
	maxPreviewParts = 200
)

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

func (p *previewState) reset() {
	p.duplicates, p.seen, p.view, p.cursor, p.part = duplicates{}, cursorSet{}, PreviewView{}, "", 0
}

// previewState returns the state of a key, new if there is none, and
// renews its time.
func (x *Audience) previewState(key string) *previewState {
	x.previewsMu.Lock()
	defer x.previewsMu.Unlock()
	p, ok := x.previews.Get(key)
	if !ok {
		p = &previewState{}
		p.reset()
	}
	x.previews.Add(key, p)
	return p
}

// previewKey makes a preview its asker's and its text's own.
func previewKey(a access.Asker, r PreviewRequest, id string) string {
	return strings.Join([]string{a.Tenant.ID, a.UserID, RequestHash(a.Target, r.ToField, r.ElseField, r.Exclude, r.Message, r.Schedule), id}, "\x00")
}

// parsePreviewCursor reads "<id>:<part>"; "" begins a preview with a
// new id.
func parsePreviewCursor(cursor string) (id string, part int, err error) {
	if cursor == "" {
		return rand.Text(), 0, nil
	}
	id, rest, ok := strings.Cut(cursor, ":")
	if _, err := fmt.Sscanf(rest, "%d", &part); !ok || err != nil || part < 1 || part > maxPreviewParts {
		return "", 0, apierror.Field("cursor", "That page of the preview does not exist.")
	}
	return id, part, nil
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
