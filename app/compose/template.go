package compose

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"dialpad-texting/internal/text"
)

const (
	// MaxFields is how many merge fields one template may hold.
	MaxFields = 100
	// MaxCharacters is the longest text Dialpad takes for a number
	// outside Dialpad. The words of a template are bounded by it too,
	// and a single fallback.
	MaxCharacters = 1500

	// MaxSource is how many bytes a template has with its fields.
	MaxSource = 32 << 10

	maxName  = 128      // bytes of a field's name with its module
	maxValue = 64 << 10 // bytes of a value: a longer one is not even cleaned
)

// Modules a merge field may name, in Salesmate's spelling.
var modules = []string{"Contact", "Deal", "Company", "User"}

// Template is a parsed text. The zero value is an empty text.
type Template struct {
	source string
	pieces []piece
}

// piece is literal text, or a merge field when field is set.
type piece struct {
	literal  string
	field    string // "Contact.firstName"
	fallback string
	offset   int // of "{{", in characters
}

// Parse reads a text with merge fields: {{Module.fieldName}} or
// {{Module.fieldName|fallback}}, blanks inside the braces allowed.
// Check reports whether the fields exist. Nothing is done with a source
// that is too long. Errors: *ParseError, and ErrTooLong where the words
// alone are too long for a text.
func Parse(source string) (Template, error) {
	if len(source) > MaxSource {
		return Template{}, ErrSourceTooLong
	}
	t, err := parse(clean(source))
	if err == nil && t.TooLongWith("") {
		err = ErrTooLong
	}
	if err != nil {
		return Template{}, err
	}
	return t, nil
}

func parse(source string) (Template, error) {
	t := Template{source: source}
	fields, offset := 0, 0
	for rest := t.source; rest != ""; {
		literal, inside, after, found, err := nextField(rest, offset)
		if err != nil {
			return Template{}, err
		}
		if literal != "" {
			t.pieces = append(t.pieces, piece{literal: literal})
		}
		if !found {
			break
		}
		at := offset + utf8.RuneCountInString(literal)
		p, err := parseField(inside, at)
		if err != nil {
			return Template{}, err
		}
		if fields++; fields > MaxFields {
			return Template{}, &ParseError{at, fmt.Sprintf("A text can hold at most %d fields.", MaxFields)}
		}
		t.pieces = append(t.pieces, p)
		offset += utf8.RuneCountInString(rest[:len(rest)-len(after)])
		rest = after
	}
	return t, nil
}

// nextField cuts text at its first merge field. It refuses a "}}" that
// closes nothing: nearly always a field lacks a brace, and the customer
// would receive it raw.
func nextField(source string, offset int) (literal, inside, after string, found bool, err error) {
	literal, rest, found := strings.Cut(source, "{{")
	if stray := strings.Index(literal, "}}"); stray >= 0 {
		at := offset + utf8.RuneCountInString(literal[:stray])
		return "", "", "", false, &ParseError{at, "There is a }} without a {{ before it."}
	}
	if !found {
		return literal, "", "", false, nil
	}
	at := offset + utf8.RuneCountInString(literal)
	inside, after, closed := strings.Cut(rest, "}}")
	if !closed || strings.Contains(inside, "{{") {
		return "", "", "", false, &ParseError{at, "There is a {{ without a }} after it."}
	}
	return literal, inside, after, true, nil
}

func parseField(inside string, at int) (piece, error) {
	name, fallback, _ := strings.Cut(inside, "|")
	name, fallback = strings.TrimSpace(name), text.Trim(fallback)
	switch {
	case len(name) > maxName:
		return piece{}, &ParseError{at, fmt.Sprintf("A field's name has at most %d characters.", maxName)}
	case utf8.RuneCountInString(fallback) > MaxCharacters:
		return piece{}, &ParseError{at, "The words for an empty field are longer than a text."}
	}
	module, field, _ := strings.Cut(name, ".")
	if !isName(module) || !isName(field) {
		return piece{}, &ParseError{at, "A field is written like {{Contact.firstName}} or {{Contact.firstName|there}}."}
	}
	if !slices.Contains(modules, module) {
		problem := fmt.Sprintf("A field starts with Contact, Deal, Company or User, not %q.", module)
		return piece{}, &ParseError{at, problem}
	}
	return piece{field: name, fallback: fallback, offset: at}, nil
}

