package compose

import (
	"errors"
	"testing"
	"unicode"
)

func TestE164(t *testing.T) {
	for _, c := range []struct{ raw, country, want string }{
		{"+14155550142", "", "+14155550142"},
		{"+1 415 555 0142", "GB", "+14155550142"},
		{"(415) 555-0142", "US", "+14155550142"},
		{"415.555.0142", "us", "+14155550142"},
		{"1-415-555-0142", "US", "+14155550142"},
		{"tel:+1-415-555-0142", "", "+14155550142"},
		{" 415\u00a0555\u20110142 ", "US", "+14155550142"},
		{"４１５５５５０１４２", "US", "+14155550142"},
		{"212 555 0150", "CA", "+12125550150"},
		{"020 7946 0958", "GB", "+442079460958"},
		{"+44 20 7946 0958", "US", "+442079460958"},
		{"800 555 0199", "US", "+18005550199"},
		// Andorra and Greenland have numbers of six digits.
		{"+376 312345", "US", "+376312345"},
		{"+299 221234", "", "+299221234"},
		{"312 345", "AD", "+376312345"},
		// What nobody sees, and digits of other scripts.
		{"\u202a+14155550142\u202c", "", "+14155550142"},
		{"\u2066+1\u200b415\u2060555\ufe0f0142\u3164\u2800", "", "+14155550142"},
		{"+\u0661\u0664\u0661\u0665\u0665\u0665\u0665\u0660\u0661\u0664\u0662", "", "+14155550142"},
		{"४१५ ५५५ ०१४२", "US", "+14155550142"},
		{"𝟒𝟏𝟓 𝟝𝟝𝟝 𝟶𝟷𝟺𝟸", "US", "+14155550142"},
		{"＋１（４１５）５５５－０１４２", "", "+14155550142"},
		// Labels.
		{"Mobile: (415) 555-0142", "US", "+14155550142"},
		{"Tel. +49 30 123456", "US", "+4930123456"},
		{"Téléphone (bureau) : 01 42 68 53 00", "FR", "+33142685300"},
		{"Cell 415 555 0142", "US", "+14155550142"},
		{"TEL:+1-415-555-0142", "", "+14155550142"},
		{"Ana +1 415 555 0142", "", "+14155550142"},
		{"Ana (415) 555 0142", "US", "+14155550142"},
		{"Tel 030 123456", "DE", "+4930123456"},
		{"mob. 4155550142", "US", "+14155550142"},
		{"Home: tel:415-555-0142", "US", "+14155550142"},
		{"(+44) (0)20 7946 0958", "US", "+442079460958"},
		{"0049 30 123456", "DE", "+4930123456"},
		{"(+49 30 123456)", "", "+4930123456"},
		{"[030/123456]", "DE", "+4930123456"},
		{"0171/12 34 56 7", "DE", "+491711234567"},
		{"040/12 34 56-12", "DE", "+494012345612"}, // an extension that is dialled
		{"01.42.68.53.00", "FR", "+33142685300"},
		{"415 555 0142.", "US", "+14155550142"},
		// An older form of a valid number.
		{"+52 1 55 1234 5678", "", "+525512345678"},
		{"+55 11 8765-4321", "", "+551187654321"}, // no digit that nobody wrote
		{"+54 9 11 2345-6789", "", "+5491123456789"},
		{"+54 11 2345-6789", "", "+541123456789"},
	} {
		got, err := E164(c.raw, c.country)
		if err != nil || got != c.want {
			t.Errorf("E164(%q, %q) = %q, %v; want %q", c.raw, c.country, got, err, c.want)
		}
	}
}

