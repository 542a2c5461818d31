package ledger

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/riverqueue/river"
	"gorm.io/gorm"

	"dialpad-texting/models/database"
	"dialpad-texting/models/queue"
)

// Why a batch is held, in a word. What a broken connection holds goes on
// by itself once that is connected again. Everything else was somebody's
// decision, and waits for somebody's.
const (
	HeldBroken       = "connection_broken"
	HeldDisconnected = "disconnected"
	HeldCompany      = "other_company"
	HeldPlan         = "plan_lost"
	HeldRemoved      = "app_removed"
	HeldUser         = "user_deactivated"
	HeldLate         = "late"
	HeldRefused      = "records_refused"
	HeldExpired      = "held_too_long" // of a cancelled batch: its texts failed
)

// overrides are the reasons that a newer one replaces: a batch that is
// held by a broken connection must not go on by itself after somebody
// disconnected it.
var overrides = map[string][]string{
	HeldDisconnected: {HeldBroken},
	HeldCompany:      {HeldBroken, HeldDisconnected},
	HeldPlan:         {HeldBroken},
	HeldRemoved:      {HeldBroken},
	HeldUser:         {HeldBroken},
}

// maxIDsPerStatement is below the number of parameters that a database
// accepts.
const maxIDsPerStatement = 1000

// openStates are the states in which a batch may still text.
var openStates = []string{BatchScheduled, BatchPreparing, BatchSending, BatchPaused, BatchHeld}

// Hold holds all of a tenant's open batches, or with a userID that
// user's, with a code and the reason that people read. Nothing of them is
// claimed from this moment; the job ApplyBatchState then changes their
// messages.
//
// Automations are never held: their texts fail when their turn comes.
// What somebody paused stays paused while the connection is broken, since
// it must not go on by itself later.
func (s Batches) Hold(ctx context.Context, tenantID, userID, code, reason string) (int, error) {
	from := []string{BatchScheduled, BatchPreparing, BatchSending, BatchPaused}
	if code == HeldBroken {
		from = from[:3]
	}
	n := 0
	err := s.l.Tx(ctx, func(tx *Ledger) (err error) {
		if weak := overrides[code]; len(weak) > 0 {
			q := tx.q(ctx).Model(&Batch{}).Where("tenant_id = ? AND state = ? AND held_code IN ?", tenantID, BatchHeld, weak)
			if userID != "" {
				q = q.Where("user_id = ?", userID)
			}
			if err := q.Updates(map[string]any{"held_code": code, "held_reason": reason, "version": gorm.Expr("version + 1")}).Error; err != nil {
				return err
			}
		}
		n, err = tx.Batches.setState(ctx, tenantID, userID, from, []string{SourceOne, SourceBulk},
			map[string]any{"state": BatchHeld, "held_code": code, "held_reason": reason, "held_at": tx.db.Now()})
		return err
	})
	return n, err
}

// Cancel cancels all of a tenant's open batches, or with a userID that
// user's, with the reason that people read.
func (s Batches) Cancel(ctx context.Context, tenantID, userID, reason string) (int, error) {
	return s.setState(ctx, tenantID, userID, openStates, []string{SourceOne, SourceBulk, SourceAutomation},
		map[string]any{"state": BatchCancelled, "held_reason": reason, "held_code": "", "finished_at": s.l.db.Now()})
}

func (s Batches) setState(ctx context.Context, tenantID, userID string, from, sources []string, set map[string]any) (int, error) {
	n := 0
	err := s.l.Tx(ctx, func(tx *Ledger) error {
		q := func() *gorm.DB {
			db := tx.q(ctx).Model(&Batch{}).Where("tenant_id = ? AND state IN ? AND source IN ?", tenantID, from, sources)
			if userID != "" {
				db = db.Where("user_id = ?", userID)
			}
			return db
		}
		var ids []string
		if err := q().Pluck("id", &ids).Error; err != nil || len(ids) == 0 {
			return err
		}
		set["version"] = gorm.Expr("version + 1")
		for some := range slices.Chunk(ids, maxIDsPerStatement) {
			if err := q().Where("id IN ?", some).Updates(set).Error; err != nil {
				return err
			}
		}
		n = len(ids)
		return tx.Batches.enqueueApplyState(ctx, tenantID, ids)
	})
	return n, err
}

