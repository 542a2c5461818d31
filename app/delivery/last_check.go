package delivery

import (
	"time"

	"dialpad-texting/models/ledger"
)

const (
	// checkWait is how long a text's last check waits
	// for those of other texts, to be one statement.
	checkWait = 2 * time.Millisecond
	// maxReviewAge is how long a text waits for
	// somebody to decide about its recipient.
	maxReviewAge = 7 * 24 * time.Hour
	// A waiting text is looked at again after as long
	// as its review is old. A decision releases it at once.
	minReviewDelay = 15 * time.Minute
	maxReviewDelay = 24 * time.Hour
)

const (
	wordsReview        = "May want no more texts: waits until somebody decides"
	wordsReviewExpired = "May want no more texts, and nobody decided within seven days"
)

// mayText marks a text as posted and reads the opt-outs again, as the last step
// before the POST: the recheck and its requests take time, and a STOP may have
// come. It settles a text that may not go. When the database does not answer,
// the text waits: it never goes out unmarked or unchecked.
func (e *Engine) mayText(l *lane, c ledger.ClaimedMessage) bool {
	check, err := e.checks.Ask(ledger.PostRef{ID: c.ID, Attempt: c.Attempt})
	switch {
	case err != nil:
		e.cfg.Log.Error("mark text before its request failed", "tenant", l.TenantID, "message", c.ID, "err", err)
		l.requeue(c, "opt_outs_unread", "The opt-outs could not be read; this text is tried again")
	case !check.Owned:
		e.cfg.Log.Info("text left to the lane's next owner", "tenant", l.TenantID, "message", c.ID)
		l.open.Add(-1)
	case check.Suppressed:
		l.fail(c, "opted_out", optedOutWords(c.Source))
	case check.ReviewSince != nil && c.Source != ledger.SourceOneToOne:
		l.settle(c, reviewOutcome(e.cfg.Now(), *check.ReviewSince))
	default:
		return true
	}
	return false
}

// reviewOutcome takes a text back until somebody decides whether its
// recipient opted out. A person who writes one-to-one was asked before.
func reviewOutcome(now, since time.Time) ledger.Outcome {
	age := now.Sub(since)
	if age > maxReviewAge {
		return ledger.Outcome{State: ledger.Failed, Code: ledger.CodeReview, Text: wordsReviewExpired}
	}
	due := now.Add(min(max(age, minReviewDelay), maxReviewDelay)).UTC()
	return ledger.Outcome{State: ledger.Waiting, Code: ledger.CodeReview, Text: wordsReview, DueAt: &due}
}