func TestE164RefusesUnusableNumbers(t *testing.T) {
	for _, c := range []struct {
		raw, country string
		want         Reason
	}{
		{"", "US", ErrNoNumber},
		{" \u00a0\n", "US", ErrNoNumber},
		{"n/a", "US", ErrInvalidNumber},
		{"415 555 0142", "", ErrInvalidNumber},
		{"415 555 0142", "XX", ErrInvalidNumber},
		{"555-0142", "US", ErrInvalidNumber},
		{"+1 415 555 014", "US", ErrInvalidNumber},
		{"+1 415 555 01422", "US", ErrInvalidNumber},
		{"+1 123 555 0142", "US", ErrInvalidNumber},
		{"+999 415 555 0142", "US", ErrInvalidNumber},
		{"ana@acme.com", "US", ErrInvalidNumber},
		// Countries where numbers differ in length: a note's digits would
		// make another valid number.
		{"+49 40 123456 (2)", "US", ErrInvalidNumber},
		{"040 123456 [12]", "DE", ErrInvalidNumber},
		{"+43 1 234567 (12).", "", ErrInvalidNumber},
		{"040 123456/7", "DE", ErrInvalidNumber},
		{"+39 06 1234567 / 18", "", ErrInvalidNumber},
		{"+4930123456.0", "", ErrInvalidNumber}, // a spreadsheet's number
		{"30123456.0", "DE", ErrInvalidNumber},
		{"{{Contact.mobile}}", "US", ErrInvalidNumber},
		{"88022", "US", ErrShortCode},
		{"911", "US", ErrShortCode},
		{"12", "US", ErrInvalidNumber},
		{"01234", "DE", ErrInvalidNumber},
		{"+88022", "US", ErrInvalidNumber},
		{"+1 88022", "US", ErrInvalidNumber},
		{"312345", "US", ErrShortCode},
		// Text around a number, letters among its digits.
		{"+49 30 123456 (Anna)", "US", ErrInvalidNumber},
		{"040 123456 Home 2", "DE", ErrInvalidNumber},
		{"415 555 0142 Bob", "US", ErrInvalidNumber},
		{"1-800-FLOWERS", "US", ErrInvalidNumber},
		{"1 800 35 ext FLOWERS", "US", ErrInvalidNumber},
		{"415 555 O142", "US", ErrInvalidNumber},
		{"Home 2: 415 555 0142", "US", ErrInvalidNumber},
		{"Home 2 040 123456", "DE", ErrInvalidNumber},
		{"No. 2 040 123456", "DE", ErrInvalidNumber},
		{"Room 204 040 123456", "DE", ErrInvalidNumber},
		{"Anna 2 +49 30 123456", "DE", ErrInvalidNumber},
		{"x12 415 555 0142", "US", ErrInvalidNumber},
		{"415 555 0142 / 415 555 0143", "US", ErrInvalidNumber},
		{"415 555 0142, 415 555 0143", "US", ErrInvalidNumber},
		{"040 123456\n2", "DE", ErrInvalidNumber},
		{"040 123456\u20282", "DE", ErrInvalidNumber},
		{"+1 415 555 0142 +", "US", ErrInvalidNumber},
		{"++14155550142", "", ErrInvalidNumber},
		{"4155550142²", "US", ErrInvalidNumber},
		{"①4155550142", "US", ErrInvalidNumber},
		{"٤١٥٥٥٥٠١٤٢ آنا", "US", ErrInvalidNumber},
		{"\u200b\ufeff\u3164", "US", ErrNoNumber},
		{"+1 900 555 0101", "US", ErrPremiumNumber},
		{"(900) 555-0101", "US", ErrPremiumNumber},
		{"+44 870 123 4567", "", ErrPremiumNumber},
		{"0900 5 123456", "DE", ErrPremiumNumber},
	} {
		got, err := E164(c.raw, c.country)
		var reason Reason
		if got != "" || !errors.Is(err, c.want) || !errors.As(err, &reason) {
			t.Errorf("E164(%q, %q) = %q, %v; want %v", c.raw, c.country, got, err, c.want)
			continue
		}
		if want := map[bool]string{true: "no_number", false: "invalid_number"}[c.want == ErrNoNumber]; reason.Code() != want || reason.Sentence() == "" {
			t.Errorf("E164(%q): code %q, sentence %q", c.raw, reason.Code(), reason.Sentence())
		}
	}
}

func TestAnExtensionIsSaidAndNotDialled(t *testing.T) {
	for raw, extension := range map[string]string{
		"(415) 555-0142 x5": "5", "+1 415 555 0142 ext. 12": "12", "415-555-0142x5": "5", "415 555 0142 #7": "7",
		"tel:+1-415-555-0142;ext=123": "123", "415 555 0142,,9#": "9", "+14155550142 Extension: 42": "42", "415 555 0142 EXTN 3": "3",
		"+1 415 555 0142": "", "415 555 0142 доб. 15": "15", "Office: 415 555 0142 ext ４": "4",
	} {
		got, err := ParseNumber(raw, "US")
		if want := (Number{E164: "+14155550142", Extension: extension}); err != nil || got != want {
			t.Errorf("ParseNumber(%q) = %+v, %v; want %+v", raw, got, err, want)
		}
	}
}

func TestIdentifyTakesPremiumNumbersToo(t *testing.T) {
	for raw, want := range map[string]string{"+1 900 555 0101": "+19005550101", "+44 870 123 4567": "+448701234567", "(415) 555-0142": "+14155550142",
		"88022": "", "Bob": ""} {
		if got, err := ParseAnyNumber(raw, "US"); got != want || (err == nil) != (want != "") {
			t.Errorf("Identify(%q) = %q, %v", raw, got, err)
		}
	}
}

func TestDecimalKnowsTheDigitsOfEveryScript(t *testing.T) {
	zero := rune(-1)
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if !unicode.Is(unicode.Nd, r) {
			continue
		}
		if zero < 0 || r >= zero+10 {
			zero = r
		}
		if got, want := decimal(r), '0'+r-zero; got != want {
			t.Errorf("decimal(%U) = %c, want %c", r, got, want)
		}
	}
}

func TestDisplay(t *testing.T) {
	for e164, want := range map[string]string{
		"+14155550100": "+1 415 555 0100", "+442079460958": "+44 20 7946 0958", "": "", "odd": "odd",
	} {
		if got := Display(e164); got != want {
			t.Errorf("Display(%q) = %q, want %q", e164, got, want)
		}
	}
}
