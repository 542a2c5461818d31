package ledgertest

import (
	"context"
	"testing"
	"time"

	"dialpad-texting/models/ledger"
	"dialpad-texting/models/seed"
)

func dueBulkAlternates(t *testing.T, db *seed.DB, clock *seed.Clock) {
	acme := seedAcme(db).Account("2", "ben@acme.com", "+14155550101")
	acme.Batch("ana", ledger.ClassBulk, "1", "ana@acme.com", 30)
	acme.Waiting("ben", "2", "ben@acme.com", 10, db.Now().Add(time.Second))
	l := acquire(t, db, "w1")
	for _, c := range claim(t, db, l, ledger.ClaimParams{N: 20}) { // the turns of l are outdated now
		settle(t, db, c, ledger.Sent)
	}
	clock.Add(2 * time.Second)
	if n, _, err := db.Lanes.QueueDue(context.Background(), l, 100); err != nil || n != 10 {
		t.Fatalf("queued %d messages, %v; want 10", n, err)
	}
	byBatch := map[string]int{}
	for _, c := range claim(t, db, l, ledger.ClaimParams{N: 10}) {
		byBatch[c.BatchID]++
	}
	if byBatch["ana"] != 5 || byBatch["ben"] != 5 {
		t.Errorf("the next ten messages by batch: %v, want five each", byBatch)
	}
}
