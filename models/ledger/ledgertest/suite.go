// Package ledgertest is the conformance suite of the ledger, for each
// database.
package ledgertest

import (
	"testing"

	"dialpad-texting/models/ledger"
	"dialpad-texting/models/seed"
)

// Run runs the suite. open returns a store over a new, migrated
// database, with the given clock.
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
	{"one-to-one texts are claimed first, then bulks in turns", claimOrder},
	{"a claim reads the current opt-out, sender, plan and connection", claimReadsFacts},
	{"a pair of numbers has one message sending", oneInFlightPerPair},
	{"after a takeover the former owner can only settle, and only forward", takeover},
	{"the mark before a request reads the opt-outs", postedReadsOptOuts},
	{"a lane is not released after an addition", releaseAfterAddition},
	{"a waiting message is queued when it is due, not before", queueWhenDue},
	{"messages settled in one statement keep their own due times", settleKeepsOwnDueTimes},
	{"a batch finishes with its last message and the counts add up", batchFinishes},
	{"one statement claims each lane's own messages", claimMany},
	{"a lane is claimed once with a lost and a present lease", claimManyTwoLeases([2]int{0, 1})},
	{"a lane is claimed once with a present and a lost lease", claimManyTwoLeases([2]int{1, 0})},
	{"a sending batch with a held message is orphaned", orphanedBatch(ledger.BatchSending, ledger.Held)},
	{"a cancelled batch with a waiting message is orphaned", orphanedBatch(ledger.BatchCancelled, ledger.Waiting)},
	{"a poll queues due one-to-one messages and returns the next due time", pollQueuesOneToOnes},
	{"a poll leaves overdue messages to the late rule", pollLeavesOverdue},
	{"a poll queues a few messages of each lane", pollQueuesFew},
	{"a bulk that becomes due during a long lease alternates", dueBulkAlternates},
	{"a batch accepts each record and each number once", recipientsOnce},
	{"a message erased while it is sending is not queued again", eraseInFlight},
	{"an erasure includes attempts and error texts", eraseRelated},
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
	{"a round applies events in any order, each text once, forward only", roundAppliesInAnyOrder},
	{"a round postpones events of unknown texts", roundPostponesUnknown},
	{"a round settles an uncertain text and finishes its batch", roundSettlesUncertain},
	{"the timeline marks the unchanged messages of a page", timelineMarksPage},
	{"retention deletes ended batches whole, and nothing open", retention},
	{"folding changes no count", folding},
	{"the backlog says what waits and since when", backlogOfAll},
}
