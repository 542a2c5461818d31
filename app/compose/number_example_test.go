package compose

import (
	"errors"
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"
)

var numberTypes = map[phonenumbers.PhoneNumberType]string{
	phonenumbers.FIXED_LINE: "fixed line", phonenumbers.MOBILE: "mobile", phonenumbers.FIXED_LINE_OR_MOBILE: "fixed line or mobile",
	phonenumbers.TOLL_FREE: "toll free", phonenumbers.PREMIUM_RATE: "premium rate", phonenumbers.SHARED_COST: "shared cost",
	phonenumbers.VOIP: "voip", phonenumbers.PERSONAL_NUMBER: "personal", phonenumbers.PAGER: "pager", phonenumbers.UAN: "uan",
	phonenumbers.VOICEMAIL: "voicemail",
}

// Every country and type of number that libphonenumber has an example
// of, in each way to write it.
func TestE164OfExampleNumbers(t *testing.T) {
	n := 0
	for region := range phonenumbers.GetSupportedRegions() {
		for kind, name := range numberTypes {
			example := phonenumbers.GetExampleNumberForType(region, kind)
			if example == nil || !phonenumbers.IsValidNumber(example) {
				continue
			}
			n++
			testExample(t, region, name, example)
		}
	}
	if n < 1000 {
		t.Errorf("only %d example numbers", n)
	}
}

func testExample(t *testing.T, region, kind string, example *phonenumbers.PhoneNumber) {
	t.Helper()
	want := phonenumbers.Format(example, phonenumbers.E164)
	premium := isPremium(example)
	international := phonenumbers.Format(example, phonenumbers.INTERNATIONAL)
	national := phonenumbers.Format(example, phonenumbers.NATIONAL)
	if national == "09 15-2345-6789" { // the library drops the area code
		national = "011 15-2345-6789"
	}
	for raw, country := range map[string]string{
		want: "", international: "ZZ", phonenumbers.Format(example, phonenumbers.RFC3966): "US",
		national: region, "Mobile: " + international: "US", "\u202a" + want + "\u202c": "",
		arabic(want): "", international + " ext. 7": "",
	} {
		got, err := E164(raw, country)
		switch {
		case premium && (got != "" || !errors.Is(err, ErrPremiumNumber)):
			t.Errorf("%s, %s: E164(%q, %q) = %q, %v; want %v", region, kind, raw, country, got, err, ErrPremiumNumber)
		case !premium && (err != nil || got != want):
			t.Errorf("%s, %s: E164(%q, %q) = %q, %v; want %q", region, kind, raw, country, got, err, want)
		}
	}
	if got, err := E164(want+" Anna", region); err == nil {
		t.Errorf("%s, %s: with a name behind it: %q", region, kind, got)
	}
}

func arabic(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r - '0' + '\u0660'
		}
		return r
	}, s)
}

// The digits of a result are those of the input, in their order, after
// the country's code. (Argentina's mobiles and San Marino's numbers
// are written at home without what the world must dial before them:
// national rules, of which libphonenumber has no others.)
func FuzzE164InventsNoDigit(f *testing.F) {
	for _, seed := range []struct{ raw, country string }{
		{"+49 30 123456 (Anna)", "US"}, {"040 123456 Home 2", "DE"}, {"1-800-FLOWERS", "US"}, {"+52 1 55 1234 5678", ""},
		{"+55 11 8765-4321", ""}, {"0055 11 8765 4321", "DE"}, {"(415) 555-0142 x5", "US"}, {"٤١٥٥٥٥٠١٤٢", "US"}, {"tel:+1-415-555-0142;ext=1", ""},
	} {
		f.Add(seed.raw, seed.country)
	}
	f.Fuzz(func(t *testing.T, raw, country string) {
		got, err := E164(raw, country)
		if err != nil {
			if got != "" {
				t.Fatalf("both %q and %v", got, err)
			}
			return
		}
		if home := strings.ToUpper(country); home == "AR" || home == "SM" {
			return
		}
		number, err := phonenumbers.Parse(got, "")
		if err != nil {
			t.Fatal(err)
		}
		national := phonenumbers.GetNationalSignificantNumber(number)
		if digits := digitsOf(normalizeNumber(raw)); !isSubsequence(national, digits) {
			t.Fatalf("E164(%q, %q) = %q", raw, country, got)
		}
	})
}

func isSubsequence(part, whole string) bool {
	for _, r := range part {
		i := strings.IndexRune(whole, r)
		if i < 0 {
			return false
		}
		whole = whole[i+1:]
	}
	return true
}
