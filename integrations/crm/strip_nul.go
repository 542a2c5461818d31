package crm

import (
	"bytes"
	"encoding/json"
	"strings"
)

// stripNUL removes U+0000 from all names and values of a JSON text.
// Postgres stores no NUL in text: one in a single record's name would
// keep the whole page from being stored. (Invalid UTF-8 becomes U+FFFD
// wherever JSON is decoded.)
func stripNUL(raw []byte) []byte {
	if !bytes.Contains(raw, []byte(`\u0000`)) {
		return raw // nearly always: an unescaped NUL is no valid JSON
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber() // a float would lose digits of 64-bit ids
	var v any
	if d.Decode(&v) != nil || d.More() {
		return raw // the decoder reports what is wrong
	}
	clean, err := json.Marshal(stripValue(v))
	if err != nil {
		return raw
	}
	return clean
}

func stripValue(v any) any {
	switch v := v.(type) {
	case string:
		return strings.ReplaceAll(v, "\x00", "")
	case []any:
		for i := range v {
			v[i] = stripValue(v[i])
		}
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, value := range v {
			out[strings.ReplaceAll(key, "\x00", "")] = stripValue(value)
		}
		return out
	}
	return v
}
