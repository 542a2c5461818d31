package compose

import (
	"fmt"
	"strconv"
)

// Reason is an error of this package: a stable code for programs, a
// sentence for the person, and Error() for the operator's log. Error()
// never holds the text, a value or a number, since those must not reach
// a log.
type Reason interface {
	error
	Code() string
	Sentence() string
}

// ParseError says where a template can't be parsed.
type ParseError struct {
	// Offset counts characters (code points, not bytes) of the cleaned
	// text, from 0, and points at the braces that are wrong.
	Offset  int
	Problem string // a sentence for the person, without the place
}

func (e *ParseError) Error() string    { return "template error at character " + strconv.Itoa(e.Offset) }
func (e *ParseError) Code() string     { return "template_invalid" }
func (e *ParseError) Sentence() string { return e.Problem }

// UnknownFieldError names a merge field that the CRM does not have.
type UnknownFieldError struct {
	Field      string // "Contact.fristName"
	Offset     int    // as in ParseError
	Suggestion string // the nearest known field, or ""
}

func (e *UnknownFieldError) Error() string { return "unknown merge field " + strconv.Quote(e.Field) }
func (e *UnknownFieldError) Code() string  { return "unknown_field" }
func (e *UnknownFieldError) Sentence() string {
	if e.Suggestion == "" {
		return fmt.Sprintf("There is no field {{%s}}.", e.Field)
	}
	return fmt.Sprintf("There is no field {{%s}}. Did you mean {{%s}}?", e.Field, e.Suggestion)
}

// EmptyFieldError excludes a recipient: the field has no value for
// them, and the template has no fallback.
type EmptyFieldError struct{ Field string }

func (e *EmptyFieldError) Error() string    { return "empty merge field " + e.Field }
func (e *EmptyFieldError) Code() string     { return "empty_field" }
func (e *EmptyFieldError) Sentence() string { return fmt.Sprintf("{{%s}} is empty", e.Field) }

// BracesError excludes a recipient: with their values in, the text
// would have "{{", which must never be sent. Without the value it would
// be a text that nobody wrote.
type BracesError struct{ Field string } // "" when two neighbours make the braces together

func (e *BracesError) Error() string { return "double braces in a merge value " + e.Field }
func (e *BracesError) Code() string  { return "braces_in_value" }
func (e *BracesError) Sentence() string {
	if e.Field == "" {
		return "The text would contain {{"
	}
	return fmt.Sprintf("The value of {{%s}} contains {{", e.Field)
}

// Errors of a rendered text.
var (
	// ErrTooLong is for more than MaxCharacters, Dialpad's limit for a
	// number outside Dialpad (help.dialpad.com, "Send a message").
	ErrTooLong Reason = &plainError{"too_long", "text over 1500 characters", "The text is longer than 1,500 characters."}
	// ErrLineTooLong is ErrTooLong for words that fit without the opt-out
	// line of bulks.
	ErrLineTooLong Reason = &plainError{"too_long", "text with opt-out line over 1500 characters", "With the opt-out line the text is longer than 1,500 characters."}
	// ErrSourceTooLong is for a template that is too long with its fields.
	ErrSourceTooLong Reason = &plainError{"too_long", "template over 32 KiB", "The text is far too long: a text has at most 1,500 characters."}
	// ErrGap is for a text with a gap that nobody filled in: see Gap.
	ErrGap    Reason = &plainError{"unfilled_gap", "text has an unfilled gap", "The text still has a gap. Fill in or remove what stands between ⟦ and ⟧."}
	ErrNoText Reason = &plainError{"empty_message", "text is empty", "The text is empty."}
)

// The ways a phone number can be unusable.
var (
	ErrNoNumber      Reason = &plainError{"no_number", "no number", "No number in this field"}
	ErrInvalidNumber Reason = &plainError{"invalid_number", "not a valid number", "Not a valid number"}
	ErrShortCode     Reason = &plainError{"invalid_number", "short code", "A short code can't receive texts"}
	// ErrPremiumNumber is for premium rate and shared cost: whoever
	// texts such a number pays for it.
	ErrPremiumNumber Reason = &plainError{"invalid_number", "premium-rate number", "A premium-rate or shared-cost number can't be texted"}
)

type plainError struct{ code, operator, sentence string }

func (e *plainError) Error() string    { return e.operator }
func (e *plainError) Code() string     { return e.code }
func (e *plainError) Sentence() string { return e.sentence }
