package delivery

import (
	"context"

	"dialpad-texting/app/connection"
	"dialpad-texting/app/eligibility"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

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
	senders := senderReader{l}
	reads := senders.readSenders(ctx, claimed)
	l.unread = false
	for _, c := range claimed {
		if refusal := l.eligibility(c); refusal != nil {
			l.refuse(ctx, c, refusal)
			continue
		}
		s, isRead := senders.senderOf(c, reads)
		switch {
		case !isRead:
			senders.giveBack(c, reads[senderKey{c.SenderID, c.SenderUserID}])
		case s.unreachable:
			l.unread = true
			l.settle(c, waiting(l.e.cfg.Now().Add(readBackoff), "dialpad_unreachable", wordsUnreachable))
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

// readSenders reads the senders that the claim did not find up to date, all
// together, and waits a moment for them.
func (l senderReader) readSenders(ctx context.Context, claimed []ledger.ClaimedMessage) map[senderKey]*senderRead {
	var reads map[senderKey]*senderRead
	for _, c := range claimed {
		key := senderKey{c.SenderID, c.SenderUserID}
		if l.isKnown(c) || reads[key] != nil || l.eligibility(c) != nil {
			continue
		}
		if reads == nil {
			reads = map[senderKey]*senderRead{}
		}
		reads[key] = l.startReading(c)
	}
	if len(reads) > 0 {
		l.waitForSenders(ctx, reads)
	}
	return reads
}

// isKnown reports whether the claim found all that is needed of a sender.
func (l senderReader) isKnown(c ledger.ClaimedMessage) bool {
	a := models.Account{State: c.SenderState, Number: c.SenderNumber}
	return isFresh(c, l.e.cfg.Now()) && (c.SenderMatches || !a.CanText())
}

// senderOf returns a text's sender, and false while it is being read.
func (l senderReader) senderOf(c ledger.ClaimedMessage, reads map[senderKey]*senderRead) (sender, bool) {
	if r := reads[senderKey{c.SenderID, c.SenderUserID}]; r != nil {
		if !r.isDone() {
			return sender{}, false
		}
		return r.sender, true
	}
	a := models.Account{State: c.SenderState, Number: c.SenderNumber}
	return sender{canText: a.CanText(), matches: c.SenderMatches, number: a.Number}, true
}

// giveBack queues a text again whose sender is still being read: neither a
// permit nor the texts of other senders wait for that.
func (l senderReader) giveBack(c ledger.ClaimedMessage, r *senderRead) {
	l.unread = true
	now := l.e.cfg.Now()
	l.settle(c, waiting(now.Add(r.delay(now)), "", ""))
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
