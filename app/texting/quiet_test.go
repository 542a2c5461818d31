package texting_test

import (
	"testing"
	"time"

	"dialpad-texting/app/texting"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
)

// TestQuietHoursEndInTheMorningWhereSomebodyIs reads wall clocks across midnights, months and clock changes.
func TestQuietHoursEndInTheMorningWhereSomebodyIs(t *testing.T) {
	for _, c := range []struct{ at, zone, from, to, want string }{
		{"2026-03-02T19:59", "America/New_York", "20:00", "08:00", ""},
		{"2026-03-02T20:00", "America/New_York", "20:00", "08:00", "2026-03-03T08:00"},
		{"2026-03-02T23:59", "America/New_York", "20:00", "08:00", "2026-03-03T08:00"},
		{"2026-03-03T00:00", "America/New_York", "20:00", "08:00", "2026-03-03T08:00"},
		{"2026-03-03T07:59", "America/New_York", "20:00", "08:00", "2026-03-03T08:00"},
		{"2026-03-03T08:00", "America/New_York", "20:00", "08:00", ""},
		{"2026-12-31T22:00", "Europe/Berlin", "20:00", "08:00", "2027-01-01T08:00"},
		{"2026-02-28T22:00", "Asia/Kathmandu", "20:00", "08:00", "2026-03-01T08:00"},
		{"2026-03-07T22:00", "America/New_York", "20:00", "08:00", "2026-03-08T08:00"}, // the clocks go forward that night
		{"2026-10-24T22:00", "Europe/Berlin", "20:00", "08:00", "2026-10-25T08:00"},    // and back
		{"2026-04-04T22:00", "Australia/Lord_Howe", "20:00", "08:00", "2026-04-05T08:00"},
		{"2026-11-01T00:30", "America/Phoenix", "20:00", "08:00", "2026-11-01T08:00"},
		{"2026-03-02T12:30", "America/New_York", "12:00", "13:00", "2026-03-02T13:00"}, // within one day
		{"2026-03-02T13:00", "America/New_York", "12:00", "13:00", ""},
		{"2026-03-02T23:00", "America/New_York", "", "", ""},
		{"2026-03-02T23:00", "", "20:00", "08:00", ""},
	} {
		loc, err := time.LoadLocation(c.zone)
		must(t, err)
		at, err := time.ParseInLocation("2006-01-02T15:04", c.at, loc)
		must(t, err)
		until := texting.QuietUntil(at, c.zone, c.from, c.to)
		got := ""
		if !until.IsZero() {
			got = until.In(loc).Format("2006-01-02T15:04")
		}
		if got != c.want {
			t.Errorf("%s in %q, quiet from %s to %s: until %q, want %q", c.at, c.zone, c.from, c.to, got, c.want)
		}
	}
}

// TestAScheduledBulkReachesEachPersonInTheMorning moves each text alone, by the recipient's own clock.
func TestAScheduledBulkReachesEachPersonInTheMorning(t *testing.T) {
	for name, c := range map[string]struct {
		asked  bool
		edited *bool
		move   bool
	}{"moved": {true, nil, true}, "as planned": {false, nil, false}, "moved by an edit": {false, new(true), true}, "no more": {true, new(false), false}} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				must(t, w.db.SaveSettings(ctx, "t_9", models.Settings{Country: "US", RatePerMinute: 100, QuietFrom: "20:00", QuietTo: "08:00"}))
				r := at("2026-03-02T23:00", "America/New_York", "")
				r.MoveQuiet = c.asked
				v := w.create(w.bulk("ana", crm.ModuleContact, "2", "1", "50"), "k1", r) // New York, Oakland, Honolulu
				if c.edited != nil {
					_, err := w.Edit(ctx, w.page("ana"), v.ID, texting.EditRequest{MoveQuiet: c.edited})
					must(t, err)
				}
				if got := w.view(v.ID).MoveQuiet; got != c.move {
					t.Errorf("the outbox says %v", got)
				}
				w.clock.Add(v.SendAt.Add(-time.Minute).Sub(w.clock.Now()))
				w.due()
				_, err := w.Prepare(ctx, "t_9", v.ID)
				must(t, err)
				want := map[string]string{"2": "2026-03-03T04:00:00Z", "1": "2026-03-03T04:00:00Z", "50": "2026-03-03T04:00:00Z"}
				if c.move {
					want["2"], want["1"] = "2026-03-03T13:00:00Z", "2026-03-03T16:00:00Z" // 08:00 there
				}
				for _, m := range w.messages(v.ID) {
					if m.DueAt == nil || m.DueAt.UTC().Format(time.RFC3339) != want[m.RecordID] {
						t.Errorf("contact %s is due at %v, want %s", m.RecordID, m.DueAt, want[m.RecordID])
					}
				}
			})
		})
	}
}

func TestWhoeverReschedulesIsToldTheQuietHours(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := w.create(w.one("ana", "7", bob), "k1", w.later(time.Hour))
		now := w.create(w.one("ana", "20", bob), "k2", says(hi))
		for _, hours := range []texting.QuietHours{{From: "21:00", To: "07:00"}, {}} {
			must(t, w.db.SaveSettings(ctx, "t_9", models.Settings{Country: "US", RatePerMinute: 100, QuietFrom: hours.From, QuietTo: hours.To}))
			if got := w.view(v.ID).QuietHours; got == nil != (hours.From == "") || got != nil && *got != hours {
				t.Errorf("%v, want %v", got, hours)
			}
			if got := w.view(now.ID).QuietHours; got != nil {
				t.Errorf("of what went: %v", got)
			}
		}
	})
}
