package models

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/riverqueue/river"
	"gorm.io/gorm"
)

// Why a batch is held, in a word. What a broken connection holds goes on by itself once it is mended; everything else
// was somebody's decision, and waits for somebody's.
const (
	HeldBroken       = "connection_broken"
	HeldDisconnected = "disconnected"
	HeldCompany      = "other_company"
	HeldPlan         = "plan_lost"
	HeldRemoved      = "app_removed"
	HeldUser         = "user_deactivated"
	HeldLate         = "late"
	HeldRefused      = "records_refused"
	HeldExpired      = "held_too_long" // of a cancelled one: its texts failed
)

// weaker are the reasons that a newer one takes the place of: a batch that waits for the connection to mend must not
// go on by itself after somebody disconnected it.
var weaker = map[string][]string{
	HeldDisconnected: {HeldBroken},
	HeldCompany:      {HeldBroken, HeldDisconnected},
	HeldPlan:         {HeldBroken},
	HeldRemoved:      {HeldBroken},
	HeldUser:         {HeldBroken},
}

// idsAtOnce keeps a statement below the number of parameters a database takes.
const idsAtOnce = 1000

// openStates are the states of a batch that may still text.
var openStates = []string{BatchScheduled, BatchPreparing, BatchSending, BatchPaused, BatchHeld}

// HoldBatches holds all of a tenant's open batches, or one user's ("" is everyone's), with the reason people read and
// its code. Nothing of them is claimed from this moment; MoveBatch then carries the state over to the messages.
// Automations are never held: their texts fail when their turn comes. What somebody paused stays paused while the
// connection is broken, since it must not go on when that mends.
func (s *Store) HoldBatches(ctx context.Context, tenantID, userID, code, reason string) (int, error) {
	from := []string{BatchScheduled, BatchPreparing, BatchSending, BatchPaused}
	if code == HeldBroken {
		from = from[:3]
	}
	n := 0
	err := s.Tx(ctx, func(tx *Store) (err error) {
		if weak := weaker[code]; len(weak) > 0 {
			q := tx.q(ctx).Model(&Batch{}).Where("tenant_id = ? AND state = ? AND held_code IN ?", tenantID, BatchHeld, weak)
			if userID != "" {
				q = q.Where("user_id = ?", userID)
			}
			if err := q.Updates(map[string]any{"held_code": code, "held_reason": reason, "version": gorm.Expr("version + 1")}).Error; err != nil {
				return err
			}
		}
		n, err = tx.moveBatches(ctx, tenantID, userID, from, []string{SourceOne, SourceBulk},
			map[string]any{"state": BatchHeld, "held_code": code, "held_reason": reason, "held_at": tx.Now()})
		return err
	})
	return n, err
}

// CancelBatches cancels all of a tenant's open batches with the reason people read.
func (s *Store) CancelBatches(ctx context.Context, tenantID, userID, reason string) (int, error) {
	return s.moveBatches(ctx, tenantID, userID, openStates, []string{SourceOne, SourceBulk, SourceAutomation},
		map[string]any{"state": BatchCancelled, "held_reason": reason, "held_code": "", "finished_at": s.Now()})
}

func (s *Store) moveBatches(ctx context.Context, tenantID, userID string, from, sources []string, set map[string]any) (int, error) {
	n := 0
	err := s.Tx(ctx, func(tx *Store) error {
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
		for some := range slices.Chunk(ids, idsAtOnce) {
			if err := q().Where("id IN ?", some).Updates(set).Error; err != nil {
				return err
			}
		}
		n = len(ids)
		return tx.moveEach(ctx, tenantID, ids)
	})
	return n, err
}

func (s *Store) moveEach(ctx context.Context, tenantID string, ids []string) error {
	jobs := make([]river.JobArgs, len(ids))
	for i, id := range ids {
		jobs[i] = MoveBatch{TenantID: tenantID, BatchID: id}
	}
	return s.Enqueue(ctx, jobs...)
}

