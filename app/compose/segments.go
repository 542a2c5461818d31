package compose

import "unicode/utf16"

// Encoding is how a text travels.
type Encoding string

// The two encodings of SMS (3GPP TS 23.038).
const (
	GSM7 Encoding = "GSM-7"
	UCS2 Encoding = "UCS-2"
)

// Units of a text that fits one segment, and of each segment of a
// longer one: the concatenation header takes six octets (3GPP TS
// 23.040).
const (
	gsmSingle, gsmMulti = 160, 153
	ucsSingle, ucsMulti = 70, 67
)

// Segments is what a text costs.
type Segments struct {
	Encoding   Encoding          `json:"encoding"`
	Characters int               `json:"characters"`  // code points
	Units      int               `json:"units"`       // septets in GSM-7, UTF-16 units in UCS-2
	Segments   int               `json:"segments"`    // 0 for an empty text
	PerSegment int               `json:"per_segment"` // 160 or 153, 70 or 67
	Remaining  int               `json:"remaining"`   // units until another segment begins
	Forcing    []NonGSMCharacter `json:"forcing"`     // why it is UCS-2, each character once; empty in GSM-7
}

// NonGSMCharacter is a character outside GSM-7.
type NonGSMCharacter struct {
	Char string `json:"char"`
	Name string `json:"name"`
	// Replacement is what GSM-7 has instead ("" means leave it out);
	// nil where nothing sensible exists.
	Replacement *string `json:"replacement"`
	Index       int     `json:"index"` // first place, in UTF-16 units, as a browser counts
}

// Count measures a text. static/js/segments.js does the same; both are
// tested with testdata/segments.json.
func Count(text string) Segments {
	s := Segments{Encoding: GSM7, Forcing: forcing(text)}
	width, single, multi := septets, gsmSingle, gsmMulti
	if len(s.Forcing) > 0 {
		s.Encoding = UCS2
		width, single, multi = utf16Units, ucsSingle, ucsMulti
	}
	for _, r := range text {
		s.Characters++
		s.Units += width(r)
	}
	s.PerSegment = single
	if s.Units <= single {
		s.Segments, s.Remaining = min(s.Units, 1), single-s.Units
		return s
	}
	s.PerSegment = multi
	s.Segments, s.Remaining = pack(text, width, multi)
	return s
}

// pack fills segments from the left. A character of two units (] in
// GSM-7, an emoji in UCS-2) is never split: the segment before it stays
// one short.
func pack(text string, width func(rune) int, capacity int) (segments, remaining int) {
	for _, r := range text {
		w := width(r)
		if w > remaining {
			segments, remaining = segments+1, capacity
		}
		remaining -= w
	}
	return segments, remaining
}

func utf16Units(r rune) int { return max(utf16.RuneLen(r), 1) }

func septets(r rune) int {
	if _, ok := gsmExtension[r]; ok {
		return 2
	}
	return 1
}

func forcing(text string) []NonGSMCharacter {
	forced, seen, index := []NonGSMCharacter{}, map[rune]bool{}, 0
	for _, r := range text {
		if !isGSM(r) && !seen[r] {
			seen[r] = true
			name, replacement := describe(r)
			forced = append(forced, NonGSMCharacter{string(r), name, replacement, index})
		}
		index += utf16Units(r)
	}
	return forced
}
