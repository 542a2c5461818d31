package delivery

import (
	"context"
	"time"

	"dialpad-texting/app/eligibility"
	"dialpad-texting/models/ledger"
)

// refuse settles a text whose tenant may not text now. One from an automation
// fails. One from a person is held together with the tenant's open batches, so
// that their texts need not be claimed one by one.
func (l *lane) refuse(ctx context.Context, c ledger.ClaimedMessage, r *eligibility.Refusal) {
	if c.Source == ledger.SourceAutomation {
		l.fail(c, r.Code, r.Message)
		return
	}
	l.settle(c, ledger.Outcome{State: ledger.Held, Code: r.Code, Text: r.Message})
	if _, err := l.e.store.Batches.Hold(ctx, l.TenantID, "", r.HeldCode, r.Message); err != nil {
		l.e.cfg.Log.Error("hold batches failed", "tenant", l.TenantID, "err", err)
	}
}

func (l *lane) fail(c ledger.ClaimedMessage, code, words string) {
	l.settle(c, ledger.Outcome{State: ledger.Failed, Code: code, Text: words})
}

// requeue puts a text that Dialpad did not accept
// back into the queue, for the lane's next slot.
func (l *lane) requeue(c ledger.ClaimedMessage, code, words string) {
	l.settle(c, waiting(l.throttle.nextSlot(l.e.cfg.Now()), code, words))
}

// waiting is the outcome of a text that goes back to the queue and is due at
// due. Without a code there was no attempt.
func waiting(due time.Time, code, words string) ledger.Outcome {
	return ledger.Outcome{State: ledger.Waiting, Code: code, Text: words, DueAt: &due}
}

const (
	wordsUnreachable = "Dialpad is not answering. Try again in a few minutes."
	wordsRateLimited = "Dialpad's limit was reached; this text waits its turn"
)

// requeueUnreachable is requeue for when Dialpad, or the way there, fails.
func (l *lane) requeueUnreachable(c ledger.ClaimedMessage) {
	l.requeue(c, "dialpad_unreachable", wordsUnreachable)
}

// settle hands an outcome to the settler, which writes it.
func (l *lane) settle(c ledger.ClaimedMessage, o ledger.Outcome) {
	o.ID, o.Attempt, o.CallbackID = c.ID, c.Attempt, c.CallbackID
	l.e.settler.gatherer.In <- outcome{o, l.settled}
}

// settled notes that an outcome is written, or can't be. In that
// case its text is still sending, though it may have gone out.
func (l *lane) settled(o ledger.Outcome, written bool) {
	if !written {
		l.unwritten.Store(true)
	}
	if o.State == ledger.Waiting {
		l.requeued.Store(true)
	}
	l.e.count.add(o)
	l.open.Add(-1)
}
