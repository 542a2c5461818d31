package crm

import (
	"bytes"
	"encoding/json"
	"strings"
)

// withoutNUL takes U+0000 out of every name and value of a JSON text. Postgres keeps no NUL in a text, and one in a single
// record's name would keep all the page's from being stored. (Bytes that are no UTF-8 become U+FFFD wherever JSON is read.)
func withoutNUL(raw []byte) []byte {
	if !bytes.Contains(raw, []byte(`\u0000`)) {
		return raw // nearly always: a bare NUL is no JSON
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber() // ids of 64 bits do not survive a float
	var v any
	if d.Decode(&v) != nil || d.More() {
		return raw // whoever reads it says what is wrong
	}
	clean, err := json.Marshal(stripped(v))
	if err != nil {
		return raw
	}
	return clean
}

func stripped(v any) any {
	switch v := v.(type) {
	case string:
		return strings.ReplaceAll(v, "\x00", "")
	case []any:
		for i := range v {
			v[i] = stripped(v[i])
		}
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, value := range v {
			out[strings.ReplaceAll(key, "\x00", "")] = stripped(value)
		}
		return out
	}
	return v
}
