package compose

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/nyaruka/phonenumbers"

	"dialpad-texting/internal/phone"
	"dialpad-texting/internal/text"
)

// Number is a phone number as somebody wrote it.
type Number struct {
	E164      string
	Extension string // said, never dialled: the text goes to the number
}

// E164 returns ParseNumber's number alone.
func E164(raw, country string) (string, error) {
	n, err := ParseNumber(raw, country)
	return n.E164, err
}

// ParseNumber parses a number as people write it: "(415) 555-0142" in
// "US" is "+14155550142". country (ISO 3166, two letters) is the
// default where the number has none. The whole text must be the
// number, with at most a label before it ("Mobile: ") and an extension
// after it. Letters are never digits. Errors: ErrNoNumber,
// ErrInvalidNumber, ErrShortCode, ErrPremiumNumber.
//
// Whether a US number is a mobile can't be seen from its digits;
// Dialpad's delivery result says it.
func ParseNumber(raw, country string) (Number, error) {
	n, err := parseNumber(raw, country)
	if err != nil {
		return Number{}, err
	}
	return n, nil
}

// parseNumber is ParseNumber, but returns a premium-rate number beside
// its error.
func parseNumber(raw, country string) (Number, error) {
	if text.IsBlank(raw) {
		return Number{}, ErrNoNumber
	}
	written := writtenNumber.FindStringSubmatch(normalizeNumber(raw))
	if written == nil || !isLabel(written[1], written[2]+written[3]) || endsInNote(written[2]+written[3]) {
		return Number{}, ErrInvalidNumber
	}
	dialled := strings.TrimLeft(written[2], "([") + digitsOf(written[3])
	number, valid := parseDigits(dialled, country)
	switch {
	case !valid && isShortCode(dialled):
		return Number{}, ErrShortCode
	case !valid:
		return Number{}, ErrInvalidNumber
	}
	n := Number{E164: phonenumbers.Format(number, phonenumbers.E164)}
	for _, extension := range written[4:] {
		n.Extension += extension
	}
	if isPremium(number) {
		return n, ErrPremiumNumber
	}
	return n, nil
}

// writtenNumber is a label without digits, "+", the digits with what
// separates them, and an extension (RFC 3966 and as people write it).
var writtenNumber = regexp.MustCompile(`(?i)^\s*` +
	`((?:\p{L}[\p{L}\p{M}\s.'/&()-]*[:.\s]\s*)?(?:tel:\s*)?)` +
	`([(\[]?\+?)` +
	`((?:[()\[\]/.\s-]*[0-9])+[)\]/.\s-]*?)` +
	`(?:;ext=([0-9]{1,7})|` +
	`[\s,;]*(?:extension|extn|ext|x|#|доб|anexo|int)[.:]?\s*([0-9]{1,7})#?|` +
	`,{1,2}\s*([0-9]{1,7})#?)?` +
	`[\s.,;]*$`)

// labels are words that need no colon before a number.
var labels = []string{"tel", "telephone", "phone", "mobile", "mob", "cell", "cellphone", "handy", "office", "home", "work", "direct", "main"}

// isLabel reports whether a label surely ends where the number begins:
// in "Home 2 040 123456" it is not known which digits are the number's.
func isLabel(label, number string) bool {
	label = strings.TrimSpace(label)
	if label == "" || strings.HasSuffix(label, ":") || strings.ContainsAny(number[:1], "+([0") {
		return true
	}
	group := strings.IndexFunc(number, func(r rune) bool { return r < '0' || r > '9' })
	isKnown := slices.Contains(labels, strings.ToLower(strings.TrimRight(label, ".")))
	return isKnown && (group < 0 || group >= 3)
}

// noteAtEnd is what follows a number without being part of it: "(2)",
// the last digit of another one ("/7"), or a decimal fraction (".0").
var noteAtEnd = regexp.MustCompile(`[0-9].*(?:[(\[][^()\[\]]*[)\]]|/\s*[0-9]{1,2}|\.[0-9])[\s.-]*$`)

// endsInNote reports whether the last digits of a number may be no part
// of it: with them it could be a stranger's.
func endsInNote(number string) bool { return noteAtEnd.MatchString(number) }

