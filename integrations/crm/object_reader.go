package crm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"dialpad-texting/integrations/lenient"
)

// objectReader reads the fields of one JSON object by their exact names
// and collects what is wrong with them, by path. Unknown fields are
// ignored. (encoding/json matches names in any case, and loses the
// field's name when a type unmarshals itself.)
type objectReader struct {
	path   string
	fields map[string]json.RawMessage
	errs   *[]error
}

func readObject(raw []byte, path string) objectReader {
	o := objectReader{path: path, errs: new([]error)}
	o.decode(raw)
	return o
}

func (o *objectReader) decode(raw []byte) {
	if err := json.Unmarshal(raw, &o.fields); err != nil || o.fields == nil {
		o.fail("", "must be an object")
	}
}

func (o objectReader) fieldPath(key string) string {
	switch {
	case o.path == "":
		return key
	case key == "":
		return o.path
	}
	return o.path + "." + key
}

// fail records a problem of a field; key "" is the object itself.
func (o objectReader) fail(key, problem string) {
	*o.errs = append(*o.errs, fmt.Errorf("%s %s", o.fieldPath(key), problem))
}

func (o objectReader) err() error { return errors.Join(*o.errs...) }

// callErr is err for the data of a call.
func (o objectReader) callErr() error {
	if err := o.err(); err != nil {
		return fmt.Errorf("crm: %w", err)
	}
	return nil
}

// has reports whether the field is there and not null.
func (o objectReader) has(key string) bool {
	raw, ok := o.fields[key]
	return ok && string(bytes.TrimSpace(raw)) != "null"
}

// text is an optional string for people of at most most bytes: absent and
// null are "". NUL characters are removed, since Postgres stores none.
func (o objectReader) text(key string, most int) string {
	s := o.rawText(key)
	if len(s) > most {
		o.failLong(key, most)
		return ""
	}
	return strings.ReplaceAll(s, "\x00", "")
}

// name is an optional name. It is cut and cleaned, never refused: nobody
// is shut out for one.
func (o objectReader) name(key string) string { return lenient.Name(o.rawText(key)) }

func (o objectReader) rawText(key string) string {
	if !o.has(key) {
		return ""
	}
	var s string
	if err := json.Unmarshal(o.fields[key], &s); err != nil {
		o.fail(key, "must be a string")
	}
	return s
}

// identifier is an optional string for programs of at most most bytes. It
// is taken as it is, or refused.
func (o objectReader) identifier(key string, most int) string {
	s := o.rawText(key)
	if problem := identifierProblem(s, most); problem != "" {
		o.fail(key, problem)
		return ""
	}
	return s
}

// requiredIdentifier is a required, non-empty identifier of at most
// most bytes.
func (o objectReader) requiredIdentifier(key string, most int) string {
	s := o.identifier(key, most)
	if s == "" {
		o.failMissing(key)
	}
	return s
}

// requiredText is a required, non-empty string of at most most bytes.
func (o objectReader) requiredText(key string, most int) string {
	s := o.text(key, most)
	if s == "" {
		o.failMissing(key)
	}
	return s
}

// id is an optional id in any shape.
func (o objectReader) id(key string) string {
	s, err := readID(o.fields[key], maxID)
	if err != nil {
		o.fail(key, err.Error())
	}
	return s
}

// opaque is an optional cursor or saved value in an id's shapes.
func (o objectReader) opaque(key string) string {
	s, err := readID(o.fields[key], maxOpaque)
	if err != nil {
		o.fail(key, err.Error())
	}
	return s
}

// requiredID is a required id in either shape.
func (o objectReader) requiredID(key string) string {
	s := o.id(key)
	if s == "" {
		o.failMissing(key)
	}
	return s
}

// require adds "is required" for each of the fields that is empty.
func (o objectReader) require(keys ...string) {
	for _, key := range keys {
		if strings.Trim(o.rawText(key), "\x00") == "" {
			o.failMissing(key)
		}
	}
}

func (o objectReader) failLong(key string, most int) {
	o.fail(key, fmt.Sprintf("has more than %d bytes", most))
}

// failMissing adds "is required", unless the field has an error already.
func (o objectReader) failMissing(key string) {
	for _, err := range *o.errs {
		if strings.HasPrefix(err.Error(), o.fieldPath(key)+" ") {
			return
		}
	}
	o.fail(key, "is required")
}

// ids is a list of ids in either shape; null is an empty list.
func (o objectReader) ids(key string) []string {
	if !o.has(key) {
		return nil
	}
	var list []id
	if err := json.Unmarshal(o.fields[key], &list); err != nil {
		o.fail(key, "must be a list of ids")
		return nil
	}
	return idStrings(list)
}

// integer is an optional whole number in any notation.
func (o objectReader) integer(key string) *int64 {
	if !o.has(key) {
		return nil
	}
	n, ok := lenient.Int64(o.fields[key])
	if !ok {
		o.fail(key, "must be a whole number")
		return nil
	}
	return &n
}

// requiredTime is a required RFC 3339 time.
func (o objectReader) requiredTime(key string) time.Time {
	text := o.requiredText(key, maxWord)
	at, ok := lenient.Time(text)
	if !ok && text != "" {
		o.fail(key, "must be an RFC 3339 time")
	}
	return at
}

// object is a required object inside this one.
func (o objectReader) object(key string) objectReader {
	in := objectReader{path: o.fieldPath(key), errs: o.errs}
	if !o.has(key) {
		o.failMissing(key)
		return in
	}
	in.decode(o.fields[key])
	return in
}

func idStrings(list []id) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = string(v)
	}
	return out
}
