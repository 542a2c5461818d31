package compose

import (
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// The default alphabet and its extension table (3GPP TS 23.038, 6.2.1).
// The lower-case ç is really absent: the table has Ç alone.
var (
	gsmBasic = runeSet("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
		"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑ\u00DC\u00A7¿abcdefghijklmnopqrstuvwxyzäöñüà")
	gsmExtension = runeSet("\f^{}\\[~]|€")
)

func runeSet(s string) map[rune]struct{} {
	set := make(map[rune]struct{}, len(s))
	for _, r := range s {
		set[r] = struct{}{}
	}
	return set
}

func isGSM(r rune) bool {
	_, basic := gsmBasic[r]
	_, extension := gsmExtension[r]
	return basic || extension
}

// replacements are what GSM-7 has instead of characters that word
// processors, phones and web pages insert.
var replacements = map[rune]struct{ name, replacement string }{
	'\u2018': {"curly quote", "'"}, '\u2019': {"curly apostrophe", "'"},
	'\u201A': {"low quote", "'"}, '\u201B': {"curly quote", "'"},
	'\u201C': {"curly quote", `"`}, '\u201D': {"curly quote", `"`},
	'\u201E': {"low quote", `"`}, '\u201F': {"curly quote", `"`},
	'\u2039': {"angle quote", "<"}, '\u203A': {"angle quote", ">"},
	'\u00AB': {"angle quote", `"`}, '\u00BB': {"angle quote", `"`},
	'\u2032': {"prime", "'"}, '\u2033': {"double prime", `"`},
	'\u00B4': {"acute accent", "'"}, '`': {"backtick", "'"},
	'\u2010': {"hyphen", "-"}, '\u2011': {"non-breaking hyphen", "-"},
	'\u2012': {"figure dash", "-"}, '\u2013': {"en dash", "-"},
	'\u2014': {"em dash", "-"}, '\u2015': {"horizontal bar", "-"},
	'\u2212': {"minus sign", "-"}, '\u2043': {"hyphen bullet", "-"},
	'\u2026': {"ellipsis", "..."}, '\u2022': {"bullet", "-"},
	'\u00B7': {"middle dot", "."}, '\u2027': {"middle dot", "."},
	'\u00A0': {"non-breaking space", " "}, '\u202F': {"narrow non-breaking space", " "},
	'\u2007': {"figure space", " "}, '\u2009': {"thin space", " "}, '\u200A': {"hair space", " "},
	'\u2002': {"en space", " "}, '\u2003': {"em space", " "}, '\u3000': {"wide space", " "},
	'\t': {"tab", " "}, '\u2028': {"line separator", "\n"}, '\u2029': {"paragraph separator", "\n"},
	'\u200B': {"zero-width space", ""}, '\uFEFF': {"byte order mark", ""}, '\u00AD': {"soft hyphen", ""},
	'\u200E': {"direction mark", ""}, '\u200F': {"direction mark", ""}, '\uFE0F': {"emoji style mark", ""},
	'\u2044': {"fraction slash", "/"}, '\u00D7': {"multiplication sign", "x"}, '\u00F7': {"division sign", "/"},
	'\u00A9': {"copyright sign", "(c)"}, '\u00AE': {"registered sign", "(R)"}, '\u2122': {"trade mark sign", "TM"},
	'\u2192': {"arrow", "->"}, '\u2190': {"arrow", "<-"}, '\u2713': {"check mark", "OK"},
	'\u0141': {"letter with a stroke", "L"}, '\u0142': {"letter with a stroke", "l"},
	'\u0110': {"letter with a stroke", "D"}, '\u0111': {"letter with a stroke", "d"},
	'\u0152': {"joined letters", "OE"}, '\u0153': {"joined letters", "oe"}, '\u0131': {"dotless i", "i"},
	'\u1E9E': {"capital sharp s", "SS"},
}

// describe names a character outside GSM-7 and its replacement, nil for
// none.
func describe(r rune) (name string, replacement *string) {
	if k, ok := replacements[r]; ok {
		return k.name, &k.replacement
	}
	if unicode.IsMark(r) {
		return "combining mark", new(string)
	}
	if plain, ok := withoutMarks(norm.NFD.String(string(r))); ok {
		return "accented letter", &plain
	}
	if plain, ok := withoutMarks(norm.NFKD.String(string(r))); ok {
		return "look-alike character", &plain
	}
	return kind(r), nil
}

// withoutMarks drops the accents of a decomposed character and says
// whether what is left is in GSM-7.
func withoutMarks(decomposed string) (string, bool) {
	plain := strings.Map(func(r rune) rune {
		if unicode.IsMark(r) {
			return -1
		}
		return r
	}, decomposed)
	for _, r := range plain {
		if !isGSM(r) {
			return "", false
		}
	}
	return plain, plain != ""
}

// scripts are those that people know by name, in the order of the
// check.
var scripts = []struct {
	name  string
	table *unicode.RangeTable
}{
	{"Arabic", unicode.Arabic}, {"Armenian", unicode.Armenian}, {"Bengali", unicode.Bengali},
	{"Cyrillic", unicode.Cyrillic}, {"Devanagari", unicode.Devanagari}, {"Georgian", unicode.Georgian},
	{"Greek", unicode.Greek}, {"Hangul", unicode.Hangul}, {"Hebrew", unicode.Hebrew},
	{"Hiragana", unicode.Hiragana}, {"Katakana", unicode.Katakana}, {"Latin", unicode.Latin},
	{"Tamil", unicode.Tamil}, {"Thai", unicode.Thai},
}

func kind(r rune) string {
	switch {
	case r == '\u200D':
		return "emoji joiner"
	case r >= 0x1F000 && r <= 0x1FAFF, r >= 0x2600 && r <= 0x27BF:
		return "emoji"
	case unicode.Is(unicode.Han, r):
		return "Chinese character"
	}
	for _, s := range scripts {
		if unicode.IsLetter(r) && unicode.Is(s.table, r) {
			return s.name + " letter"
		}
	}
	if unicode.IsSymbol(r) {
		return "symbol"
	}
	return fmt.Sprintf("character U+%04X", r)
}
