package texting

import (
	"context"
	"errors"
	"time"

	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/queue"
)

// moveChunk is how many rows one statement moves: short transactions let the lane claim in between.
const moveChunk = 2000

// Move carries a batch's state over to its messages: those of a cancelled one are cancelled, of a paused or held one
// parked, of a resumed one queued again. It is idempotent, and tells how many it moved.
func (x *Texting) Move(ctx context.Context, tenantID, batchID string) (moved int, err error) {
	b, err := x.store.Batches.Get(ctx, tenantID, "", batchID)
	if err != nil {
		return 0, ignoreNotFound(err)
	}
	for {
		n, err := x.moveSome(ctx, b)
		moved += n
		if err != nil {
			return moved, err
		}
		if n < moveChunk {
			return moved, x.afterMove(ctx, b, moved)
		}
		if moved == n && moving(b) { // the first need not wait for the last
			if err := x.goOn(ctx, b); err != nil {
				return moved, err
			}
		}
		if b, err = x.store.Batches.Get(ctx, tenantID, "", batchID); err != nil {
			return moved, err // it may have been resumed meanwhile: then the rest goes the other way
		}
	}
}

func (x *Texting) moveSome(ctx context.Context, b ledger.Batch) (int, error) {
	waiting := []string{ledger.Queued, ledger.Waiting}
	switch b.State {
	case ledger.BatchCancelled:
		to, code := ledger.Cancelled, "cancelled"
		if b.HeldCode == ledger.HeldExpired {
			to, code = ledger.Failed, ledger.HeldExpired
		}
		n, err := x.store.Messages.ChangeState(ctx, b.TenantID, b.ID, append(waiting, ledger.Held), to, code, b.HeldReason, moveChunk)
		return int(n), err
	case ledger.BatchPaused:
		n, err := x.store.Messages.ChangeState(ctx, b.TenantID, b.ID, waiting, ledger.Held, "paused", b.HeldReason, moveChunk)
		return int(n), err
	case ledger.BatchHeld:
		n, err := x.store.Messages.ChangeState(ctx, b.TenantID, b.ID, waiting, ledger.Held, "held", b.HeldReason, moveChunk)
		return int(n), err
	case ledger.BatchPreparing, ledger.BatchSending:
		return x.requeue(ctx, b)
	}
	return 0, nil
}

// requeue puts parked texts back, from the account that the sender's e-mail stands for now.
func (x *Texting) requeue(ctx context.Context, b ledger.Batch) (int, error) {
	c, err := x.store.Connections.Get(ctx, b.TenantID)
	if err != nil {
		return 0, ignoreNotFound(err)
	}
	lane, err := x.store.Lanes.Get(ctx, b.TenantID, c.CompanyID)
	if err != nil {
		return 0, ignoreNotFound(err)
	}
	sender := b.SenderID // "" with automations: each of their texts has a sender of its own
	if account, err := x.store.Accounts.ByEmail(ctx, b.TenantID, b.SenderEmail); err == nil {
		sender = account.DialpadID
	}
	return x.store.Messages.Requeue(ctx, lane, b.ID, sender, moveChunk)
}

// goOn wakes the lane of a batch whose texts are in the queue again.
func (x *Texting) goOn(ctx context.Context, b ledger.Batch) error {
	c, err := x.store.Connections.Get(ctx, b.TenantID)
	if err != nil {
		return ignoreNotFound(err)
	}
	if err := x.store.Lanes.MarkDue(ctx, b.TenantID, c.CompanyID, x.now()); err != nil {
		return err
	}
	x.wake()
	return nil
}

func (x *Texting) afterMove(ctx context.Context, b ledger.Batch, moved int) error {
	if moved == 0 && b.State != ledger.BatchSending {
		return nil
	}
	c, err := x.store.Connections.Get(ctx, b.TenantID)
	if err != nil {
		return ignoreNotFound(err)
	}
	if err := x.store.Lanes.ResetTurns(ctx, b, c.CompanyID, b.SenderID); err != nil {
		return err
	}
	if moving(b) {
		if err := x.store.Batches.Finish(ctx, []string{b.ID}); err != nil {
			return err
		}
		if err := x.goOn(ctx, b); err != nil {
			return err
		}
	}
	if moved > 0 {
		return x.store.Enqueue(ctx, queue.SyncTimeline{TenantID: b.TenantID})
	}
	return nil
}