// isName: letters, digits and underscores of ASCII, as the CRM's field
// names are.
func isName(s string) bool {
	for _, r := range s {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '_'
		if !letter && (r < '0' || r > '9') {
			return false
		}
	}
	return s != ""
}

// String returns the cleaned text with its merge fields: what to store.
func (t Template) String() string { return t.source }

// Fields lists the merge fields, each once, in order of appearance.
func (t Template) Fields() []string {
	var fields []string
	for _, p := range t.pieces {
		if p.field != "" && !slices.Contains(fields, p.field) {
			fields = append(fields, p.field)
		}
	}
	return fields
}

// TooLongWith reports whether the words alone, with a line appended, are
// too long for a text, whoever receives it. "" is no line.
func (t Template) TooLongWith(line string) bool {
	var words strings.Builder
	for _, p := range t.pieces {
		words.WriteString(p.literal)
	}
	n := utf8.RuneCountInString(text.Trim(words.String()))
	if line != "" {
		n += 1 + utf8.RuneCountInString(line)
	}
	return n > MaxCharacters
}

// Check refuses the first field that is not among known
// ("Contact.firstName", …) with an *UnknownFieldError. Call it where a
// text is written.
func (t Template) Check(known []string) error {
	for _, p := range t.pieces {
		if p.field != "" && !slices.Contains(known, p.field) {
			return &UnknownFieldError{Field: p.field, Offset: p.offset, Suggestion: suggest(p.field, known)}
		}
	}
	return nil
}

// Render puts values in. A value is cleaned, trimmed, and never parsed
// again; one that shows nothing counts as empty. Errors:
// *EmptyFieldError, and those of CheckOutgoing; all mean that this
// recipient gets nothing.
func (t Template) Render(values map[string]string) (string, error) {
	out, _, err := t.fill(values, nil)
	if err == nil {
		err = CheckOutgoing(out)
	}
	if err != nil {
		return "", err
	}
	return out, nil
}

// Fill is Render for a person who edits the text before it goes out:
// each empty field without a fallback becomes a Gap with what label
// returns for the field. It returns the fields that were empty, each
// once. Errors: *BracesError, ErrTooLong.
func (t Template) Fill(values map[string]string, label func(field string) string) (out string, empty []string, err error) {
	out, empty, err = t.fill(values, label)
	if err == nil {
		err = checkRendered(out)
	}
	if err != nil {
		return "", empty, err
	}
	return out, empty, nil
}

func (t Template) fill(values map[string]string, label func(field string) string) (string, []string, error) {
	var out strings.Builder
	var gaps []string
	for _, p := range t.pieces {
		piece, err := p.render(values)
		var empty *EmptyFieldError
		if label != nil && errors.As(err, &empty) {
			piece, err = Gap(label(p.field)), nil
			if !slices.Contains(gaps, p.field) {
				gaps = append(gaps, p.field)
			}
		}
		if err != nil {
			return "", gaps, err
		}
		out.WriteString(piece)
	}
	return text.Trim(clean(out.String())), gaps, nil
}

func (p piece) render(values map[string]string) (string, error) {
	if p.field == "" {
		return p.literal, nil
	}
	if len(values[p.field]) > maxValue {
		return "", ErrTooLong
	}
	value := text.Trim(clean(values[p.field]))
	switch {
	case strings.Contains(value, "{{"):
		return "", &BracesError{p.field}
	case value != "":
		return value, nil
	case p.fallback != "":
		return p.fallback, nil
	}
	return "", &EmptyFieldError{p.field}
}
