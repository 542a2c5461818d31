// Package spreadsheet makes cells of CSV files that no spreadsheet runs.
package spreadsheet

import (
	"regexp"
	"strings"
	"unicode"

	"dialpad-texting/internal/text"
)

const (
	// formulaSigns begin a formula (OWASP, "CSV Injection"). A number's
	// + does too.
	formulaSigns = "=+-@＝＋－＠"
	// separators begin a new cell for a program that separates by them
	// rather than by commas, or that does not honour quotes.
	separators = ";\t\n\r\v\f\u0085\u2028\u2029"
)

// phoneNumber is a number as E.164 writes it: digits alone, which no
// spreadsheet can run.
var phoneNumber = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

// Escape returns a cell with an apostrophe before each place where a
// spreadsheet would begin a formula: at the cell's begin and behind
// each separator, after any blanks, quotes and invisible characters. A
// phone number stays as it is.
func Escape(cell string) string {
	if phoneNumber.MatchString(cell) {
		return cell
	}
	var out strings.Builder
	if cell != "" && strings.ContainsRune("\t\r\n", rune(cell[0])) {
		out.WriteByte('\'') // some programs drop them
	}
	begin := 0 // of what is skipped at the beginning of a cell
	atBegin := true
	for i, r := range cell {
		switch {
		case strings.ContainsRune(separators, r):
			out.WriteString(cell[begin:i])
			out.WriteRune(r)
			begin, atBegin = i+len(string(r)), true
			continue
		case !atBegin || isSkipped(r):
			continue
		case strings.ContainsRune(formulaSigns, r):
			out.WriteByte('\'')
		}
		atBegin = false
		out.WriteString(cell[begin:i])
		begin = i
	}
	out.WriteString(cell[begin:])
	return out.String()
}

func isSkipped(r rune) bool { return r == '"' || unicode.IsSpace(r) || text.IsInvisible(r) }
