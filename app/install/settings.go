package install

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"

	"dialpad-texting/internal/text"
	"dialpad-texting/models"
)

const (
	maxRate        = 1200 // requests a minute that Dialpad takes at all; 100 or 800 texts are usual
	maxConfirmOver = 1_000_000
	maxOptOutLine  = 160 // characters: it has to fit beside a text
)

// StatusSettings are the tenant's settings, as PUT /apps/dialpad/settings
// takes them.
type StatusSettings struct {
	Country       string             `json:"country"`
	RatePerMinute int                `json:"rate_per_minute"`
	Reserve       int                `json:"reserve"`
	QuietHours    *models.QuietHours `json:"quiet_hours"`
	KeepLaws      bool               `json:"keep_laws"` // keep to the hours of the law too
	OptOutLine    string             `json:"opt_out_line"`
	ConfirmOver   int                `json:"confirm_over"` // a bulk to more people is asked about first
}

// SettingsOf returns a tenant's settings as JSON has them.
func SettingsOf(t models.Tenant) StatusSettings {
	return StatusSettings{Country: t.Country, RatePerMinute: t.RatePerMinute, Reserve: t.Reserve, QuietHours: t.QuietHours(),
		KeepLaws: t.KeepLaws, OptOutLine: t.OptOutLine, ConfirmOver: t.ConfirmOver}
}

// Invalid is a setting that can't be stored. Field is its name in the JSON,
// Message is for the person.
type Invalid struct{ Field, Message string }

func (i *Invalid) Error() string { return i.Field + ": " + i.Message }

// SaveSettings stores an admin's settings, or returns *Invalid.
func (i *Installer) SaveSettings(ctx context.Context, tenantID, userID string, s models.Settings) error {
	s.Country, s.OptOutLine = strings.ToUpper(strings.TrimSpace(s.Country)), text.Trim(s.OptOutLine)
	s.ConfirmOver = cmp.Or(s.ConfirmOver, models.DefaultConfirmOver)
	if invalid := validate(s); invalid != nil {
		return invalid
	}
	return i.store.Tx(ctx, func(tx *models.Store) error {
		if err := tx.Tenants.SaveSettings(ctx, tenantID, s); err != nil {
			return err
		}
		if err := tx.Messages.RecomputeQuietWindows(ctx, tenantID); err != nil {
			return err
		}
		return tx.Audits.Add(ctx, tenantID, userID, "settings.saved", map[string]string{"country": s.Country,
			"rate_per_minute": strconv.Itoa(s.RatePerMinute), "reserve": strconv.Itoa(s.Reserve),
			"quiet_hours": strings.Trim(s.QuietFrom+"-"+s.QuietTo, "-"), "keep_laws": strconv.FormatBool(s.KeepLaws), "opt_out_line": strconv.FormatBool(s.OptOutLine != ""), "confirm_over": strconv.Itoa(s.ConfirmOver)})
	})
}

func validate(s models.Settings) *Invalid {
	switch {
	case !phonenumbers.GetSupportedRegions()[s.Country]:
		return &Invalid{"country", "Choose a country from the list."}
	case s.RatePerMinute < 1 || s.RatePerMinute > maxRate:
		return &Invalid{"rate_per_minute", fmt.Sprintf("Enter 1 to %d.", maxRate)}
	case s.Reserve < 0 || s.Reserve >= s.RatePerMinute:
		return &Invalid{"reserve", fmt.Sprintf("Enter 0 to %d.", s.RatePerMinute-1)}
	case s.ConfirmOver < 1 || s.ConfirmOver > maxConfirmOver:
		return &Invalid{"confirm_over", "Enter a number of people, 1 or more."}
	case utf8.RuneCountInString(s.OptOutLine) > maxOptOutLine:
		return &Invalid{"opt_out_line", fmt.Sprintf("At most %d characters.", maxOptOutLine)}
	case strings.ContainsAny(s.OptOutLine, "{}⟦⟧"):
		return &Invalid{"opt_out_line", "Fields can't be used here: it is sent as written."}
	}
	return validateQuietHours(s.QuietFrom, s.QuietTo)
}

func validateQuietHours(from, to string) *Invalid {
	switch {
	case from == "" && to == "":
		return nil
	case !isWallTime(from) || !isWallTime(to):
		return &Invalid{"quiet_hours", "Enter a start and an end."}
	case from == to:
		return &Invalid{"quiet_hours", "Start and end must differ, or texts could never go out."}
	}
	return nil
}

func isWallTime(v string) bool {
	_, err := time.Parse("15:04", v)
	return err == nil && len(v) == len("15:04")
}
