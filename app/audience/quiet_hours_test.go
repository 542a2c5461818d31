package audience_test

import (
	"testing"
	"time"

	"dialpad-texting/app/audience"
	"dialpad-texting/app/batch"
	"dialpad-texting/integrations/crm"
	. "dialpad-texting/internal/apptest"
	"dialpad-texting/models"
)

// TestMoveQuietDelaysToTheEndOfQuietHours moves each text alone, by the
// recipient's own clock.
func TestMoveQuietDelaysToTheEndOfQuietHours(t *testing.T) {
	for name, c := range map[string]struct {
		asked  bool
		edited *bool
		move   bool
	}{"moved": {true, nil, true}, "as planned": {false, nil, false}, "moved by an edit": {false, new(true), true}, "no more": {true, new(false), false}} {
		t.Run(name, func(t *testing.T) {
			Each(t, func(t *testing.T, w *World) {
				Must(t, w.DB.Tenants.SaveSettings(Ctx, "t_9", models.Settings{Country: "US", RatePerMinute: 100, QuietFrom: "20:00", QuietTo: "08:00"}))
				r := At("2026-03-02T23:00", "America/New_York", "")
				r.MoveQuiet = &c.asked
				v := w.MustCreate(w.Bulk("ana", crm.ModuleContact, "2", "1", "50"), "k1", r) // New York, Oakland, Honolulu
				if c.edited != nil {
					_, err := w.Edit(Ctx, w.Page("ana"), v.ID, batch.EditRequest{MoveQuiet: c.edited})
					Must(t, err)
				}
				if got := w.MustView(v.ID).MoveQuiet; got != c.move {
					t.Errorf("the outbox says %v", got)
				}
				w.Clock.Add(v.SendAt.Add(-time.Minute).Sub(w.Clock.Now()))
				w.MustStartDue()
				_, err := w.Prepare(Ctx, "t_9", v.ID)
				Must(t, err)
				want := map[string]string{"2": "2026-03-03T04:00:00Z", "1": "2026-03-03T04:00:00Z", "50": "2026-03-03T04:00:00Z"}
				if c.move {
					want["2"], want["1"] = "2026-03-03T13:00:00Z", "2026-03-03T16:00:00Z" // 08:00 there
				}
				for _, m := range w.Rows(v.ID) {
					if m.DueAt == nil || m.DueAt.UTC().Format(time.RFC3339) != want[m.RecordID] {
						t.Errorf("contact %s is due at %v, want %s", m.RecordID, m.DueAt, want[m.RecordID])
					}
				}
			})
		})
	}
}

// TestPreviewCountsTextsThatReachQuietHours begins a bulk twenty
// seconds before quiet hours, at six a minute.
func TestPreviewCountsTextsThatReachQuietHours(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		Must(t, w.DB.Tenants.SaveSettings(Ctx, "t_9", models.Settings{Country: "US", RatePerMinute: 6, QuietFrom: "20:00", QuietTo: "08:00"}))
		loc, err := time.LoadLocation("America/New_York")
		Must(t, err)
		w.Clock.Add(time.Date(2026, 3, 2, 19, 59, 40, 0, loc).Sub(w.Clock.Now()))
		a := w.Bulk("ana", crm.ModuleContact, "2", "5", "14", "15", "17") // all in New York
		v, err := w.Preview(Ctx, a, audience.PreviewRequest{Message: "Hi"})
		Must(t, err)
		if v.WillReceive != 5 || v.Quiet != 3 {
			t.Errorf("%d of %d would get it at night", v.Quiet, v.WillReceive)
		}
	})
}
