package batch_test

import (
	"errors"
	"testing"
	"time"

	"dialpad-texting/app/apierror"
	"dialpad-texting/app/batch"
	"dialpad-texting/integrations/crm"
	. "dialpad-texting/internal/apptest"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// At night a one-to-one asks, and does what the person says.
func TestOneToOneAsksInQuietHours(t *testing.T) {
	for name, c := range map[string]struct {
		at, contact, number string // Owen is in New York
		move                *bool
		question, due       string
	}{
		"at night":        {"2026-03-02T22:40", "2", "+12125550112", nil, "send now or at 09:00?", ""},
		"on the next day": {"2026-03-03T00:10", "2", "+12125550112", nil, "send now or at 09:00?", ""},
		"send now":        {"2026-03-02T22:40", "2", "+12125550112", new(false), "", "now"},
		"wait":            {"2026-03-02T22:40", "2", "+12125550112", new(true), "", "2026-03-03T14:00:00Z"},
		"by day":          {"2026-03-02T10:40", "2", "+12125550112", nil, "", "now"},
	} {
		t.Run(name, func(t *testing.T) {
			Each(t, func(t *testing.T, w *World) {
				quietNights(w)
				w.Clock.Add(inNewYork(t, c.at).Sub(w.Clock.Now()))
				b, err := w.Create(Ctx, w.One("ana", c.contact, c.number), "k1", batch.Request{Message: "Hi", MoveQuiet: c.move})
				if c.question != "" {
					checkQuestion(t, err, inNewYork(t, c.at), c.question)
					return
				}
				Must(t, err)
				m := w.Rows(b.ID)[0]
				due := "now"
				if m.DueAt != nil {
					due = m.DueAt.UTC().Format(time.RFC3339)
				}
				if due != c.due || m.Attempt != 0 {
					t.Errorf("due %s, want %s", due, c.due)
				}
			})
		})
	}
}

func checkQuestion(t *testing.T, err error, at time.Time, question string) {
	t.Helper()
	var e *apierror.Error
	if !errors.As(err, &e) || e.Code != "quiet_hours" {
		t.Fatalf("answered %v", err)
	}
	choices, _ := e.Details["choices"].([]batch.QuietChoice)
	if want := "It is " + at.Format("15:04") + " for "; len(choices) != 2 || choices[0].MoveQuiet || !choices[1].MoveQuiet || e.Message[:len(want)] != want ||
		e.Message[len(e.Message)-len(question):] != question {
		t.Errorf("asked %q with %+v", e.Message, choices)
	}
}

// A bulk keeps to quiet hours unless its person says otherwise.
func TestBulkKeepsToQuietHoursByDefault(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		quietNights(w)
		for asked, want := range map[*bool]bool{nil: true, new(true): true, new(false): false} {
			b, err := w.Create(Ctx, w.Bulk("ana", crm.ModuleContact, "2"), models.NewID(), batch.Request{Message: "Hi", MoveQuiet: asked})
			Must(t, err)
			if b.DeferInQuietHours != want {
				t.Errorf("asked %v: %v", asked, b.DeferInQuietHours)
			}
		}
	})
}

// A zone that can't be read never switches quiet hours off.
func TestUnreadableZonesKeepQuietHours(t *testing.T) {
	for _, zone := range []string{"America/New_York ", "Eastern Standard Time", "-05:00", "null", "", "Etc/Unknown", "Mars/Olympus"} {
		t.Run(zone, func(t *testing.T) {
			Each(t, func(t *testing.T, w *World) {
				quietNights(w)
				w.Host.SetTimeZone("acme", "2", zone)
				w.Clock.Add(inNewYork(t, "2026-03-03T01:18").Sub(w.Clock.Now()))
				b := w.MustCreate(w.Bulk("ana", crm.ModuleContact, "2"), "k1", batch.Request{Message: "Hi"})
				_, err := w.Prepare(Ctx, Acme, b.ID)
				Must(t, err)
				m := w.Rows(b.ID)[0]
				if m.State != ledger.Waiting || !m.DueAt.Equal(inNewYork(t, "2026-03-03T09:00")) {
					t.Errorf("%s, due %v", m.State, m.DueAt)
				}
			})
		})
	}
}

// A one-to-one that is sent again at night was not asked about.
func TestOneToOneSentAgainKeepsToQuietHours(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		quietNights(w)
		w.Clock.Add(inNewYork(t, "2026-03-03T14:00").Sub(w.Clock.Now()))
		b := w.MustCreate(w.One("ana", "7", "+12125550142"), "k1", batch.Request{Message: "Hi"})
		w.Settle(ledger.Failed, w.Claim()...)
		w.Clock.Add(inNewYork(t, "2026-03-04T02:00").Sub(w.Clock.Now()))
		again, err := w.Resend(Ctx, w.One("ana", "7", "+12125550142"), b.ID, "k2", batch.ResendRequest{States: []string{ledger.Failed}})
		Must(t, err)
		_, err = w.Prepare(Ctx, Acme, again.ID)
		Must(t, err)
		if m := w.Rows(again.ID)[0]; m.State != ledger.Waiting || !m.DueAt.Equal(inNewYork(t, "2026-03-04T12:00")) { // nine where Bob lives
			t.Errorf("%s, due %v", m.State, m.DueAt)
		}
	})
}

func quietNights(w *World) {
	Must(w.T, w.DB.Tenants.SaveSettings(Ctx, Acme, models.Settings{Country: "US", RatePerMinute: 100, QuietFrom: "20:00", QuietTo: "09:00", KeepLaws: true}))
}

func inNewYork(t *testing.T, wall string) time.Time {
	t.Helper()
	loc, err := time.LoadLocation("America/New_York")
	Must(t, err)
	at, err := time.ParseInLocation("2006-01-02T15:04", wall, loc)
	Must(t, err)
	return at
}
