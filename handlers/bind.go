package handlers

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/gin-gonic/gin"
)

const (
	maxQuery = 1000 // characters of a query parameter
	maxKey   = 200  // characters of an Idempotency-Key
)

// bindJSON decodes a JSON body of at most most bytes into out, and checks
// the length of each string and list in it. An unknown field is an error: a
// misspelled one must not be ignored.
func bindJSON(c *gin.Context, out any, most int) error {
	bodyOf(c).Limit(most)
	body, err := readBody(c)
	if err != nil {
		return err
	}
	kind, _, err := mime.ParseMediaType(c.GetHeader("Content-Type"))
	if err != nil || kind != "application/json" {
		return refuse("unsupported_media_type", "The body must be JSON (Content-Type: application/json).")
	}
	if err := decodeStrictly(body, out); err != nil {
		return err
	}
	return checkLengths(out)
}

// bindNothing accepts no body or an empty object.
func bindNothing(c *gin.Context) error {
	if c.Request.ContentLength == 0 {
		return nil
	}
	var nothing struct{}
	return bindJSON(c, &nothing, maxSmallJSON)
}

// isStorable reports whether both databases can store the text.
func isStorable(body []byte) bool {
	return utf8.Valid(body) && bytes.IndexByte(body, 0) < 0 && !hasEscapedNUL(body)
}

// hasEscapedNUL finds \u0000 after an even number of backslashes: legal in
// JSON, but not in Postgres text.
func hasEscapedNUL(body []byte) bool {
	escape := []byte(`\u0000`)
	for {
		at := bytes.Index(body, escape)
		if at < 0 {
			return false
		}
		before := len(body[:at]) - len(bytes.TrimRight(body[:at], `\`))
		if before%2 == 0 {
			return true
		}
		body = body[at+len(escape):]
	}
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
		field := shortened(embeddedStructs.ReplaceAllString(wrong.Field, ""))
		return badRequest("The field "+field+" has the wrong type.").withDetail("field", field)
	}
	if found := unknownField.FindStringSubmatch(err.Error()); found != nil {
		field := shortened(found[1])
		return badRequest("There is no field "+field+" here.").withDetail("field", field)
	}
	return badRequest("The body is not valid JSON.").withCause(err)
}

// shortened is a client's word that is told back.
func shortened(word string) string {
	if len(word) > maxQuery {
		word = strings.ToValidUTF8(word[:maxQuery], "") + "…"
	}
	return word
}

// bindForm reads a form, empty if there is none. It ignores the address:
// tokens there would end up in logs.
func bindForm(c *gin.Context) (url.Values, error) {
	body, err := readBody(c)
	if err != nil {
		return nil, err
	}
	if kind, _, err := mime.ParseMediaType(c.GetHeader("Content-Type")); err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, nil //nolint:nilerr // a body of another type is no form
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, badRequest("The form cannot be read.").withCause(err)
	}
	return form, nil
}

// queries reads query parameters, each given at most once.
func queries(c *gin.Context, names ...string) (map[string]string, error) {
	all, found := c.Request.URL.Query(), map[string]string{}
	for _, name := range names {
		v, most := all.Get(name), maxQuery
		if name == "cursor" {
			most = maxCursor
		}
		if len(all[name]) > 1 || len(v) > 4*most || !isStorable([]byte(v)) || utf8.RuneCountInString(v) > most {
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

// crmID is a string, or a number kept as its digits.
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
