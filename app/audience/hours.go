package audience

import (
	"time"

	"dialpad-texting/app/hours"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// HoursOf is when a tenant texts.
func HoursOf(t models.Tenant) hours.Policy {
	return hours.Policy{From: t.QuietFrom, To: t.QuietTo, Laws: t.KeepLaws}
}

// KeepQuietHours lets a queued message wait, if at falls into its
// recipient's quiet hours, and stores when the next ones begin. zone
// is the record's time zone, as the CRM writes it.
func KeepQuietHours(m *ledger.Message, t models.Tenant, zone string, at time.Time) {
	m.QuietZone = hours.Zone(zone, m.ToNumber, t.TimeZone)
	w := HoursOf(t).Next(at, hours.Recipient{Number: m.ToNumber, Zone: m.QuietZone})
	if !w.Closes.IsZero() {
		closes := w.Closes.UTC()
		m.QuietAt = &closes
	}
	switch {
	case !w.Opens.After(at):
	case m.State == ledger.Held: // gets its window when it is released
		m.QuietAt = &at
	default:
		opens := w.Opens.UTC()
		m.DueAt, m.State, m.ErrorCode, m.ErrorText = &opens, ledger.Waiting, ledger.CodeQuiet, ledger.QuietWords
	}
}