// DueCounts is what one look at the schedules did.
type DueCounts struct{ Started, Held, Dropped, Moved int }

// prepareAhead is how long before its time a batch may be prepared; nothing leaves early.
const prepareAhead = 2 * time.Minute

// StartDueAllTenants starts the scheduled batches whose preparing may begin, by the late rule of each.
func (x *Texting) StartDueAllTenants(ctx context.Context, limit int) (n DueCounts, err error) {
	now := x.now().UTC()
	due, err := x.store.Batches.DueAllTenants(ctx, now.Add(prepareAhead), limit)
	if err != nil {
		return n, err
	}
	for _, b := range due {
		if err := x.startDue(ctx, b, now, &n); err != nil {
			return n, err
		}
	}
	return n, nil
}

func (x *Texting) startDue(ctx context.Context, b ledger.Batch, now time.Time, n *DueCounts) error {
	// The wall time wins: when the zone's rules changed since it was asked for, its instant is another.
	if at, ok := wallInstant(b); ok && !at.Equal(*b.SendAt) && at.After(now) {
		n.Moved++
		return moved(x.store.Batches.UpdateUnchanged(ctx, b, map[string]any{"send_at": at, "utc_offset": offsetAt(at, b.TimeZone)}))
	}
	if b.IsLate(*b.SendAt, now) {
		if b.LateDo == ledger.LateDrop {
			n.Dropped++
		} else {
			n.Held++
		}
		return moved(x.store.Batches.UpdateUnchanged(ctx, b, b.StoppedLate(now)))
	}
	n.Started++
	err := x.store.Tx(ctx, func(tx *models.Store) error {
		if err := tx.Batches.UpdateUnchanged(ctx, b, map[string]any{"state": ledger.BatchPreparing, "started_at": now}); err != nil {
			return err
		}
		return tx.Enqueue(ctx, queue.PrepareBatch{TenantID: b.TenantID, BatchID: b.ID})
	})
	return moved(err)
}

// wallInstant reads a batch's wall time with today's zone rules; false where it no longer has one reading.
func wallInstant(b ledger.Batch) (time.Time, bool) {
	loc, err := time.LoadLocation(b.TimeZone)
	wall, err2 := time.Parse(wallFormat, b.LocalTime)
	if err != nil || err2 != nil || b.TimeZone == "" {
		return time.Time{}, false
	}
	at, err := Schedule{Local: b.LocalTime, TimeZone: b.TimeZone, Offset: b.UTCOffset}.pick(readings(wall, loc), wall, loc)
	if err != nil {
		at, err = Schedule{Local: b.LocalTime, TimeZone: b.TimeZone}.pick(readings(wall, loc), wall, loc)
	}
	return at.UTC(), err == nil
}

const (
	heldMost      = 7 * 24 * time.Hour
	wordsHeldLong = "Not sent: it was held for seven days"
)

// ExpireHeldAllTenants ends what was held for seven days; its texts fail with the reason they were held for.
func (x *Texting) ExpireHeldAllTenants(ctx context.Context, limit int) (int, error) {
	held, err := x.store.Batches.HeldSinceAllTenants(ctx, x.now().Add(-heldMost), limit)
	if err != nil {
		return 0, err
	}
	for _, b := range held {
		if err := x.end(ctx, b, ledger.HeldExpired, wordsHeldLong+": "+b.HeldReason); err != nil {
			return 0, err
		}
	}
	return len(held), nil
}

// moved tells a lost race from a failure.
func moved(err error) error {
	if errors.Is(err, models.ErrLost) {
		return nil
	}
	return err
}
