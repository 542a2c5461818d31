package ledgertest

import (
	"context"
	"testing"
	"time"

	"dialpad-texting/models/ledger"
	"dialpad-texting/models/seed"
)

// acmeNumber is the number of the account that seedAcme creates.
const acmeNumber = "+14155550100"

// seedAcme creates the tenant "t_9" with the lane "c9" and the account
// "1".
func seedAcme(db *seed.DB) *seed.Tenant {
	return db.Tenant("t_9").Connected("c9").Account("1", "ana@acme.com", acmeNumber)
}

// acquire leases all due lanes, which must be one.
func acquire(t *testing.T, db *seed.DB, owner string) ledger.Lane {
	t.Helper()
	lanes, err := db.Lanes.AcquireAllTenants(context.Background(), owner, 10*time.Second, 0, 10)
	if err != nil || len(lanes) != 1 {
		t.Fatalf("acquired %d lanes, %v; want 1", len(lanes), err)
	}
	return lanes[0]
}

// acquireByID leases all due lanes and returns one of them.
func acquireByID(t *testing.T, db *seed.DB, id string) ledger.Lane {
	t.Helper()
	lanes, err := db.Lanes.AcquireAllTenants(context.Background(), "w1", 10*time.Second, 0, 10)
	if err != nil {
		t.Fatalf("acquire lanes: %v", err)
	}
	for _, l := range lanes {
		if l.ID == id {
			return l
		}
	}
	t.Fatalf("lane %s is not due", id)
	return ledger.Lane{}
}

func claim(t *testing.T, db *seed.DB, l ledger.Lane, size ledger.ClaimParams) []ledger.ClaimedMessage {
	t.Helper()
	size.Base = db.Now()
	claimed, _, err := db.Lanes.Claim(context.Background(), l, size)
	if err != nil {
		t.Fatalf("claim: %v", err)
	}
	return claimed
}

// markPosted marks messages as posted.
func markPosted(t *testing.T, db *seed.DB, messages ...ledger.ClaimedMessage) []ledger.PostCheck {
	t.Helper()
	refs := make([]ledger.PostRef, len(messages))
	for i, m := range messages {
		refs[i] = ledger.PostRef{ID: m.ID, Attempt: m.Attempt}
	}
	checks, err := db.Messages.MarkPostedAllTenants(context.Background(), refs)
	if err != nil {
		t.Fatalf("mark as posted: %v", err)
	}
	return checks
}

// settle settles a message and returns how many messages changed.
func settle(t *testing.T, db *seed.DB, c ledger.ClaimedMessage, state string) int {
	t.Helper()
	return settleOutcome(t, db, ledger.Outcome{ID: c.ID, Attempt: c.Attempt, State: state, DialpadID: "d-" + c.ID})
}

func settleOutcome(t *testing.T, db *seed.DB, o ledger.Outcome) int {
	t.Helper()
	changed, err := db.Settle(context.Background(), []ledger.Outcome{o})
	if err != nil {
		t.Fatalf("settle: %v", err)
	}
	if err := db.FollowUp(context.Background(), changed); err != nil {
		t.Fatalf("follow up: %v", err)
	}
	return len(changed)
}

func getMessage(t *testing.T, db *seed.DB, id string) ledger.Message {
	t.Helper()
	m, err := db.Messages.Get(context.Background(), "t_9", "", id)
	if err != nil {
		t.Fatalf("get message %s: %v", id, err)
	}
	return m
}

func getBatch(t *testing.T, db *seed.DB, id string) ledger.Batch {
	t.Helper()
	b, err := db.Batches.Get(context.Background(), "t_9", "", id)
	if err != nil {
		t.Fatalf("get batch %s: %v", id, err)
	}
	return b
}
