package install_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dialpad-texting/app/install"
	"dialpad-texting/models"
)

func TestSettingsAreValidated(t *testing.T) {
	w := newSQLite(t)
	good := models.Settings{Country: "US", RatePerMinute: 100, Reserve: 10, QuietFrom: "20:00", QuietTo: "08:00", OptOutLine: "Reply STOP to opt out"}
	for name, c := range map[string]struct {
		change func(*models.Settings)
		field  string
	}{
		"good":                      {func(*models.Settings) {}, ""},
		"another country":           {func(s *models.Settings) { s.Country = "gb" }, ""},
		"tier 1":                    {func(s *models.Settings) { s.RatePerMinute = 800 }, ""},
		"no quiet hours":            {func(s *models.Settings) { s.QuietFrom, s.QuietTo = "", "" }, ""},
		"no such country":           {func(s *models.Settings) { s.Country = "XX" }, "country"},
		"no country":                {func(s *models.Settings) { s.Country = "" }, "country"},
		"no rate":                   {func(s *models.Settings) { s.RatePerMinute = 0 }, "rate_per_minute"},
		"too fast":                  {func(s *models.Settings) { s.RatePerMinute = 1201 }, "rate_per_minute"},
		"reserve of the whole rate": {func(s *models.Settings) { s.Reserve = 100 }, "reserve"},
		"negative reserve":          {func(s *models.Settings) { s.Reserve = -1 }, "reserve"},
		"quiet hours without end":   {func(s *models.Settings) { s.QuietTo = "" }, "quiet_hours"},
		"no such hour":              {func(s *models.Settings) { s.QuietTo = "24:00" }, "quiet_hours"},
		"hour of one digit":         {func(s *models.Settings) { s.QuietTo = "8:00" }, "quiet_hours"},
		"all day":                   {func(s *models.Settings) { s.QuietTo = "20:00" }, "quiet_hours"},
		"asks before nobody":        {func(s *models.Settings) { s.ConfirmOver = -1 }, "confirm_over"},
		"line too long":             {func(s *models.Settings) { s.OptOutLine = strings.Repeat("é", 161) }, "opt_out_line"},
		"longest line":              {func(s *models.Settings) { s.OptOutLine = strings.Repeat("é", 160) }, ""},
		"variable in the line":      {func(s *models.Settings) { s.OptOutLine = "{{Contact.firstName}}" }, "opt_out_line"},
	} {
		s := good
		c.change(&s)
		err := w.SaveSettings(ctx, "t_9", "42", s)
		var invalid *install.Invalid
		if c.field == "" && err != nil || c.field != "" && (!errors.As(err, &invalid) || invalid.Field != c.field || invalid.Message == "") {
			t.Errorf("%s: %v, want field %q", name, err, c.field)
		}
	}
	must(t, w.SaveSettings(ctx, "t_9", "42", models.Settings{Country: " ca ", RatePerMinute: 90, OptOutLine: " Stop? "}))
	stored, err := w.db.Store.Tenants.Get(ctx, "t_9")
	if err != nil || stored.Country != "CA" || stored.RatePerMinute != 90 || stored.OptOutLine != "Stop?" || stored.QuietFrom != "" {
		t.Errorf("stored %+v %v", stored, err)
	}
	if a := w.db.AuditsOf("t_9", "settings.saved"); len(a) == 0 || strings.Contains(a[0].Detail["opt_out_line"], "Stop") {
		t.Errorf("audit %+v", a)
	}
	if err := w.SaveSettings(ctx, "t_0", "42", good); !errors.Is(err, models.ErrLost) {
		t.Errorf("nobody's settings: %v", err)
	}
}

func TestQuietHoursAreOnUntilAnAdminTurnsThemOff(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		signed := models.SignedTenant{ID: "t_11", Linkname: "initech", Name: "Initech", Plan: "business", TimeZone: "America/New_York", SignedAt: w.clock.Now()}
		fresh, err := w.db.Tenants.SaveSigned(ctx, signed)
		must(t, err)
		want := install.StatusSettings{Country: "US", RatePerMinute: 100, QuietHours: &models.QuietHours{From: "20:00", To: "09:00"}, KeepLaws: true, ConfirmOver: 50}
		if diff := cmp.Diff(want, install.SettingsOf(fresh)); diff != "" {
			t.Error(diff)
		}
		must(t, w.SaveSettings(ctx, "t_11", "42", models.Settings{Country: "US", RatePerMinute: 100}))
		w.clock.Add(time.Hour)
		signed.SignedAt, signed.Plan = w.clock.Now(), "enterprise"
		off, err := w.db.Tenants.SaveSigned(ctx, signed)
		if err != nil || install.SettingsOf(off).QuietHours != nil {
			t.Errorf("turned off: %+v, %v", install.SettingsOf(off).QuietHours, err)
		}
	})
}
