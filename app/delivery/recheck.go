package delivery

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"dialpad-texting/app/connection"
	"dialpad-texting/app/eligibility"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// senderMaxAge is how old the known state of a sender may be
// when a text goes out. Dialpad has no event for a deactivation.
const senderMaxAge = 10 * time.Minute

// userTimeout bounds how long a lane waits for the CRM's users.
const userTimeout = 3 * time.Second

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
		s := senders[senderKey{c.SenderID, c.SenderUserID}]
		switch {
		case s.unreachable:
			l.requeueUnreachable(c)
		case !s.canText || !s.matches:
			l.fail(c, "no_account", wordsNoAccount)
		case c.Suppressed:
			l.fail(c, "opted_out", optedOutWords(c.Source))
		case l.takeBackIfQuiet(c):
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
		return eligibility.NotConnected(ledger.HeldOtherCompany, connection.OtherCompanyReason)
	}
	return refusal
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
	matches              bool // the account is that of the CRM user's present e-mail
	reread               bool // Dialpad was asked since the claim
	number               string
}

// senderReader reads what is known of a text's sender.
type senderReader struct{ *lane }

// senderKey is a text's account and the CRM user who sends from it.
type senderKey struct{ accountID, userID string }

// senderConcurrency is how many senders are read at once.
const senderConcurrency = 32

// readSenders returns the state of each text's sender. Stale ones
// are read from Dialpad together, not one after another.
func readSenders(ctx context.Context, l *lane, claimed []ledger.ClaimedMessage) map[senderKey]sender {
	senders := map[senderKey]sender{}
	var mu sync.Mutex
	var g errgroup.Group
	g.SetLimit(senderConcurrency)
	for _, c := range claimed {
		key := senderKey{c.SenderID, c.SenderUserID}
		mu.Lock()
		_, known := senders[key]
		if !known {
			senders[key] = sender{unreachable: true} // until it is read
		}
		mu.Unlock()
		if known || l.eligibility(c) != nil {
			continue
		}
		g.Go(func() error {
			reader := senderReader{l}
			s := reader.read(ctx, c)
			if s.canText {
				s.matches, s.unreachable = reader.matches(ctx, c, s)
			}
			mu.Lock()
			senders[key] = s
			mu.Unlock()
			return nil
		})
	}
	_ = g.Wait()
	return senders
}

// matches reports whether a text's account is still that of the CRM
// user who sends. Where it is not, as far as we know, the user is read
// again: the e-mail may have changed in the CRM and in Dialpad alike. What
// the claim said is old where the account was read since.
func (l senderReader) matches(ctx context.Context, c ledger.ClaimedMessage, s sender) (matches, unreachable bool) {
	if c.SenderMatches && !s.reread {
		return true, false
	}
	ctx, cancel := context.WithTimeout(ctx, userTimeout)
	defer cancel()
	if !s.reread { // there may have been no event for a new e-mail
		if _, err := l.e.accounts.Fresh(ctx, l.TenantID, c.SenderID, 0); err != nil {
			l.e.cfg.Log.Warn("read sender with another e-mail failed", "tenant", l.TenantID, "err", err)
		}
	}
	_, account, _, err := l.e.eligible.CheckSender(ctx, l.TenantID, c.SenderUserID)
	if err != nil {
		l.e.cfg.Log.Warn("read the CRM user before a text failed", "tenant", l.TenantID, "err", err)
		l.throttle.notBefore(l.e.cfg.Now().Add(readBackoff))
		return false, true
	}
	return account.DialpadID != "" && account.DialpadID == c.SenderID, false
}

// read returns what is known of a text's
// sender, and asks Dialpad if that is old.
func (l senderReader) read(ctx context.Context, c ledger.ClaimedMessage) sender {
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
	return sender{canText: a.CanText(), number: a.Number, reread: true}
}
