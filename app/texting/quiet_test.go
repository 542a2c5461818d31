package texting_test

import (
	"testing"
	"time"

	"dialpad-texting/app/texting"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
)

// TestAScheduledBulkReachesEachPersonInTheMorning moves each text alone, by the recipient's own clock.
func TestAScheduledBulkReachesEachPersonInTheMorning(t *testing.T) {
	for name, c := range map[string]struct {
		asked  bool
		edited *bool
		move   bool
	}{"moved": {true, nil, true}, "as planned": {false, nil, false}, "moved by an edit": {false, new(true), true}, "no more": {true, new(false), false}} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				must(t, w.db.Tenants.SaveSettings(ctx, "t_9", models.Settings{Country: "US", RatePerMinute: 100, QuietFrom: "20:00", QuietTo: "08:00"}))
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

// TestAPreviewCountsWhoseTurnComesAtNight begins a bulk twenty seconds before quiet hours, at six a minute.
func TestAPreviewCountsWhoseTurnComesAtNight(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		must(t, w.db.Tenants.SaveSettings(ctx, "t_9", models.Settings{Country: "US", RatePerMinute: 6, QuietFrom: "20:00", QuietTo: "08:00"}))
		loc, err := time.LoadLocation("America/New_York")
		must(t, err)
		w.clock.Add(time.Date(2026, 3, 2, 19, 59, 40, 0, loc).Sub(w.clock.Now()))
		a := w.bulk("ana", crm.ModuleContact, "2", "5", "14", "15", "17") // all in New York
		v, err := w.Preview(ctx, a, texting.PreviewRequest{Message: "Hi"})
		must(t, err)
		if v.WillReceive != 5 || v.Quiet != 3 {
			t.Errorf("%d of %d would get it at night", v.Quiet, v.WillReceive)
		}
	})
}

func TestWhoeverReschedulesIsToldTheQuietHours(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := w.create(w.one("ana", "7", bob), "k1", w.later(time.Hour))
		now := w.create(w.one("ana", "20", bob), "k2", says(hi))
		for _, hours := range []texting.QuietHours{{From: "21:00", To: "07:00"}, {}} {
			must(t, w.db.Tenants.SaveSettings(ctx, "t_9", models.Settings{Country: "US", RatePerMinute: 100, QuietFrom: hours.From, QuietTo: hours.To}))
			if got := w.view(v.ID).QuietHours; got == nil != (hours.From == "") || got != nil && *got != hours {
				t.Errorf("%v, want %v", got, hours)
			}
			if got := w.view(now.ID).QuietHours; got != nil {
				t.Errorf("of what went: %v", got)
			}
		}
	})
}
