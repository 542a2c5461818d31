package handlers

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"regexp"
	"unicode/utf8"

	"github.com/gin-gonic/gin"
)

const (
	maxJSON = 1 << 20  // contract section 6
	maxForm = 64 << 10 // a launch token of 200 record ids has some 8 KiB
)

// readBody reads the whole body, at most limit bytes: *http.MaxBytesError beyond.
func readBody(c *gin.Context, limit int64) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, limit))
	var tooLarge *http.MaxBytesError
	if err == nil || errors.As(err, &tooLarge) {
		return body, err
	}
	return nil, badRequest("The request broke off.").because(err)
}

// bindJSON reads a JSON body into out, strictly: what a client misspells must not be done without being seen.
func bindJSON(c *gin.Context, out any) error {
	body, err := readBody(c, maxJSON)
	if err != nil {
		return err
	}
	kind, _, err := mime.ParseMediaType(c.GetHeader("Content-Type"))
	if err != nil || kind != "application/json" {
		return refuse(http.StatusUnsupportedMediaType, "unsupported_media_type", "The body must be JSON (Content-Type: application/json).")
	}
	return decodeStrictly(body, out)
}

// bindNothing is for calls whose address says it all: no body, or an empty object.
func bindNothing(c *gin.Context) error {
	if c.Request.ContentLength == 0 {
		return nil
	}
	var nothing struct{}
	return bindJSON(c, &nothing)
}

// A NUL is legal JSON and no legal text on Postgres; the number of backslashes before it must be even.
var escapedNUL = regexp.MustCompile(`(^|[^\\])(\\\\)*\\u0000`)

func storable(body []byte) bool {
	return utf8.Valid(body) && bytes.IndexByte(body, 0) < 0 && !escapedNUL.Match(body)
}

func decodeStrictly(body []byte, out any) error {
	if !storable(body) {
		return badRequest("The body must be UTF-8 without NUL characters.")
	}
	if first := bytes.TrimLeft(body, " \t\r\n"); len(first) == 0 || first[0] != '{' {
		return badRequest("The body must be a JSON object.") // null would pass as one
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(out); err != nil {
		return notJSON(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return badRequest("There is more after the JSON object.")
	}
	return nil
}

var (
	// encoding/json has no type for this error.
	unknownField = regexp.MustCompile(`^json: unknown field "(.*)"$`)
	// It names embedded structs too, which are ours alone.
	embedded = regexp.MustCompile(`^([A-Z]\w*\.)+`)
)

func notJSON(err error) error {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) && wrong.Field != "" {
		field := embedded.ReplaceAllString(wrong.Field, "")
		return badRequest("The field "+field+" has the wrong type.").with("field", field)
	}
	if found := unknownField.FindStringSubmatch(err.Error()); found != nil {
		return badRequest("There is no field "+found[1]+" here.").with("field", found[1])
	}
	return badRequest("The body is not valid JSON.").because(err)
}

// bindForm reads a small form into PostForm, which stays empty where the body is none. Only the body counts: a token
// in the address would end up in logs.
func bindForm(c *gin.Context) error {
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, maxForm)
	err := c.Request.ParseForm()
	var tooLarge *http.MaxBytesError
	if err == nil || errors.As(err, &tooLarge) {
		return err
	}
	return badRequest("The form cannot be read.").because(err)
}

const maxKey = 200 // characters of an Idempotency-Key

// idempotencyKey reads the header; optional where the call is harmless twice.
func idempotencyKey(c *gin.Context, required bool) (string, error) {
	key := c.GetHeader("Idempotency-Key")
	switch {
	case key == "" && required:
		return "", badRequest("The header Idempotency-Key is missing.").with("header", "Idempotency-Key")
	case utf8.RuneCountInString(key) > maxKey, !storable([]byte(key)):
		return "", badRequest("The header Idempotency-Key must be at most 200 characters of UTF-8.").with("header", "Idempotency-Key")
	}
	return key, nil
}

// id is an id of the CRM: a string, or a number taken as its digits.
type id string

// UnmarshalJSON takes both.
func (v *id) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err == nil {
		*v = id(text)
		return nil
	}
	var number json.Number
	if err := json.Unmarshal(b, &number); err != nil || !digits.MatchString(number.String()) {
		return &json.UnmarshalTypeError{Value: "value", Field: "id"}
	}
	*v = id(number)
	return nil
}

var digits = regexp.MustCompile(`^[0-9]{1,19}$`)
