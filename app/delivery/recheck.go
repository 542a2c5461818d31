package delivery

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"dialpad-texting/app/compose"
	"dialpad-texting/app/connection"
	"dialpad-texting/app/eligibility"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// senderMaxAge is how old the known state of a sender may be
// when a text goes out. Dialpad has no event for a deactivation.
const senderMaxAge = 10 * time.Minute

// The words of contract section 5.
const (
	wordsNoAccount          = "No Dialpad account found"
	wordsOptedOut           = "Unsubscribed from Text"
	wordsOptedOutAutomation = "Text Unsubscribed"
)

// recheck decides right before the POST whether each claimed text may
// go: plan, installation, connection, sender, opt-out, quiet hours.
// It returns those that may and settles the others. (The claim itself
// leaves out batches that are paused, held or cancelled.)
func (l *lane) recheck(ctx context.Context, claimed []ledger.ClaimedMessage) []ledger.ClaimedMessage {
	passed := make([]ledger.ClaimedMessage, 0, len(claimed))
	senders := readSenders(ctx, l, claimed)
	for _, c := range claimed {
		if refusal := l.eligibility(c); refusal != nil {
			l.refuse(ctx, c, refusal)
			continue
		}
		s := senders[c.SenderID]
		switch {
		case s.unreachable:
			l.requeueUnreachable(c)
		case !s.canText || !c.SenderMatches:
			l.fail(c, "no_account", wordsNoAccount)
		case c.Suppressed:
			l.fail(c, "opted_out", optedOutWords(c.Source))
		case l.deferForQuietHours(c):
		default:
			c.FromNumber = s.number
			passed = append(passed, c)
		}
	}
	return passed
}

// eligibility returns why the text's tenant may not text now, nil if it may.
func (l *lane) eligibility(c ledger.ClaimedMessage) *eligibility.Refusal {
	refusal := l.e.eligible.Check(eligibility.Facts{Plan: c.Plan, InstallState: c.InstallState,
		ConnectionState: c.ConnectionState, Ready: c.ConnectionReady})
	if refusal == nil && c.CompanyID != l.ID {
		// Queued for the company that was connected
		// before: its people are not this one's.
		return eligibility.NotConnected(ledger.HeldCompany, connection.OtherCompanyReason)
	}
	return refusal
}

// deferForQuietHours takes a text back whose recipient has quiet
// hours now. A long bulk or an outage may bring its turn at night.
func (l *lane) deferForQuietHours(c ledger.ClaimedMessage) bool {
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
		return wordsOptedOutAutomation
	}
	return wordsOptedOut
}

// sender is the state of a text's sender right before the POST.
type sender struct {
	canText, unreachable bool
	number               string
}

// senderConcurrency is how many senders are read at once.
const senderConcurrency = 32

// readSenders returns the state of each text's sender. Stale ones
// are read from Dialpad together, not one after another.
func readSenders(ctx context.Context, l *lane, claimed []ledger.ClaimedMessage) map[string]sender {
	senders := map[string]sender{}
	var mu sync.Mutex
	var g errgroup.Group
	g.SetLimit(senderConcurrency)
	for _, c := range claimed {
		mu.Lock()
		_, known := senders[c.SenderID]
		if !known {
			senders[c.SenderID] = sender{unreachable: true} // until it is read
		}
		mu.Unlock()
		if known || l.eligibility(c) != nil {
			continue
		}
		g.Go(func() error {
			s := l.readSender(ctx, c)
			mu.Lock()
			senders[c.SenderID] = s
			mu.Unlock()
			return nil
		})
	}
	_ = g.Wait()
	return senders
}

// readSender returns what is known of a text's
// sender, and asks Dialpad if that is old.
func (l *lane) readSender(ctx context.Context, c ledger.ClaimedMessage) sender {
	now := l.e.cfg.Now()
	isFresh := c.SenderCheckedAt != nil && !c.SenderStale && now.Sub(*c.SenderCheckedAt) < senderMaxAge
	if isFresh {
		a := models.Account{State: c.SenderState, Number: c.SenderNumber}
		return sender{canText: a.CanText(), number: a.Number}
	}
	a, err := l.e.accounts.Fresh(ctx, l.TenantID, c.SenderID, senderMaxAge)
	if err != nil {
		l.e.cfg.Log.Warn("read sender before a text failed", "tenant", l.TenantID, "err", err)
		l.throttle.notBefore(now.Add(readBackoff))
		return sender{unreachable: true}
	}
	return sender{canText: a.CanText(), number: a.Number}
}
