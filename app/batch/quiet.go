package batch

import (
	"cmp"
	"time"

	"dialpad-texting/app/apierror"
	"dialpad-texting/app/audience"
	"dialpad-texting/app/hours"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

const codeQuiet = "quiet_hours"

// QuietChoice is an answer to the question whether a one-to-one goes
// out in quiet hours: the request again, with this move_quiet.
type QuietChoice struct {
	Label     string    `json:"label"`
	MoveQuiet bool      `json:"move_quiet"`
	At        time.Time `json:"at"`
}

// setMoveQuiet keeps bulks to quiet hours unless the request says
// otherwise. A one-to-one is asked about: see askInQuietHours.
func setMoveQuiet(b *ledger.Batch, asked *bool) {
	b.DeferInQuietHours = b.Source == ledger.SourceBulk
	if asked != nil {
		b.DeferInQuietHours = *asked
	}
}

// askInQuietHours refuses a one-to-one that would go out now, in its
// recipient's quiet hours, with a question and its choices. r is nil
// while the CRM does not answer.
func askInQuietHours(t models.Tenant, b ledger.Batch, r *audience.Recipient, now time.Time) error {
	zone, name := "", ""
	if r != nil {
		zone, name = r.TimeZone, r.Name
	}
	zone = hours.Zone(zone, b.ToNumber, t.TimeZone)
	opens := audience.HoursOf(t).Next(now, hours.Recipient{Number: b.ToNumber, Zone: zone}).Opens
	if !opens.After(now) {
		return nil
	}
	name = cmp.Or(firstName(name), "them")
	here, then := hours.Local(now, zone), hours.Local(opens, zone)
	at := then.Format("15:04")
	if opens.Sub(now) > 24*time.Hour {
		at += " on " + then.Format("Monday")
	}
	return &apierror.Error{Code: codeQuiet, Message: "It is " + here.Format("15:04") + " for " + name + ": send now or at " + at + "?",
		Details: map[string]any{"choices": []QuietChoice{
			{Label: "Send now", MoveQuiet: false, At: now.UTC()},
			{Label: "Send at " + at, MoveQuiet: true, At: opens.UTC()},
		}, "name": name, "time_zone": zone}}
}
