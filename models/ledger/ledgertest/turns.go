package ledgertest

import (
	"context"
	"testing"
	"time"

	"dialpad-texting/models/ledger"
	"dialpad-texting/models/seed"
)

func dueBulkTakesTurns(t *testing.T, db *seed.DB, clock *seed.Clock) {
	acme := seedAcme(db).Account("2", "ben@acme.com", "+14155550101")
	acme.Batch("ana", ledger.ClassBulk, "1", "ana@acme.com", 30)
	acme.Waiting("ben", "2", "ben@acme.com", 10, db.Now().Add(time.Second))
	l := acquire(t, db, "w1")
	for _, c := range claim(t, db, l, ledger.ClaimSize{N: 20}) { // since it was leased, the lane has served 20
		settle(t, db, c, ledger.Sent)
	}
	clock.Add(2 * time.Second)
	if n, _, err := db.Lanes.QueueDue(context.Background(), l, 100); err != nil || n != 10 {
		t.Fatalf("promoted %d, %v", n, err)
	}
	of := map[string]int{}
	for _, c := range claim(t, db, l, ledger.ClaimSize{N: 10}) {
		of[c.BatchID]++
	}
	if of["ana"] != 5 || of["ben"] != 5 {
		t.Errorf("of the next ten texts %v, want five each", of)
	}
}
