package compose

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// segmentCase is one line of testdata/segments.json; static/jstest
// reads it too.
type segmentCase struct {
	Name  string
	Parts [][2]any // text, times
	Segments
}

func (c segmentCase) text() string {
	var text strings.Builder
	for _, part := range c.Parts {
		text.WriteString(strings.Repeat(part[0].(string), int(part[1].(float64))))
	}
	return text.String()
}

func segmentCases(t testing.TB) []segmentCase {
	t.Helper()
	data, err := os.ReadFile("testdata/segments.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []segmentCase }
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	return file.Cases
}

func TestCountSharedCases(t *testing.T) {
	cases := segmentCases(t)
	if len(cases) < 60 {
		t.Fatalf("%d cases, want at least 60", len(cases))
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			if diff := cmp.Diff(c.Segments, Count(c.text())); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSharedCasesCoverAllReplacements(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range segmentCases(t) {
		if c.Name == "every character of the table" {
			for _, f := range c.Forcing {
				seen[f.Char] = true
			}
		}
	}
	if len(seen) != len(replacements) {
		t.Errorf("the case holds %d characters, the table %d", len(seen), len(replacements))
	}
	for r := range replacements {
		if !seen[string(r)] {
			t.Errorf("%U is in the table and not in the case", r)
		}
	}
}

func TestReplacementsAreInGSM7(t *testing.T) {
	for r := rune(0); r <= utf8.MaxRune; r++ {
		if isGSM(r) || !utf8.ValidRune(r) {
			continue
		}
		name, replacement := describe(r)
		if name == "" {
			t.Fatalf("%U has no name", r)
		}
		if replacement != nil && len(forcing(*replacement)) > 0 {
			t.Errorf("%U is replaced by %q, which is outside GSM-7 too", r, *replacement)
		}
	}
}

func TestAlphabetSizes(t *testing.T) {
	// 128 positions less the escape; ten in the extension table (TS
	// 23.038, 6.2.1).
	if got := [2]int{len(gsmBasic), len(gsmExtension)}; got != [2]int{127, 10} {
		t.Errorf("basic and extension hold %v characters", got)
	}
}

func FuzzCountIsConsistent(f *testing.F) {
	for _, c := range segmentCases(f) {
		f.Add(c.text())
	}
	f.Fuzz(func(t *testing.T, text string) {
		s := Count(text)
		if s.Characters != utf8.RuneCountInString(text) || s.Units < s.Characters {
			t.Fatalf("%d characters in %d units", s.Characters, s.Units)
		}
		if (s.Encoding == UCS2) != (len(s.Forcing) > 0) {
			t.Fatalf("%s forced by %v", s.Encoding, s.Forcing)
		}
		// What doesn't fit is at most one unit short in each segment
		// but the last.
		used := s.Segments*s.PerSegment - s.Remaining
		if text != "" && (used < s.Units || used-s.Units >= s.Segments) {
			t.Fatalf("%d units use %d of %d segments", s.Units, used, s.Segments)
		}
		if s.Remaining < 0 || text != "" && s.Remaining >= s.PerSegment {
			t.Fatalf("%d of %d remain", s.Remaining, s.PerSegment)
		}
	})
}
