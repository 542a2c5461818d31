package handlers

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"dialpad-texting/app/access"
	"dialpad-texting/models"
)

func callerContext(tenantID, userID string) *gin.Context {
	c := &gin.Context{}
	c.Set(keySession, access.Caller{Session: models.Session{TenantID: tenantID, UserID: userID}})
	return c
}

// A cursor that we did not make for this list and caller opens no page.
func FuzzOpenCursor(f *testing.F) {
	k := newCursors([][]byte{bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)})
	ana := callerContext("t_9", "42")
	inner := "page 2"
	good := *k.seal(ana, listPreview, &inner)
	for _, cursor := range []string{good, good + "=", good + "A", "x:200", strings.Repeat("x", maxCursor+1), base64.RawURLEncoding.EncodeToString([]byte("short")),
		*k.seal(ana, listOutbox, &inner), *k.seal(callerContext("t_9", "43"), listPreview, &inner), *k.seal(callerContext("t_10", "42"), listPreview, &inner),
		*k.seal(callerContext("t_9\x0042", ""), listPreview, &inner)} {
		f.Add(cursor)
	}
	f.Fuzz(func(t *testing.T, cursor string) {
		if got, err := k.open(ana, listPreview, cursor); err == nil && cursor != "" && (cursor != good || got != inner) {
			t.Errorf("%q opens %q", cursor, got)
		}
	})
}

// The rule as a pattern: slow, and easy to read.
var escapedNUL = regexp.MustCompile(`(^|[^\\])(\\\\)*\\u0000`)

func FuzzHasEscapedNUL(f *testing.F) {
	for _, body := range []string{`\u0000`, `\\u0000`, `\\\u0000`, `a\\u0000\u0000`, `\u0000`, `u0000`, `\\\\u0000\\u0000`} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if got, want := hasEscapedNUL(body), escapedNUL.Match(body); got != want && utf8.Valid(body) {
			t.Errorf("%q: %v, want %v", body, got, want)
		}
	})
}

// A body is read strictly, or refused: never NUL characters, never another
// type, never a second object.
func FuzzDecodeStrictly(f *testing.F) {
	for _, body := range []string{`{"id":42,"text":"x"}`, `{"id":"a\u0000"}`, `{"id":1e3}`, `{"id":9007199254740993}`, `{} {}`, `null`, `[]`, "\xff", `{"ID":"x"}`,
		`{"id":[` + strings.Repeat("[", 1000), `{"id":"\\u0000"}`} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var in struct {
			ID   crmID  `json:"id"`
			Text string `json:"text"`
		}
		if decodeStrictly(body, &in) != nil {
			return
		}
		if all := in.Text + string(in.ID); strings.Contains(all, "\x00") || !utf8.ValidString(all) || !json.Valid(body) {
			t.Errorf("%q gives %+v", body, in)
		}
	})
}
