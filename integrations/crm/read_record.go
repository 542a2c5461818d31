package crm

import (
	"cmp"
	"encoding/json"
	"slices"

	"dialpad-texting/integrations/lenient"
)

// readRecord reads one record of an answer, and the paths of what can't
// be read in it. ID is "" if the id can't be read; a record without a
// module is one of the requested module.
func readRecord(raw json.RawMessage, module string) (Record, []string) {
	o := readObject(raw, "")
	if len(*o.errs) > 0 {
		return Record{}, nil
	}
	r := recordReader{objectReader: o}
	record := Record{ID: r.id("id"), Module: cmp.Or(r.scalar("module"), module), Name: lenient.Name(r.scalar("name")), ContactID: r.id("contact_id"),
		Fields: r.values("fields"), Phones: r.values("phones"), TimeZone: r.scalar("time_zone"), Owner: r.id("owner")}
	for field, raw := range r.rawValues("phones") {
		if digits, ok := lenient.WholeNumber(raw); ok { // 14155550142.0
			record.Phones[field] = digits
		}
	}
	var out optedOut
	if raw, ok := o.fields["opted_out"]; ok {
		_ = out.UnmarshalJSON(raw) // never fails
	}
	record.OptedOut = bool(out)
	slices.Sort(r.unreadable) // fields are read in no order
	return record, r.unreadable
}

// recordReader is an objectReader that notes what can't be read.
type recordReader struct {
	objectReader
	unreadable []string
}

func (r *recordReader) id(key string) string {
	s, err := readID(r.fields[key], maxID)
	if err != nil {
		r.unreadable = append(r.unreadable, key)
	}
	return s
}

// scalar is a value of any type; an object is read as "".
func (r *recordReader) scalar(key string) string {
	var t text
	if r.has(key) && json.Unmarshal(r.fields[key], &t) != nil {
		r.unreadable = append(r.unreadable, key)
	}
	return string(t)
}

// values is an object of values; null is an empty one.
func (r *recordReader) values(key string) map[string]string {
	out := map[string]string{}
	if !r.has(key) {
		return out
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(r.fields[key], &fields) != nil {
		r.unreadable = append(r.unreadable, key)
		return out
	}
	for name, raw := range fields {
		var t text
		if json.Unmarshal(raw, &t) != nil {
			r.unreadable = append(r.unreadable, key+"."+name)
		}
		out[name] = string(t)
	}
	return out
}

// rawValues is values as they came; nil if they can't be read.
func (r *recordReader) rawValues(key string) map[string]json.RawMessage {
	var fields map[string]json.RawMessage
	_ = json.Unmarshal(r.fields[key], &fields) // values notes the error
	return fields
}
