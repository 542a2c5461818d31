package handlers

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"github.com/gin-gonic/gin"
)

// cursors makes the cursors that clients get out of those of the app
// packages, and takes no other: each is signed for its list, tenant and
// user. What a client makes up costs neither a query nor a page of the CRM,
// and is never kept.
type cursors struct{ keys [][]byte } // the first signs

const (
	maxCursor = 6000 // bytes; one of the CRM's, in base64, is the longest
	cursorTag = 16   // bytes of the signature
)

// newCursors derives its keys from those of the sessions, so that every
// process takes the others' cursors, and each key can be rotated.
func newCursors(sessionKeys [][]byte) cursors {
	var c cursors
	for _, key := range sessionKeys {
		derived, err := hkdf.Key(sha256.New, key, nil, "cursor", sha256.Size)
		if err != nil {
			panic(err) // only for a length that SHA-256 can't give
		}
		c.keys = append(c.keys, derived)
	}
	return c
}

// Lists that have pages.
const (
	listPreview   = "preview"
	listTemplates = "templates"
	listPeople    = "people"
	listOptOuts   = "opt-outs"
	listOutbox    = "outbox"

	listConversation = "conversation"
)

func listMessages(batchID string) string { return "messages:" + batchID }

// seal replaces a list's next cursor by the one that the caller gets; nil
// and "" are the end.
func (k cursors) seal(c *gin.Context, list string, next *string) *string {
	if next == nil || *next == "" {
		return nil
	}
	sealed := base64.RawURLEncoding.EncodeToString(append(sign(k.keys[0], owned(c, list), *next), *next...))
	return &sealed
}

// open returns the app's cursor of one that the caller got for this list;
// "" is the first page.
func (k cursors) open(c *gin.Context, list, sealed string) (string, error) {
	if sealed == "" {
		return "", nil
	}
	refused := badRequest("There is no such page.").withDetail("field", "cursor")
	if len(sealed) > maxCursor {
		return "", refused
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(sealed)
	if err != nil || len(raw) < cursorTag {
		return "", refused
	}
	inner := string(raw[cursorTag:])
	for _, key := range k.keys {
		if hmac.Equal(sign(key, owned(c, list), inner), raw[:cursorTag]) {
			return inner, nil
		}
	}
	return "", refused
}

// owned names a list of the caller's. No part holds a NUL.
func owned(c *gin.Context, list string) string {
	s := callerOf(c).Session
	return strings.Join([]string{list, s.TenantID, s.UserID, ""}, "\x00")
}

func sign(key []byte, owner, inner string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(owner))
	mac.Write([]byte(inner))
	return mac.Sum(nil)[:cursorTag]
}
