package crm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// id is an identifier on the wire: a JSON string or a whole number. Numbers
// keep their digits, since 64-bit ids do not survive a float.
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

// scalar turns a JSON string, number, boolean or null ("") into text.
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

// object reads one JSON object by exact field names, ignores the fields nobody
// asks for, and remembers what was wrong with the ones that were, by path.
// (encoding/json alone matches names in any case and loses the name of the
// field when a type reads itself.)
type object struct {
	path   string
	fields map[string]json.RawMessage
	errs   *[]error
}

func readObject(raw []byte, path string) object {
	o := object{path: path, errs: new([]error)}
	o.decode(raw)
	return o
}

func (o *object) decode(raw []byte) {
	if err := json.Unmarshal(withoutNUL(raw), &o.fields); err != nil || o.fields == nil {
		o.bad("", "must be an object")
	}
}

func (o object) name(key string) string {
	switch {
	case o.path == "":
		return key
	case key == "":
		return o.path
	}
	return o.path + "." + key
}

func (o object) bad(key, problem string) {
	*o.errs = append(*o.errs, fmt.Errorf("%s %s", o.name(key), problem))
}

func (o object) err() error { return errors.Join(*o.errs...) }

// has reports whether the field is there and not null.
func (o object) has(key string) bool {
	raw, ok := o.fields[key]
	return ok && string(bytes.TrimSpace(raw)) != "null"
}

// text is an optional string: absent and null are "".
func (o object) text(key string) string {
	if !o.has(key) {
		return ""
	}
	var s string
	if err := json.Unmarshal(o.fields[key], &s); err != nil {
		o.bad(key, "must be a string")
	}
	return s
}

// need is a required, non-empty string.
func (o object) need(key string) string {
	s := o.text(key)
	if s == "" {
		o.missing(key)
	}
	return s
}

// id is an optional id in either shape.
func (o object) id(key string) string {
	var i id
	if err := i.UnmarshalJSON(bytes.TrimSpace(o.fields[key])); err != nil {
		o.bad(key, "must be a string or a whole number")
	}
	return string(i)
}

// needID is a required id in either shape.
func (o object) needID(key string) string {
	s := o.id(key)
	if s == "" {
		o.missing(key)
	}
	return s
}

// missing adds "is required" unless the field was already found to be wrong.
func (o object) missing(key string) {
	for _, err := range *o.errs {
		if strings.HasPrefix(err.Error(), o.name(key)+" ") {
			return
		}
	}
	o.bad(key, "is required")
}

// ids is a list of ids in either shape; null is an empty list.
func (o object) ids(key string) []string {
	if !o.has(key) {
		return nil
	}
	var list []id
	if err := json.Unmarshal(o.fields[key], &list); err != nil {
		o.bad(key, "must be a list of ids")
		return nil
	}
	return plain(list)
}

// whole is an optional whole number.
func (o object) whole(key string) *int64 {
	if !o.has(key) {
		return nil
	}
	var n int64
	if err := json.Unmarshal(o.fields[key], &n); err != nil {
		o.bad(key, "must be a whole number")
		return nil
	}
	return &n
}

// moment is a required RFC 3339 time.
func (o object) moment(key string) time.Time {
	text := o.need(key)
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil && text != "" {
		o.bad(key, "must be an RFC 3339 time")
	}
	return at
}

// object is a required object inside this one.
func (o object) object(key string) object {
	in := object{path: o.name(key), errs: o.errs}
	if !o.has(key) {
		o.missing(key)
		return in
	}
	in.decode(o.fields[key])
	return in
}

func plain(list []id) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = string(v)
	}
	return out
}
