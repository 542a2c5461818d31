package texting

import (
	"context"
	"strings"
	"time"

	"dialpad-texting/app/market"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/queue"
)

// WarnCounts is what one look at the waiting schedules changed; Asked counts the senders to be read again at Dialpad.
type WarnCounts struct{ Warned, Cleared, Moved, Asked int }

// lookBefore is how long before its time a batch's sender is read again at Dialpad, as when the batch is made: no event
// may have come of a change.
var lookBefore = []time.Duration{24 * time.Hour, time.Hour}

const warnPage = 500

// WarnAllTenants looks whether the scheduled batches could go if it were time now, and says beforehand what will fail;
// when all is well again the warning goes. It also finds the instants that new zone rules gave to their wall times.
func (x *Texting) WarnAllTenants(ctx context.Context) (WarnCounts, error) {
	return x.lookAhead(ctx, func(after string) ([]ledger.Batch, error) {
		return x.store.Batches.ScheduledAllTenants(ctx, after, warnPage)
	})
}

// WarnTenant is the same for one tenant, as soon as something about its people has changed.
func (x *Texting) WarnTenant(ctx context.Context, tenantID string) (WarnCounts, error) {
	return x.lookAhead(ctx, func(after string) ([]ledger.Batch, error) {
		return x.store.Batches.ListByState(ctx, tenantID, []string{ledger.BatchScheduled}, after, warnPage)
	})
}

func (x *Texting) lookAhead(ctx context.Context, pageAfter func(after string) ([]ledger.Batch, error)) (n WarnCounts, err error) {
	who := map[[2]string]verdict{}
	for after := ""; ; {
		page, err := pageAfter(after)
		if err != nil {
			return n, err
		}
		for _, b := range page {
			after = b.ID
			if err := x.foresee(ctx, b, who, &n); err != nil {
				return n, err
			}
		}
		if len(page) < warnPage {
			return n, nil
		}
	}
}

func (x *Texting) foresee(ctx context.Context, b ledger.Batch, who map[[2]string]verdict, n *WarnCounts) error {
	if at, ok := wallInstant(b); ok && !at.Equal(*b.SendAt) {
		n.Moved++
		return moved(x.store.Batches.UpdateUnchanged(ctx, b, map[string]any{"send_at": at, "utc_offset": offsetAt(at, b.TimeZone)}))
	}
	key := [2]string{b.TenantID, b.SenderEmail}
	v, known := who[key]
	if !known {
		var err error
		if v.account, v.refusal, err = x.market.UserMay(ctx, b.TenantID, b.SenderEmail); err != nil {
			return err
		}
	}
	if !v.account.Stale && v.account.DialpadID != "" && v.account.CheckedAt.Before(lastLook(b, x.now())) {
		n.Asked++
		if err := x.askAgain(ctx, b.TenantID, v.account.DialpadID); err != nil {
			return err
		}
		v.account.Stale = true
	}
	who[key] = v
	warning := v.warning(b, x.now())
	if warning == b.Warning {
		return nil
	}
	if warning == "" {
		n.Cleared++
	} else {
		n.Warned++
	}
	return x.store.Batches.SetWarning(ctx, b, warning)
}

// lastLook is the last moment at which a waiting batch's sender had to be read at Dialpad.
func lastLook(b ledger.Batch, now time.Time) time.Time {
	last := b.CreatedAt
	for _, before := range lookBefore {
		if at := b.SendAt.Add(-before); at.After(last) && !at.After(now) {
			last = at
		}
	}
	return last
}

// askAgain has an account read; whoever reads it looks at the schedules then.
func (x *Texting) askAgain(ctx context.Context, tenantID, dialpadID string) error {
	return x.store.Tx(ctx, func(tx *models.Store) error {
		if err := tx.Accounts.MarkStale(ctx, tenantID, []string{dialpadID}); err != nil {
			return err
		}
		return tx.Enqueue(ctx, queue.ReadStaleAccounts{TenantID: tenantID})
	})
}

// verdict is whether somebody may text, asked once for all of that person's batches.
type verdict struct {
	account models.Account
	refusal *market.Refusal
}

// warning says what will become of a batch: "Ana's Dialpad account is suspended: this will fail on Friday."
func (v verdict) warning(b ledger.Batch, now time.Time) string {
	if v.refusal == nil {
		return ""
	}
	name := senderName(b, v.account)
	reason, fate := firstOf(v.refusal.Reason, v.refusal.Message), "be held"
	if v.refusal.Code == market.CodeNoAccount {
		fate = "fail"
		reason = strings.NewReplacer(market.NoAccountMessage, name+" has no Dialpad account",
			"The Dialpad account", name+"'s Dialpad account", "The Dialpad invitation", name+"'s Dialpad invitation").Replace(reason)
	}
	return strings.TrimSuffix(reason, ".") + ": this will " + fate + " " + dayOf(*b.SendAt, now, b.TimeZone) + "."
}

// senderName is what people call whoever the batch is sent from: who asked for it, unless an admin chose another.
func senderName(b ledger.Batch, a models.Account) string {
	name := b.UserName
	if models.FoldEmail(b.UserEmail) != b.SenderEmail {
		name = a.Name
	}
	if first, _, _ := strings.Cut(strings.TrimSpace(name), " "); first != "" {
		return first
	}
	return b.SenderEmail
}

// dayOf names the day of an instant as people do, seen from now: today, tomorrow, on Friday, on March 27.
func dayOf(at, now time.Time, zone string) string {
	loc, err := time.LoadLocation(zone)
	if err != nil {
		loc = time.UTC
	}
	at, now = at.In(loc), now.In(loc)
	midnight := func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC) }
	switch days := int(midnight(at).Sub(midnight(now)).Hours() / 24); {
	case days <= 0:
		return "today"
	case days == 1:
		return "tomorrow"
	case days < 7:
		return "on " + at.Format("Monday")
	case at.Year() != now.Year():
		return "on " + at.Format("January 2, 2006")
	}
	return "on " + at.Format("January 2")
}
