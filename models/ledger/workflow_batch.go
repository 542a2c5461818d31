package ledger

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"dialpad-texting/models/database"
)

// OpenForWorkflow returns the batch with b's idempotency key, which is
// that of a workflow and a day, with one more recipient expected. It
// creates the batch if there is none, and reopens it if it is done. A
// batch that was cancelled after the call is returned unchanged; one
// that was cancelled before the call is replaced by a new one. Call it
// in the transaction that adds the message.
func (s Batches) OpenForWorkflow(ctx context.Context, b Batch, calledAt time.Time) (Batch, error) {
	key := b.IdempotencyKey
	for n := 2; ; n++ {
		stored, created, err := s.Create(ctx, b)
		if err != nil || created {
			return stored, err
		}
		if stored, err = s.Lock(ctx, b.TenantID, stored.ID); err != nil {
			return stored, err
		}
		if stored.State != BatchCancelled {
			return s.addRecipient(ctx, stored)
		}
		if stored.FinishedAt == nil || !calledAt.After(*stored.FinishedAt) {
			return stored, nil
		}
		b.ID, b.IdempotencyKey = database.NewID(), fmt.Sprintf("%s:%d", key, n)
	}
}

// addRecipient increments Expected and reopens a batch that is done.
// The new version keeps Finish, which can't see the message yet, from
// finishing the batch.
func (s Batches) addRecipient(ctx context.Context, b Batch) (Batch, error) {
	set := map[string]any{"expected": gorm.Expr("expected + 1")}
	from := b.State
	if from == BatchDone {
		b.State, b.FinishedAt = BatchSending, nil
		set["state"], set["finished_at"] = BatchSending, nil
	}
	return b, s.Update(ctx, b.TenantID, b.ID, []string{from}, set)
}
