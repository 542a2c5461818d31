package delivery

import (
	"context"
	"time"

	"dialpad-texting/app/hours"
	"dialpad-texting/models/ledger"
)

// rescheduleQuiet gives a new window to the queued texts whose recipient's
// quiet hours have begun. A long bulk or an outage may bring a text's
// turn at night: it waits for the morning, unclaimed.
func (l *lane) rescheduleQuiet(ctx context.Context, now time.Time) error {
	t, err := l.e.store.Tenants.Get(ctx, l.TenantID)
	if err != nil {
		return err
	}
	texts, err := l.e.store.Lanes.QueuedQuiet(ctx, l.Lane, maxPromote)
	if err != nil {
		return err
	}
	policy := hours.Policy{From: t.QuietFrom, To: t.QuietTo, Laws: t.KeepLaws}
	windows := make([]ledger.Window, len(texts))
	for i, m := range texts {
		w := policy.Next(now, hours.Recipient{Number: m.ToNumber, Zone: m.QuietZone})
		windows[i] = ledger.Window{MessageID: m.ID, QuietAt: w.Closes}
		if w.Opens.After(now) {
			windows[i].DueAt = w.Opens
		}
	}
	return l.e.store.Lanes.SetWindows(ctx, l.Lane, windows)
}

// takeBackIfQuiet takes a text back whose recipient's quiet hours
// began between its claim and now.
func (l *lane) takeBackIfQuiet(c ledger.ClaimedMessage) bool {
	now := l.e.cfg.Now().UTC()
	if !isDue(c.QuietAt, now) {
		return false
	}
	l.settle(c, ledger.Outcome{State: ledger.Waiting, Code: ledger.CodeQuiet, DueAt: &now}) // the next poll finds the time
	return true
}
