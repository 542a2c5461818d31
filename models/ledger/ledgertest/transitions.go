package ledgertest

import (
	"context"
	"testing"
	"time"

	"dialpad-texting/models/ledger"
	"dialpad-texting/models/seed"
)

// changeState holds up to n queued or waiting messages of the batch
// "b1".
func changeState(t *testing.T, db *seed.DB, n int, want int64) {
	t.Helper()
	from := []string{ledger.Queued, ledger.Waiting}
	changed, err := db.Messages.ChangeState(context.Background(), "t_9", "b1", from, ledger.Held, "paused", "Paused", n)
	if err != nil || changed != want {
		t.Fatalf("changed %d messages, %v; want %d", changed, err, want)
	}
}

func requeue(t *testing.T, db *seed.DB, senderID string, want int) {
	t.Helper()
	l, err := db.Lanes.Get(context.Background(), "t_9", "c9")
	if err != nil {
		t.Fatal(err)
	}
	if n, err := db.Messages.Requeue(context.Background(), l, "b1", senderID, 10); err != nil || n != want {
		t.Fatalf("requeued %d messages, %v; want %d", n, err, want)
	}
}

func requeueChangesSender(t *testing.T, db *seed.DB, _ *seed.Clock) {
	acme := seedAcme(db).Account("2", "ben@acme.com", "+14155550101")
	messages := acme.Batch("b1", ledger.ClassBulk, "1", "ana@acme.com", 3)
	changeState(t, db, 2, 2)
	changeState(t, db, 2, 1)
	changeState(t, db, 2, 0)
	if m := getMessage(t, db, messages[0].ID); m.State != ledger.Held || m.ErrorCode != "paused" || m.ErrorText != "Paused" {
		t.Errorf("message is %s with %q, %q", m.State, m.ErrorCode, m.ErrorText)
	}
	requeue(t, db, "2", 3)
	requeue(t, db, "2", 0)
	for _, stored := range messages {
		m := getMessage(t, db, stored.ID)
		if m.State != ledger.Queued || m.SenderID != "2" || m.ErrorCode != "" || m.ErrorText != "" {
			t.Errorf("message is %s of sender %s with %q, %q", m.State, m.SenderID, m.ErrorCode, m.ErrorText)
		}
	}
}

func requeueKeepsDueTime(t *testing.T, db *seed.DB, clock *seed.Clock) {
	due := clock.Now().Add(time.Hour)
	m := seedAcme(db).Waiting("b1", "1", "ana@acme.com", 1, due)[0]
	changeState(t, db, 10, 1)
	requeue(t, db, "", 1)
	m = getMessage(t, db, m.ID)
	if m.State != ledger.Waiting || m.DueAt == nil || !m.DueAt.Equal(due) || m.SenderID != "1" {
		t.Errorf("message is %s, due %v, of sender %s; want waiting until %v", m.State, m.DueAt, m.SenderID, due)
	}
}
