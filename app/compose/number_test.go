package compose

import (
	"errors"
	"testing"
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
		{"{{Contact.mobile}}", "US", ErrInvalidNumber},
		{"88022", "US", ErrShortCode},
		{"911", "US", ErrShortCode},
		{"(415) 555-0142 x5", "US", ErrExtension},
		{"+1 415 555 0142 ext. 12", "", ErrExtension},
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

func TestDisplay(t *testing.T) {
	for e164, want := range map[string]string{
		"+14155550100": "+1 415 555 0100", "+442079460958": "+44 20 7946 0958", "": "", "odd": "odd",
	} {
		if got := Display(e164); got != want {
			t.Errorf("Display(%q) = %q, want %q", e164, got, want)
		}
	}
}
