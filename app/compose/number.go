package compose

import (
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// shortCode is the longest run of digits that is a short code and no
// phone number.
const shortCode = 6

// E164 parses a number as people write it: "(415) 555-0142" in "US" is
// "+14155550142". country (ISO 3166, two letters) is the default where
// the number has none. Errors: ErrNoNumber, ErrInvalidNumber,
// ErrExtension, ErrShortCode.
//
// Whether a US number is a mobile can't be told from its digits;
// Dialpad's delivery result says it.
func E164(raw, country string) (string, error) {
	raw = strings.TrimSpace(raw)
	if raw == "" {
		return "", ErrNoNumber
	}
	number, err := phonenumbers.Parse(raw, strings.ToUpper(country))
	if err != nil {
		return "", ErrInvalidNumber
	}
	if len(phonenumbers.GetNationalSignificantNumber(number)) <= shortCode {
		return "", ErrShortCode
	}
	if !phonenumbers.IsValidNumber(number) {
		return "", ErrInvalidNumber
	}
	if number.GetExtension() != "" {
		return "", ErrExtension
	}
	return phonenumbers.Format(number, phonenumbers.E164), nil
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