// ParseAnyNumber returns a number in E.164 as the function E164 does, premium
// rates included: nobody texts it. It is for opt-outs, erasure and search.
func ParseAnyNumber(raw, country string) (string, error) {
	n, err := parseNumber(raw, country)
	if errors.Is(err, ErrPremiumNumber) {
		err = nil
	}
	if err != nil {
		return "", err
	}
	return n.E164, nil
}

// normalizeNumber writes digits and punctuation of all scripts in
// ASCII, and leaves out what nobody sees.
func normalizeNumber(raw string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Nd, r):
			return decimal(r)
		case text.IsInvisible(r):
			return -1
		case r == '\t' || unicode.Is(unicode.Zs, r):
			return ' '
		case r == '\n' || r == '\r' || unicode.In(r, unicode.Zl, unicode.Zp):
			return '\v' // two lines are no number: \s of a regexp matches no \v
		case unicode.Is(unicode.Pd, r), strings.ContainsRune("−‐ー", r):
			return '-'
		}
		if to, ok := asciiPunctuation[r]; ok {
			return to
		}
		return r
	}, raw))
}

var asciiPunctuation = map[rune]rune{'＋': '+', '﹢': '+', '⁺': '+', '（': '(', '）': ')', '［': '[', '］': ']', '．': '.', '·': '.', '•': '.',
	'∙': '.', '／': '/', '：': ':', '；': ';', '，': ',', '＃': '#'}

// decimal returns a decimal digit of any script as an ASCII digit.
// Unicode has each script's ten in one run that begins with zero.
func decimal(r rune) rune {
	for _, x := range unicode.Nd.R16 {
		if rune(x.Lo) <= r && r <= rune(x.Hi) {
			return '0' + (r-rune(x.Lo))%10
		}
	}
	for _, x := range unicode.Nd.R32 {
		if c := uint32(r); x.Lo <= c && c <= x.Hi { //nolint:gosec // no rune of a string is negative
			return '0' + rune((c-x.Lo)%10)
		}
	}
	return r
}

func digitsOf(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

// parseDigits parses a number, and reports whether it is valid. A form
// that the country no longer knows is, if the person's other form is:
// that is returned, unless it has a digit that nobody wrote.
func parseDigits(dialled, country string) (*phonenumbers.PhoneNumber, bool) {
	number, err := phonenumbers.Parse(dialled, strings.ToUpper(country))
	if err != nil || phonenumbers.IsValidNumber(number) {
		return number, err == nil
	}
	written := phonenumbers.Format(number, phonenumbers.E164)
	for _, form := range phone.Forms(written) {
		other, err := phonenumbers.Parse(form, "")
		if err != nil || !phonenumbers.IsValidNumber(other) {
			continue
		}
		if len(form) < len(written) {
			number = other
		}
		return number, true
	}
	return number, false
}

// isShortCode: three to six digits without a country code, and no
// number of the country.
func isShortCode(dialled string) bool {
	return len(dialled) >= 3 && len(dialled) <= 6 && dialled[0] != '+' && dialled[0] != '0'
}

func isPremium(number *phonenumbers.PhoneNumber) bool {
	switch phonenumbers.GetNumberType(number) {
	case phonenumbers.PREMIUM_RATE, phonenumbers.SHARED_COST:
		return true
	}
	return false
}

// Display formats an E.164 number for people, always with its country
// code: "+1 415 555 0142". It returns other strings as they are.
func Display(e164 string) string {
	number, err := phonenumbers.Parse(e164, "")
	if err != nil {
		return e164
	}
	return strings.ReplaceAll(phonenumbers.Format(number, phonenumbers.INTERNATIONAL), "-", " ")
}

// Country is a country whose numbers can be read, by its two letters.
type Country struct {
	Code        string `json:"code"`
	CallingCode int    `json:"calling_code"`
}

// Countries lists all countries that libphonenumber knows.
func Countries() []Country {
	var out []Country
	for code := range phonenumbers.GetSupportedRegions() {
		out = append(out, Country{code, phonenumbers.GetCountryCodeForRegion(code)})
	}
	slices.SortFunc(out, func(a, b Country) int { return strings.Compare(a.Code, b.Code) })
	return out
}
