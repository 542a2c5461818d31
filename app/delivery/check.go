package delivery

import (
	"context"
	"time"

	"dialpad-texting/app/compose"
	"dialpad-texting/app/market"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// freshFor is how old what we know of a sender may be when a text goes out. Dialpad has no event for a deactivation.
const freshFor = 10 * time.Minute

// The words of contract section 5.
const (
	wordsNoAccount  = "No Dialpad account found"
	wordsOptedOut   = "Unsubscribed from Text"
	wordsOptedOutAt = "Text Unsubscribed" // from an automation
)

// check asks again, at the last moment, whether each claimed text may go: plan, installation, connection, sender,
// opt-out. (That its batch was not paused, held or cancelled is the claim's own condition.) What may not is settled.
func (l *lane) check(ctx context.Context, claimed []ledger.ClaimedMessage) []ledger.ClaimedMessage {
	fits := make([]ledger.ClaimedMessage, 0, len(claimed))
	senders := map[string]sender{}
	for _, c := range claimed {
		refusal := l.e.market.Judge(market.Facts{Plan: c.Plan, InstallState: c.InstallState,
			ConnectionState: c.ConnectionState, Ready: c.ConnectionReady})
		if refusal == nil && c.CompanyID != l.ID {
			// Queued for the company that was connected before: its people are not this one's.
			refusal = market.NotConnected(ledger.HeldCompany, market.OtherCompanyReason)
		}
		if refusal != nil {
			l.refuse(ctx, c, refusal)
			continue
		}
		s, ok := senders[c.SenderID]
		if !ok {
			s = l.sender(ctx, c)
			senders[c.SenderID] = s
		}
		switch {
		case s.unreachable:
			l.laterUnreachable(c)
		case !s.canText || !c.SenderMatches:
			l.fail(c, "no_account", wordsNoAccount)
		case c.Suppressed:
			l.fail(c, "opted_out", optedOutWords(c.Source))
		case l.untilMorning(c):
		default:
			c.FromNumber = s.number
			fits = append(fits, c)
		}
	}
	return fits
}

// untilMorning takes a text back whose recipient has quiet hours by now: a long bulk or an outage may bring it to its turn
// at night.
func (l *lane) untilMorning(c ledger.ClaimedMessage) bool {
	until := compose.QuietUntil(l.e.cfg.Now(), c.QuietZone, c.QuietFrom, c.QuietTo)
	if until.IsZero() {
		return false
	}
	until = until.UTC()
	l.settle(c, ledger.Outcome{State: ledger.Waiting, Code: "quiet_hours", Text: "Waits for the end of the quiet hours", DueAt: &until})
	return true
}

func optedOutWords(source string) string {
	if source == ledger.SourceAutomation {
		return wordsOptedOutAt
	}
	return wordsOptedOut
}

// sender is what is known of a sender at the moment of sending.
type sender struct {
	canText, unreachable bool
	number               string
}

func (l *lane) sender(ctx context.Context, c ledger.ClaimedMessage) sender {
	now := l.e.cfg.Now()
	known := c.SenderCheckedAt != nil && !c.SenderStale && now.Sub(*c.SenderCheckedAt) < freshFor
	if known {
		a := models.Account{State: c.SenderState, Number: c.SenderNumber}
		return sender{canText: a.CanText(), number: a.Number}
	}
	a, err := l.e.accounts.Fresh(ctx, l.TenantID, c.SenderID, freshFor)
	if err != nil {
		l.e.cfg.Log.Warn("a sender could not be read before a text", "tenant", l.TenantID, "err", err)
		l.mu.Lock()
		l.pace.notBefore(now.Add(5 * time.Second))
		l.mu.Unlock()
		return sender{unreachable: true}
	}
	return sender{canText: a.CanText(), number: a.Number}
}

// refuse settles a text whose tenant may not text now: an automation's fails at once, a person's is held with all
// the open batches of the tenant, so that the rest need not come this far one by one.
func (l *lane) refuse(ctx context.Context, c ledger.ClaimedMessage, r *market.Refusal) {
	if c.Source == ledger.SourceAutomation {
		l.fail(c, r.Code, r.Message)
		return
	}
	l.settle(c, ledger.Outcome{State: ledger.Held, Code: r.Code, Text: r.Message})
	if _, err := l.e.store.Batches.Hold(ctx, l.TenantID, "", r.Held, r.Message); err != nil {
		l.e.cfg.Log.Error("holding a tenant's batches failed", "tenant", l.TenantID, "err", err)
	}
}

func (l *lane) fail(c ledger.ClaimedMessage, code, words string) {
	l.settle(c, ledger.Outcome{State: ledger.Failed, Code: code, Text: words})
}

// later takes a text that was surely not accepted back into the queue, for the lane's next slot.
func (l *lane) later(c ledger.ClaimedMessage, code, words string) {
	l.mu.Lock()
	due := l.pace.slot
	l.mu.Unlock()
	if now := l.e.cfg.Now(); due.Before(now) {
		due = now
	}
	l.settle(c, ledger.Outcome{State: ledger.Waiting, Code: code, Text: words, DueAt: &due})
}

// laterUnreachable does that where it is Dialpad, or the way there, that fails.
func (l *lane) laterUnreachable(c ledger.ClaimedMessage) {
	l.later(c, "dialpad_unreachable", "Dialpad is not answering. Try again in a few minutes.")
}

func (l *lane) settle(c ledger.ClaimedMessage, o ledger.Outcome) {
	o.ID, o.Attempt, o.CallbackID = c.ID, c.Attempt, c.CallbackID
	l.e.settler.in <- outcome{o, l.durable}
}

// durable notes that an outcome is written, or never will be: then its text is still sending, though it may have gone.
func (l *lane) durable(o ledger.Outcome, written bool) {
	if !written {
		l.unwritten.Store(true)
	}
	if o.State == ledger.Waiting {
		l.requeued.Store(true)
	}
	l.e.counted(o)
	l.open.Add(-1)
}
