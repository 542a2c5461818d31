package ledgertest

import (
	"context"
	"testing"

	"dialpad-texting/models/ledger"
	"dialpad-texting/models/seed"
)

func hold(t *testing.T, db *seed.DB, code string, want int) {
	t.Helper()
	if n, err := db.Batches.Hold(context.Background(), "t_9", "", code, "reason of "+code); err != nil || n != want {
		t.Fatalf("hold with %s: held %d batches, %v; want %d", code, n, err, want)
	}
}

func release(t *testing.T, db *seed.DB, code string, want int) {
	t.Helper()
	if n, err := db.Batches.Release(context.Background(), "t_9", code); err != nil || n != want {
		t.Fatalf("release of %s: released %d batches, %v; want %d", code, n, err, want)
	}
}

func checkHeld(t *testing.T, db *seed.DB, id, state, code string) {
	t.Helper()
	if b := getBatch(t, db, id); b.State != state || b.HeldCode != code {
		t.Errorf("batch %s is %s with code %q, want %s with %q", id, b.State, b.HeldCode, state, code)
	}
}

func holdStopsClaims(t *testing.T, db *seed.DB, _ *seed.Clock) {
	acme := seedAcme(db)
	acme.Batch("bulk", ledger.ClassBulk, "1", "ana@acme.com", 2)
	acme.Batch("automation", ledger.ClassAutomation, "1", "ana@acme.com", 1)
	acme.Batch("paused", ledger.ClassBulk, "1", "ana@acme.com", 1)
	pause := map[string]any{"state": ledger.BatchPaused}
	if err := db.Batches.Update(context.Background(), "t_9", "paused", []string{ledger.BatchSending}, pause); err != nil {
		t.Fatal(err)
	}
	hold(t, db, ledger.HeldBroken, 1)
	checkHeld(t, db, "bulk", ledger.BatchHeld, ledger.HeldBroken)
	checkHeld(t, db, "paused", ledger.BatchPaused, "")
	l := acquire(t, db, "w1")
	for _, c := range claim(t, db, l, ledger.ClaimParams{N: 10}) {
		if c.BatchID != "automation" {
			t.Errorf("claimed a message of the batch %s", c.BatchID)
		}
		settle(t, db, c, ledger.Sent)
	}
	release(t, db, ledger.HeldBroken, 1)
	checkHeld(t, db, "bulk", ledger.BatchSending, "")
	if claimed := claim(t, db, l, ledger.ClaimParams{N: 10}); len(claimed) != 2 {
		t.Errorf("claimed %d messages after the release, want 2", len(claimed))
	}
}

func holdOverridesWeakerCode(t *testing.T, db *seed.DB, _ *seed.Clock) {
	seedAcme(db).Batch("b1", ledger.ClassBulk, "1", "ana@acme.com", 1)
	hold(t, db, ledger.HeldBroken, 1)
	hold(t, db, ledger.HeldDisconnected, 0)
	checkHeld(t, db, "b1", ledger.BatchHeld, ledger.HeldDisconnected)
	hold(t, db, ledger.HeldBroken, 0)
	checkHeld(t, db, "b1", ledger.BatchHeld, ledger.HeldDisconnected)
	release(t, db, ledger.HeldBroken, 0)
	release(t, db, ledger.HeldDisconnected, 1)
	checkHeld(t, db, "b1", ledger.BatchSending, "")
}
