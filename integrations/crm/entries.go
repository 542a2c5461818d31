package crm

import (
	"encoding/json"
	"errors"
)

// entries reads a list and leaves out the entries that can't be read:
// one must not lose the others. A list that is none is an error.
type entries[T any] struct {
	list       []T
	unreadable int
}

func (e *entries[T]) UnmarshalJSON(b []byte) error {
	var raw []json.RawMessage
	if json.Unmarshal(b, &raw) != nil {
		return errors.New("must be a list")
	}
	*e = entries[T]{}
	for _, r := range raw {
		var v T
		if string(r) == "null" || json.Unmarshal(r, &v) != nil {
			e.unreadable++
			continue
		}
		e.list = append(e.list, v)
	}
	return nil
}

// rawText is a string as it is; null is "".
type rawText string

func (t *rawText) UnmarshalJSON(b []byte) error {
	s, err := scalar(b)
	*t = rawText(s)
	return err
}
