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
	maxJSON  = 1 << 20  // bytes; contract section 6
	maxForm  = 64 << 10 // bytes; a launch token of 200 record ids has about 8 KiB
	maxQuery = 1000     // characters of a query parameter
	maxKey   = 200      // characters of an Idempotency-Key
)

// readBody reads the whole body. Its error is *http.MaxBytesError
// if the body is longer than limit bytes.
func readBody(c *gin.Context, limit int64) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, limit))
	var tooLarge *http.MaxBytesError
	if err == nil || errors.As(err, &tooLarge) {
		return body, err
	}
	return nil, badRequest("The request broke off.").withCause(err)
}

// bindJSON decodes a JSON body into out. An unknown field is an error:
// a misspelled one must not be ignored.
func bindJSON(c *gin.Context, out any) error {
	body, err := readBody(c, maxJSON)
	if err != nil {
		return err
	}
	kind, _, err := mime.ParseMediaType(c.GetHeader("Content-Type"))
	if err != nil || kind != "application/json" {
		return refuse("unsupported_media_type", "The body must be JSON (Content-Type: application/json).")
	}
	return decodeStrictly(body, out)
}

// bindNothing accepts no body or an empty object.
func bindNothing(c *gin.Context) error {
	if c.Request.ContentLength == 0 {
		return nil
	}
	var nothing struct{}
	return bindJSON(c, &nothing)
}

// escapedNUL matches \u0000 after an even number of backslashes:
// legal in JSON, but not in Postgres text.
var escapedNUL = regexp.MustCompile(`(^|[^\\])(\\\\)*\\u0000`)

// isStorable reports whether both databases can store the text.
func isStorable(body []byte) bool {
	return utf8.Valid(body) && bytes.IndexByte(body, 0) < 0 && !escapedNUL.Match(body)
}

func decodeStrictly(body []byte, out any) error {
	if !isStorable(body) {
		return badRequest("The body must be UTF-8 without NUL characters.")
	}
	if first := bytes.TrimLeft(body, " \t\r\n"); len(first) == 0 || first[0] != '{' {
		return badRequest("The body must be a JSON object.") // null would pass as one
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(out); err != nil {
		return jsonError(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return badRequest("There is more after the JSON object.")
	}
	return nil
}

var (
	// encoding/json has no type for this error.
	unknownField = regexp.MustCompile(`^json: unknown field "(.*)"$`)
	// The field's path starts with the names of embedded structs.
	embeddedStructs = regexp.MustCompile(`^([A-Z]\w*\.)+`)
)

func jsonError(err error) error {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) && wrong.Field != "" {
		field := embeddedStructs.ReplaceAllString(wrong.Field, "")
		return badRequest("The field "+field+" has the wrong type.").withDetail("field", field)
	}
	if found := unknownField.FindStringSubmatch(err.Error()); found != nil {
		return badRequest("There is no field "+found[1]+" here.").withDetail("field", found[1])
	}
	return badRequest("The body is not valid JSON.").withCause(err)
}

// bindForm reads a small form into PostForm, which stays empty if
// the body is no form. Only the body is read: a token in the address
// would end up in logs.
func bindForm(c *gin.Context) error {
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, maxForm)
	err := c.Request.ParseForm()
	var tooLarge *http.MaxBytesError
	if err == nil || errors.As(err, &tooLarge) {
		return err
	}
	return badRequest("The form cannot be read.").withCause(err)
}

// queries reads query parameters, each given at most once.
func queries(c *gin.Context, names ...string) (map[string]string, error) {
	all, found := c.Request.URL.Query(), map[string]string{}
	for _, name := range names {
		v := all.Get(name)
		if len(all[name]) > 1 || !isStorable([]byte(v)) || utf8.RuneCountInString(v) > maxQuery {
			return nil, badRequest("The parameter "+name+" cannot be read.").withDetail("field", name)
		}
		found[name] = v
	}
	return found, nil
}

// idempotencyKey reads the header Idempotency-Key.
func idempotencyKey(c *gin.Context, required bool) (string, error) {
	key := c.GetHeader("Idempotency-Key")
	switch {
	case key == "" && required:
		return "", badRequest("The header Idempotency-Key is missing.").withDetail("header", "Idempotency-Key")
	case utf8.RuneCountInString(key) > maxKey, !isStorable([]byte(key)):
		return "", badRequest("The header Idempotency-Key must be at most 200 characters of UTF-8.").withDetail("header", "Idempotency-Key")
	}
	return key, nil
}

// crmID is an id of the CRM: a string, or a number kept as its digits.
type crmID string

// UnmarshalJSON accepts a string or a number.
func (v *crmID) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err == nil {
		*v = crmID(text)
		return nil
	}
	var number json.Number
	if err := json.Unmarshal(b, &number); err != nil || !digits.MatchString(number.String()) {
		return &json.UnmarshalTypeError{Value: "value", Field: "id"}
	}
	*v = crmID(number)
	return nil
}

var digits = regexp.MustCompile(`^[0-9]{1,19}$`)
