// Package phone gives each person's number one form.
//
// In some countries a mobile number is written
// in two ways. Both arrive: from the CRM, from
// Dialpad, from a click.
package phone

import "strings"

// twin is a country whose mobile numbers have two forms (E.164).
type twin struct {
	prefix string
	// long returns the longer form of a number of the country, "" if
	// it has none; short the shorter one.
	long, short func(number string) string
	canonical   func(long, short string) string
}

var twins = []twin{
	// Argentina: 9 before the area code of a mobile, from
	// abroad (ITU National Numbering Plan +54, 2012). Area
	// codes begin with 1, 2 or 3. Texts go to the form with 9.
	{"+54", insert("+54", "9", 10, "123"), remove("+549", "+54", 10, "123"), chooseLong},
	// Mexico: 1 before a mobile, from abroad, until 2019 (IFT, "Plan
	// Técnico Fundamental de Numeración").
	{"+52", insert("+52", "1", 10, "23456789"), remove("+521", "+52", 10, "23456789"), chooseShort},
	// Brazil: the ninth digit of mobiles, since 2012 to 2016 (Anatel,
	// Resolução 553/2010). Those of eight digits began with 6 to 9.
	{"+55", addNinth, removeNinth, chooseLong},
}

func chooseLong(long, _ string) string   { return long }
func chooseShort(_, short string) string { return short }

// Canonical returns the form of a number (E.164) in
// which numbers are compared: two forms of one person's
// number have the same. It need not be the form to dial.
func Canonical(number string) string {
	for _, t := range twins {
		if !strings.HasPrefix(number, t.prefix) {
			continue
		}
		if long := t.long(number); long != "" {
			return t.canonical(long, number)
		}
		if short := t.short(number); short != "" {
			return t.canonical(number, short)
		}
	}
	return number
}

// Forms returns all forms of a number (E.164), the canonical one first.
func Forms(number string) []string {
	canonical := Canonical(number)
	forms := []string{canonical}
	for _, t := range twins {
		if !strings.HasPrefix(canonical, t.prefix) {
			continue
		}
		if long := t.long(canonical); long != "" {
			forms = append(forms, long)
		}
		if short := t.short(canonical); short != "" {
			forms = append(forms, short)
		}
	}
	return forms
}

// TwinPrefixes returns the country codes, with +, whose numbers may
// have several forms.
func TwinPrefixes() []string {
	prefixes := make([]string, len(twins))
	for i, t := range twins {
		prefixes[i] = t.prefix
	}
	return prefixes
}

// insert adds token after prefix, if exactly n digits follow of which
// the first is one of first.
func insert(prefix, token string, n int, first string) func(string) string {
	return func(number string) string {
		rest := strings.TrimPrefix(number, prefix)
		if len(rest) != n || !strings.ContainsRune(first, rune(rest[0])) {
			return ""
		}
		return prefix + token + rest
	}
}

// remove is the reverse of insert; from is the prefix with the token.
func remove(from, to string, n int, first string) func(string) string {
	return func(number string) string {
		rest, found := strings.CutPrefix(number, from)
		if !found || len(rest) != n || !strings.ContainsRune(first, rune(rest[0])) {
			return ""
		}
		return to + rest
	}
}

const (
	brazilArea   = len("+5511")
	brazilEight  = len("+551187654321")
	oldMobiles   = "6789"
	brazilMobile = '9'
)

func addNinth(number string) string {
	if len(number) != brazilEight || !strings.ContainsRune(oldMobiles, rune(number[brazilArea])) {
		return ""
	}
	return number[:brazilArea] + string(brazilMobile) + number[brazilArea:]
}

func removeNinth(number string) string {
	if len(number) != brazilEight+1 || number[brazilArea] != brazilMobile ||
		!strings.ContainsRune(oldMobiles, rune(number[brazilArea+1])) {
		return ""
	}
	return number[:brazilArea] + number[brazilArea+1:]
}
