package handlers

import (
	"strings"
	"testing"
	"time"

	"dialpad-texting/app/audience"
	"dialpad-texting/app/batch"
	"dialpad-texting/app/install"
	"dialpad-texting/app/optout"
	"dialpad-texting/app/walltime"
	"dialpad-texting/models"
)

func TestEveryStringOfAClientHasALength(t *testing.T) {
	long, now := strings.Repeat("é", maxString+1), time.Now()
	fits := strings.Repeat("é", maxString)
	list := func(n int) []string { return make([]string, n) }
	ids := func(n int) *[]string { l := list(n); return &l }
	for name, c := range map[string]struct {
		bound any
		field string // "" for what is taken
		code  string
	}{
		"a word that fits":       {&audience.PreviewRequest{ToField: fits}, "", ""},
		"a phone field":          {&audience.PreviewRequest{ToField: long}, "to_field", "bad_request"},
		"a text":                 {&audience.PreviewRequest{Message: strings.Repeat("x", 32<<10)}, "", ""},
		"a long text":            {&audience.PreviewRequest{Message: strings.Repeat("x", 32<<10+1)}, "", "too_long"},
		"a zone":                 {&audience.PreviewRequest{Schedule: &walltime.Schedule{TimeZone: long}}, "schedule.time_zone", "bad_request"},
		"an embedded request's":  {&struct{ batch.Request }{batch.Request{TemplateID: long}}, "template_id", "bad_request"},
		"what to do when late":   {&batch.Request{Late: &batch.Late{Do: long}}, "late.do", "bad_request"},
		"an edit's text":         {&batch.EditRequest{Message: new(strings.Repeat("x", 1<<20))}, "", "too_long"},
		"another sender":         {&batch.EditRequest{SenderUserID: &long}, "sender_user_id", "bad_request"},
		"10,000 left out":        {&batch.EditRequest{Exclude: ids(10_000)}, "", ""},
		"100,001 left out":       {&batch.EditRequest{Exclude: ids(100_001)}, "exclude", "bad_request"},
		"one of the left out":    {&batch.EditRequest{Exclude: &[]string{"7", long}}, "exclude", "bad_request"},
		"states":                 {&batch.ResendRequest{States: list(maxEntries + 1)}, "states", "bad_request"},
		"a note":                 {&optout.Decision{How: long, At: &now}, "how", "bad_request"},
		"settings' quiet hours":  {&install.StatusSettings{QuietHours: &models.QuietHours{From: long}}, "quiet_hours.from", "bad_request"},
		"settings, nothing long": {&install.StatusSettings{Country: "US"}, "", ""},
	} {
		err := checkLengths(c.bound)
		if (err == nil) != (c.code == "") {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err != nil {
			if r := asRefusal(err); r.code != c.code || c.field != "" && r.details["field"] != c.field {
				t.Errorf("%s: %s %v", name, r.code, r.details)
			}
		}
	}
}