// ReleaseBatches lets the batches go on that were held for a code: each where it was, those with a time by their late rule.
// The jobs that carry it over to the messages are queued in the same transaction. It tells how many.
func (s *Store) ReleaseBatches(ctx context.Context, tenantID, code string) (int, error) {
	n := 0
	err := s.Tx(ctx, func(tx *Store) error {
		var held []Batch
		if err := tx.q(ctx).Omit("record_ids").Where("tenant_id = ? AND state = ? AND held_code = ?", tenantID, BatchHeld, code).Find(&held).Error; err != nil {
			return err
		}
		to := map[string][]string{}
		for _, b := range held {
			late, err := tx.leaveLate(ctx, b)
			if err != nil {
				return err
			}
			if state := b.resumed(); !late {
				to[state] = append(to[state], b.ID)
			}
		}
		for state, ids := range to {
			for some := range slices.Chunk(ids, idsAtOnce) {
				if err := tx.release(ctx, tenantID, code, state, some); err != nil {
					return err
				}
			}
		}
		n = len(held)
		return nil
	})
	return n, err
}

// leaveLate applies the late rule to a batch that was held over its time for too long. One that has not started is judged
// when it does, and one that was sending is late by what it was held: not while all that is left waits for the morning.
func (s *Store) leaveLate(ctx context.Context, b Batch) (bool, error) {
	if b.resumed() == BatchScheduled || b.SendAt == nil || b.HeldAt == nil {
		return false, nil
	}
	since := *b.SendAt
	if b.HeldAt.After(since) {
		since = *b.HeldAt
	}
	var first Message // one that had its turn comes before those with a time of their own
	err := one(s.q(ctx).Select("due_at").Where("tenant_id = ? AND batch_id = ? AND state IN ('queued', 'waiting', 'held')", b.TenantID, b.ID).
		Order("due_at IS NOT NULL, due_at").Take(&first).Error)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return false, err
	}
	if first.DueAt != nil && first.DueAt.After(since) {
		since = *first.DueAt
	}
	now := s.Now()
	if !b.LateBy(since, now) {
		return false, nil
	}
	if err := s.UpdateBatch(ctx, b.TenantID, b.ID, []string{BatchHeld}, b.Late(now)); err != nil {
		return false, err
	}
	return true, s.moveEach(ctx, b.TenantID, []string{b.ID})
}

// resumed is where a held batch goes on.
func (b Batch) resumed() string {
	switch {
	case b.Prepared:
		return BatchSending
	case b.SendAt != nil && b.StartedAt == nil:
		return BatchScheduled
	}
	return BatchPreparing
}

func (s *Store) release(ctx context.Context, tenantID, code, state string, ids []string) error {
	if err := s.q(ctx).Model(&Batch{}).Where("tenant_id = ? AND id IN ? AND state = ? AND held_code = ?", tenantID, ids, BatchHeld, code).
		Updates(map[string]any{"state": state, "held_code": "", "held_reason": "", "held_at": nil, "version": gorm.Expr("version + 1")}).Error; err != nil {
		return err
	}
	if state == BatchPreparing {
		jobs := make([]river.JobArgs, len(ids))
		for i, id := range ids {
			jobs[i] = PrepareBatch{TenantID: tenantID, BatchID: id}
		}
		if err := s.Enqueue(ctx, jobs...); err != nil {
			return err
		}
	}
	return s.moveEach(ctx, tenantID, ids)
}

// LeftBehindAllTenants returns batches that texts did not follow since before a time: sending, though some are held, or
// cancelled within the hour, though some still wait. They were taken back from the wire just then, by a process that died.
func (s *Store) LeftBehindAllTenants(ctx context.Context, before time.Time, limit int) ([]Batch, error) {
	var out []Batch
	return out, s.q(ctx).Raw(`SELECT id, tenant_id FROM batches WHERE state = 'sending' AND updated_at < @before
			AND EXISTS (SELECT 1 FROM messages m WHERE m.batch_id = batches.id AND m.state = 'held')
		UNION ALL
		SELECT id, tenant_id FROM batches WHERE state = 'cancelled' AND finished_at > @hour AND updated_at < @before
			AND EXISTS (SELECT 1 FROM messages m WHERE m.batch_id = batches.id AND m.state IN ('queued', 'waiting', 'held')) LIMIT @n`,
		map[string]any{"before": before.UTC(), "hour": before.Add(-time.Hour).UTC(), "n": limit}).Scan(&out).Error
}
