package ledgertest

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"dialpad-texting/models/ledger"
	"dialpad-texting/models/seed"
)

// backlogOfAll follows two texts of a lane through their life.
func backlogOfAll(t *testing.T, db *seed.DB, clock *seed.Clock) {
	ctx, began := context.Background(), clock.Now()
	check := func(when string, want ledger.Backlog) {
		t.Helper()
		clock.Add(time.Second)
		got, err := db.BacklogAllTenants(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateApproxTime(0)); diff != "" {
			t.Errorf("%s: %s", when, diff)
		}
	}
	at := func(seconds int) *time.Time { t := began.Add(time.Duration(seconds) * time.Second); return &t }
	acme := seedAcme(db)
	check("with nothing to do", ledger.Backlog{})
	acme.Batch("b1", ledger.ClassBulk, "1", "ana@acme.com", 2)
	check("without a worker", ledger.Backlog{DueLanes: 1, DueSince: at(1), QueuedSince: at(1), LateSince: at(1)})
	l := acquire(t, db, "w1")
	check("with a worker", ledger.Backlog{QueuedSince: at(1), LateSince: at(1)})
	first := claim(t, db, l, ledger.ClaimParams{N: 1, Interval: time.Minute})[0]
	check("before the next slot", ledger.Backlog{QueuedSince: at(1)})
	settleOutcome(t, db, ledger.Outcome{ID: first.ID, Attempt: 1, State: ledger.Uncertain})
	second := claim(t, db, l, ledger.ClaimParams{N: 1, Interval: time.Minute})[0]
	settle(t, db, second, ledger.Sent)
	check("with one uncertain", ledger.Backlog{Uncertain: 1, Timeline: 2, TimelineSince: at(4)})
	if _, err := db.SaveEvent(ctx, ledger.WebhookEvent{TenantID: "t_9", Kind: ledger.EventSMS, Direction: "inbound", BodyHash: "h"}); err != nil {
		t.Fatal(err)
	}
	check("with an event of a job", ledger.Backlog{Uncertain: 1, OtherEvents: 1, OtherEventsSince: at(5), Timeline: 2, TimelineSince: at(4)})
}
