package optout

import (
	"slices"
	"strings"
	"unicode"

	lru "github.com/hashicorp/golang-lru/v2"

	"dialpad-texting/app/compose"
	"dialpad-texting/integrations/dialpad"
)

// numberReader reads the numbers of events. Several events tell of each text,
// each with the same four numbers, and to parse one takes as long as all else
// that is done with an event: what was read lately is kept.
type numberReader struct {
	read *lru.Cache[writtenNumber, []string]
}

// writtenNumber is a number as an event has it, in a tenant's country.
type writtenNumber struct{ raw, country string }

const (
	maxReadNumbers = 8192
	maxCachedRaw   = 32 // longer ones are no plain numbers, and rare
)

func newNumberReader() numberReader {
	read, err := lru.New[writtenNumber, []string](maxReadNumbers)
	if err != nil {
		panic(err) // only a size below 1
	}
	return numberReader{read}
}

// possible returns PossibleNumbers. The slice is shared: it must not be changed.
func (r numberReader) possible(raw, country string) []string {
	if raw == "" || len(raw) > maxCachedRaw {
		return PossibleNumbers(raw, country)
	}
	key := writtenNumber{raw, country}
	if numbers, known := r.read.Get(key); known {
		return numbers
	}
	numbers := PossibleNumbers(raw, country)
	r.read.Add(key, numbers)
	return numbers
}

// parties are the numbers that an event names, each in all ways that it
// can be read.
type parties struct{ from, to, contact, target []string }

func (r numberReader) parties(sms dialpad.SMSEvent, country string) parties {
	p := parties{contact: r.possible(sms.ContactNumber, country), target: r.possible(sms.TargetNumber, country),
		from: r.possible(sms.FromNumber, country), to: r.possible(firstOf(sms.ToNumbers), country)}
	if strings.EqualFold(sms.Direction, outbound) {
		p.from = narrow(p.from, p.target)
		p.to = narrow(p.to, p.contact)
		return p
	}
	if !overlap(p.to, p.contact) {
		p.from = narrow(p.from, p.contact)
		p.to = narrow(p.to, p.target)
	}
	return p
}

// narrow returns the readings that a second field confirms, or those of
// the one field that can be read.
func narrow(readings, second []string) []string {
	if len(readings) == 0 {
		return second
	}
	var both []string
	for _, number := range readings {
		if slices.Contains(second, number) {
			both = append(both, number)
		}
	}
	if len(both) > 0 {
		return both
	}
	return readings
}

func firstOf(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(number string) bool { return slices.Contains(b, number) })
}

// PossibleNumbers returns the numbers (E.164) that a number without a plus may
// mean: with its country code ("14155558002"), or as it is dialled in
// the country. There may be two; a plus leaves no doubt.
func PossibleNumbers(raw, country string) []string {
	raw = strings.TrimSpace(raw)
	if raw == "" {
		return nil
	}
	if number, err := compose.ParseAnyNumber(raw, ""); err == nil {
		return []string{number}
	}
	var out []string
	national, err := compose.ParseAnyNumber(raw, country)
	if err == nil {
		out = append(out, national)
	}
	if strings.HasPrefix(national, "+1") && len(national) == len("+1")+countDigits(raw) {
		return out // ten digits in North America
	}
	if number, err := compose.ParseAnyNumber("+"+strings.TrimLeft(raw, "+0"), ""); err == nil && number != national {
		out = append(out, number)
	}
	return out
}

func countDigits(s string) (n int) {
	for _, r := range s {
		if unicode.IsDigit(r) {
			n++
		}
	}
	return n
}