func (s Batches) enqueueApplyState(ctx context.Context, tenantID string, ids []string) error {
	jobs := make([]river.JobArgs, len(ids))
	for i, id := range ids {
		jobs[i] = queue.ApplyBatchState{TenantID: tenantID, BatchID: id}
	}
	return s.l.db.Enqueue(ctx, jobs...)
}

// Release lets the batches go on that were held for a code, each from
// where it was, and returns how many. Those with a time go by their late
// rule. The jobs that change the messages are enqueued in the same
// transaction.
func (s Batches) Release(ctx context.Context, tenantID, code string) (int, error) {
	n := 0
	err := s.l.Tx(ctx, func(tx *Ledger) error {
		var held []Batch
		if err := tx.q(ctx).Omit("record_ids").Where("tenant_id = ? AND state = ? AND held_code = ?", tenantID, BatchHeld, code).Find(&held).Error; err != nil {
			return err
		}
		to := map[string][]string{}
		for _, b := range held {
			late, err := tx.Batches.stopIfLate(ctx, b)
			if err != nil {
				return err
			}
			if state := b.stateBeforeHold(); !late {
				to[state] = append(to[state], b.ID)
			}
		}
		for state, ids := range to {
			for some := range slices.Chunk(ids, maxIDsPerStatement) {
				if err := tx.Batches.release(ctx, tenantID, code, state, some); err != nil {
					return err
				}
			}
		}
		n = len(held)
		return nil
	})
	return n, err
}

// stopIfLate applies the late rule to a batch that was held past its
// time. One that has not started is checked when it does. One that was
// sending is late by how long it was held, unless all that is left waits
// for the morning.
func (s Batches) stopIfLate(ctx context.Context, b Batch) (bool, error) {
	if b.stateBeforeHold() == BatchScheduled || b.SendAt == nil || b.HeldAt == nil {
		return false, nil
	}
	since := *b.SendAt
	if b.HeldAt.After(since) {
		since = *b.HeldAt
	}
	var first Message // one that had its turn comes before those with a time of their own
	err := database.Translate(s.l.q(ctx).Select("due_at").Where("tenant_id = ? AND batch_id = ? AND state IN ('queued', 'waiting', 'held')", b.TenantID, b.ID).
		Order("due_at IS NOT NULL, due_at").Take(&first).Error)
	if err != nil && !errors.Is(err, database.ErrNotFound) {
		return false, err
	}
	if first.DueAt != nil && first.DueAt.After(since) {
		since = *first.DueAt
	}
	now := s.l.db.Now()
	if !b.IsLate(since, now) {
		return false, nil
	}
	if err := s.Update(ctx, b.TenantID, b.ID, []string{BatchHeld}, b.StoppedLate(now)); err != nil {
		return false, err
	}
	return true, s.enqueueApplyState(ctx, b.TenantID, []string{b.ID})
}

// stateBeforeHold returns the state in which a held batch goes on.
func (b Batch) stateBeforeHold() string {
	switch {
	case b.Prepared:
		return BatchSending
	case b.SendAt != nil && b.StartedAt == nil:
		return BatchScheduled
	}
	return BatchPreparing
}

func (s Batches) release(ctx context.Context, tenantID, code, state string, ids []string) error {
	if err := s.l.q(ctx).Model(&Batch{}).Where("tenant_id = ? AND id IN ? AND state = ? AND held_code = ?", tenantID, ids, BatchHeld, code).
		Updates(map[string]any{"state": state, "held_code": "", "held_reason": "", "held_at": nil, "version": gorm.Expr("version + 1")}).Error; err != nil {
		return err
	}
	if state == BatchPreparing {
		jobs := make([]river.JobArgs, len(ids))
		for i, id := range ids {
			jobs[i] = queue.PrepareBatch{TenantID: tenantID, BatchID: id}
		}
		if err := s.l.db.Enqueue(ctx, jobs...); err != nil {
			return err
		}
	}
	return s.enqueueApplyState(ctx, tenantID, ids)
}

// OrphanedAllTenants returns batches whose messages have not followed
// their state since before a time: a process that died took them back
// from the wire just then.
func (s Batches) OrphanedAllTenants(ctx context.Context, before time.Time, limit int) ([]Batch, error) {
	var out []Batch
	return out, s.l.query(ctx, "orphaned_batches",
		map[string]any{"before": before.UTC(), "hour": before.Add(-time.Hour).UTC(), "n": limit}, &out)
}
