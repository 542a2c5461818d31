package ledgertest

import (
	"context"
	"testing"
	"time"

	"dialpad-texting/models/ledger"
	"dialpad-texting/models/seed"
)

func enqueueStalledCallbacks(t *testing.T, db *seed.DB, clock *seed.Clock) {
	ctx := context.Background()
	m := seedAcme(db).Batch("b1", ledger.ClassAutomation, "1", "ana@acme.com", 1)[0]
	call := ledger.Callback{TenantID: "t_9", CallbackID: "cb1", MessageID: m.ID, WorkflowID: "w1"}
	for _, want := range []bool{true, false} {
		stored, created, err := db.Callbacks.Accept(ctx, call)
		if err != nil || created != want || stored.MessageID != m.ID {
			t.Fatalf("accept: created %t with message %q, %v; want %t", created, stored.MessageID, err, want)
		}
	}
	check := func(what string, want int) {
		t.Helper()
		n, err := db.Callbacks.EnqueueStalledAllTenants(ctx, clock.Now().Add(-time.Minute), clock.Now().Add(-time.Hour), 10)
		if err != nil || n != want {
			t.Errorf("%s: enqueued %d calls, %v; want %d", what, n, err, want)
		}
	}
	check("a new call", 0)
	clock.Add(2 * time.Minute)
	check("a stalled call", 1)
	check("a call that was just enqueued", 0)
	sending := map[string]any{"state": ledger.CallbackSending}
	if err := db.Callbacks.Update(ctx, "t_9", "cb1", []string{ledger.CallbackAccepted}, sending); err != nil {
		t.Fatal(err)
	}
	clock.Add(2 * time.Minute)
	check("a call whose message is queued", 0)
	makeUncertain(t, db, acquire(t, db, "w1"))
	clock.Add(2 * time.Minute)
	check("a call whose message is uncertain", 0)
	clock.Add(time.Hour)
	check("a call whose message has been uncertain for an hour", 1)
}
