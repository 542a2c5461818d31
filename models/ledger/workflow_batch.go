package ledger

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"dialpad-texting/models/database"
)

// OpenForWorkflow returns the batch for a workflow's texts of a day, locked, and
// created if there is none. One that was done goes on. A cancelled one is
// returned as it is for a call from before it was cancelled; later calls get a
// new one. Call it in the transaction that adds the message.
func (s Batches) OpenForWorkflow(ctx context.Context, b Batch, calledAt time.Time) (Batch, error) {
	key := b.IdempotencyKey
	for n := 2; ; n++ {
		found, created, err := s.Create(ctx, b)
		if err != nil || created {
			return found, err
		}
		if found, err = s.Lock(ctx, b.TenantID, found.ID); err != nil {
			return found, err
		}
		if found.State != BatchCancelled {
			return s.addRecipient(ctx, found)
		}
		if found.FinishedAt == nil || !calledAt.After(*found.FinishedAt) {
			return found, nil
		}
		b.ID, b.IdempotencyKey = database.NewID(), fmt.Sprintf("%s:%d", key, n)
	}
}

// addRecipient counts one more recipient. The new version shows Finish, which
// can't see the message yet, that one is being added.
func (s Batches) addRecipient(ctx context.Context, b Batch) (Batch, error) {
	set := map[string]any{"expected": gorm.Expr("expected + 1")}
	from := b.State
	if from == BatchDone {
		b.State, b.FinishedAt = BatchSending, nil
		set["state"], set["finished_at"] = BatchSending, nil
	}
	return b, s.Update(ctx, b.TenantID, b.ID, []string{from}, set)
}
