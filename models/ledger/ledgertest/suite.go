// Package ledgertest is the suite that each database must pass to hold a ledger.
package ledgertest

import (
	"testing"

	"dialpad-texting/models/ledger"
	"dialpad-texting/models/seed"
)

// Run runs the suite. open returns a store over a fresh, migrated database, by
// a clock that the tests move.
func Run(t *testing.T, open func(t *testing.T, clock *seed.Clock) *seed.DB) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			clock := seed.NewClock()
			c.run(t, open(t, clock), clock)
		})
	}
}

var cases = []struct {
	name string
	run  func(t *testing.T, db *seed.DB, clock *seed.Clock)
}{
	{"one-to-one texts are claimed first, then bulks in turns", claimInOrder},
	{"a claim reads the opt-out, sender, plan and connection of that moment", claimReadsFacts},
	{"a pair of numbers has one request in flight", oneInFlightPerPair},
	{"after a takeover the former owner can only settle, and only forward", takeover},
	{"a lane is not released when something was added", releaseAfterAddition},
	{"a waiting text is queued when it is due, not before", queueWhenDue},
	{"texts requeued in one statement keep their own due times", requeuedAtOwnTime},
	{"counts add up and a batch ends with its last text", batchEnds},
	{"many lanes claim in one statement, each its own texts", claimMany},
	{"a lane asked for with an old and a new lease is claimed once", claimManyOldLease([2]int{0, 1})},
	{"the same with the new lease first", claimManyOldLease([2]int{1, 0})},
	{"a held text of a batch that is sending is found", orphanedBatch(ledger.BatchSending, ledger.Held)},
	{"a waiting text of a cancelled batch is found", orphanedBatch(ledger.BatchCancelled, ledger.Waiting)},
	{"a poll queues due one-to-one texts and returns the next due moment", pollQueuesOneToOnes},
	{"a poll leaves overdue texts to the late rule", pollLeavesLate},
	{"a poll queues a few texts of each lane", pollQueuesFew},
	{"a bulk that becomes due during a long lease takes turns", dueBulkTakesTurns},
	{"a batch takes each record and each number once", recipientsOnce},
	{"who is erased while a text is in flight gets no second attempt", eraseInFlight},
	{"an erasure reaches attempts and error texts", eraseRelated},
	{"a held batch is not claimed until it is released", holdStopsClaims},
	{"a hold overrides a weaker code, not a stronger one", holdOverridesWeakerCode},
	{"held messages are requeued once, with the new sender", requeueChangesSender},
	{"a requeued message keeps its due time", requeueKeepsDueTime},
	{"uncertain messages of a pair are found by the time of their claim", uncertainOfPair},
	{"an event changes a message forward only", eventMovesForward},
	{"a stalled automation call is enqueued again, unless its message is open", enqueueStalledCallbacks},
	{"a text in quiet hours is not claimed and has no attempt", quietUnclaimed},
	{"new hours give open texts a new window", quietReviewed},
	{"the sender is the CRM user, by the present e-mail", senderIsTheUser},
	{"a message is taken for resending once, or again after its new batch was cancelled", resendOnce},
}
