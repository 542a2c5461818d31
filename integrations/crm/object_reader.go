package crm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// id is an id on the wire: a JSON string or a whole number. It keeps
// all digits: a float would lose those of a 64-bit id.
type id string

func (i *id) UnmarshalJSON(b []byte) error {
	text, err := scalar(b)
	if err != nil {
		return err
	}
	if len(b) > 0 && b[0] != '"' && strings.ContainsAny(text, ".eEtf") {
		return errors.New("must be a string or a whole number")
	}
	*i = id(text)
	return nil
}

// scalar returns a JSON string, number, boolean or null ("") as text.
func scalar(b []byte) (string, error) {
	b = bytes.TrimSpace(b)
	switch {
	case len(b) == 0 || string(b) == "null":
		return "", nil
	case b[0] == '"':
		var s string
		err := json.Unmarshal(b, &s)
		return s, err
	case b[0] == '{' || b[0] == '[':
		return "", errors.New("must be a string or a number")
	}
	return string(b), nil
}

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
	if err := json.Unmarshal(stripNUL(raw), &o.fields); err != nil || o.fields == nil {
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

// text is an optional string: absent and null are "".
func (o objectReader) text(key string) string {
	if !o.has(key) {
		return ""
	}
	var s string
	if err := json.Unmarshal(o.fields[key], &s); err != nil {
		o.fail(key, "must be a string")
	}
	return s
}

// requiredText is a required, non-empty string.
func (o objectReader) requiredText(key string) string {
	s := o.text(key)
	if s == "" {
		o.failMissing(key)
	}
	return s
}

// id is an optional id in either shape.
func (o objectReader) id(key string) string {
	var i id
	if err := i.UnmarshalJSON(bytes.TrimSpace(o.fields[key])); err != nil {
		o.fail(key, "must be a string or a whole number")
	}
	return string(i)
}

// requiredID is a required id in either shape.
func (o objectReader) requiredID(key string) string {
	s := o.id(key)
	if s == "" {
		o.failMissing(key)
	}
	return s
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

// integer is an optional whole number.
func (o objectReader) integer(key string) *int64 {
	if !o.has(key) {
		return nil
	}
	var n int64
	if err := json.Unmarshal(o.fields[key], &n); err != nil {
		o.fail(key, "must be a whole number")
		return nil
	}
	return &n
}

// requiredTime is a required RFC 3339 time.
func (o objectReader) requiredTime(key string) time.Time {
	text := o.requiredText(key)
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil && text != "" {
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
