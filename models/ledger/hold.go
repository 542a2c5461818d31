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

// Values of Batch.HeldCode: why a batch is held. Batches held by a
// broken connection are released when it is connected again; all
// others wait until a person releases them.
const (
	HeldBroken         = "connection_broken"
	HeldDisconnected   = "disconnected"
	HeldOtherCompany   = "other_company"
	HeldPlan           = "plan_lost"
	HeldUninstalled    = "app_removed"
	HeldUser           = "user_deactivated"
	HeldLate           = "late"
	HeldRecordsRefused = "records_refused"
	HeldExpired        = "held_too_long" // of a cancelled batch: its texts failed
)

// overrides lists by code the codes that it replaces on a held batch:
// after a disconnect, a batch held by a broken connection must not be
// released without a person's decision.
var overrides = map[string][]string{
	HeldDisconnected: {HeldBroken},
	HeldOtherCompany: {HeldBroken, HeldDisconnected},
	HeldPlan:         {HeldBroken},
	HeldUninstalled:  {HeldBroken},
	HeldUser:         {HeldBroken},
}

// maxIDsPerStatement is below the limit of parameters of both databases.
const maxIDsPerStatement = 1000

// openStates are the states of a batch that has not ended.
var openStates = []string{BatchScheduled, BatchPreparing, BatchSending, BatchPaused, BatchHeld}

// Hold holds a tenant's open batches, or only a user's if userID is
// not "", with a code and a reason for people. It returns how many it
// holds newly. Their messages can't be claimed from this moment; the
// enqueued job ApplyBatchState changes them later.
//
// Hold skips batches of automations, whose texts fail at the claim
// instead. HeldBroken skips paused batches, since they must not be
// released automatically. Held batches get the code if it overrides
// theirs.
func (s Batches) Hold(ctx context.Context, tenantID, userID, code, reason string) (int, error) {
	from := []string{BatchScheduled, BatchPreparing, BatchSending, BatchPaused}
	if code == HeldBroken {
		from = from[:3]
	}
	n := 0
	err := s.l.Tx(ctx, func(tx *Ledger) (err error) {
		if err := tx.Batches.overrideHeld(ctx, tenantID, userID, code, reason); err != nil {
			return err
		}
		n, err = tx.Batches.setState(ctx, tenantID, userID, from, []string{SourceOneToOne, SourceBulk, SourceTest},
			map[string]any{"state": BatchHeld, "held_code": code, "held_reason": reason, "held_at": tx.db.Now(),
				"history": Happened(Moment{At: tx.db.Now(), What: MomentHeld, Reason: reason})})
		return err
	})
	return n, err
}

// overrideHeld replaces the code and reason of held batches whose code
// the new one overrides.
func (s Batches) overrideHeld(ctx context.Context, tenantID, userID, code, reason string) error {
	overridden := overrides[code]
	if len(overridden) == 0 {
		return nil
	}
	q := s.l.q(ctx).Model(&Batch{}).Where("tenant_id = ? AND state = ? AND held_code IN ?", tenantID, BatchHeld, overridden)
	return ofUser(q, userID).Updates(map[string]any{"held_code": code, "held_reason": reason, "version": gorm.Expr("version + 1"),
		"history": Happened(Moment{At: s.l.db.Now(), What: MomentHeld, Reason: reason})}).Error
}

// Cancel cancels a tenant's open batches, or only a user's if userID
// is not "", with a reason for people. It returns how many.
func (s Batches) Cancel(ctx context.Context, tenantID, userID, reason string) (int, error) {
	return s.setState(ctx, tenantID, userID, openStates, []string{SourceOneToOne, SourceBulk, SourceAutomation, SourceTest},
		map[string]any{"state": BatchCancelled, "held_reason": reason, "held_code": "", "finished_at": s.l.db.Now(),
			"history": Happened(Moment{At: s.l.db.Now(), What: MomentCancelled, Reason: reason})})
}

// setState changes the columns of batches in the from states and
// enqueues the jobs that apply the new state to their messages. It
// returns how many.
func (s Batches) setState(ctx context.Context, tenantID, userID string, from, sources []string, set map[string]any) (int, error) {
	n := 0
	err := s.l.Tx(ctx, func(tx *Ledger) error {
		n = 0
		batches := func() *gorm.DB {
			return ofUser(tx.q(ctx).Model(&Batch{}).Where("tenant_id = ? AND state IN ? AND source IN ?", tenantID, from, sources), userID)
		}
		var ids []string
		if err := batches().Pluck("id", &ids).Error; err != nil || len(ids) == 0 {
			return err
		}
		set["version"] = gorm.Expr("version + 1")
		for chunk := range slices.Chunk(ids, maxIDsPerStatement) {
			if err := batches().Where("id IN ?", chunk).Updates(set).Error; err != nil {
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

// Release releases the batches held with a code, each to the state
// before, and returns how many. The late rule may stop those with a
// send time instead. The jobs that change the messages are enqueued in
// the same transaction.
func (s Batches) Release(ctx context.Context, tenantID, code string) (int, error) {
	n := 0
	err := s.l.Tx(ctx, func(tx *Ledger) error {
		var held []Batch
		if err := withoutLists(tx.q(ctx)).Where("tenant_id = ? AND state = ? AND held_code = ?", tenantID, BatchHeld, code).Find(&held).Error; err != nil {
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
			for chunk := range slices.Chunk(ids, maxIDsPerStatement) {
				if err := tx.Batches.release(ctx, tenantID, code, state, chunk); err != nil {
					return err
				}
			}
		}
		n = len(held)
		return nil
	})
	return n, err
}

// stopIfLate applies the late rule to a held batch, and reports
// whether the rule stopped it. A scheduled batch is checked when it
// starts. A batch that was sending is late by the time it was held,
// but not before its first open message is due.
func (s Batches) stopIfLate(ctx context.Context, b Batch) (bool, error) {
	if b.stateBeforeHold() == BatchScheduled || b.SendAt == nil || b.HeldAt == nil {
		return false, nil
	}
	since := *b.SendAt
	if b.HeldAt.After(since) {
		since = *b.HeldAt
	}
	var first Message // queued messages have no due_at and come first
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
	if err := s.Update(ctx, b.TenantID, b.ID, []string{BatchHeld}, b.LateStop(now)); err != nil {
		return false, err
	}
	return true, s.enqueueApplyState(ctx, b.TenantID, []string{b.ID})
}

// stateBeforeHold returns the state that a release gives back to a
// held batch.
func (b Batch) stateBeforeHold() string {
	switch {
	case b.Prepared:
		return BatchSending
	case b.SendAt != nil && b.StartedAt == nil:
		return BatchScheduled
	}
	return BatchPreparing
}

// release changes held batches to state and enqueues their jobs.
func (s Batches) release(ctx context.Context, tenantID, code, state string, ids []string) error {
	if err := s.l.q(ctx).Model(&Batch{}).Where("tenant_id = ? AND id IN ? AND state = ? AND held_code = ?", tenantID, ids, BatchHeld, code).
		Updates(map[string]any{"state": state, "held_code": "", "held_reason": "", "held_at": nil, "version": gorm.Expr("version + 1"),
			"history": Happened(Moment{At: s.l.db.Now(), What: MomentResumed})}).Error; err != nil {
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

// OrphanedAllTenants returns batches unchanged since before a time
// whose messages do not match their state: sending with held messages,
// or cancelled in the last hour with open ones. These were sending
// when the state of the batch was applied to its messages, and the
// process that requeued them died.
func (s Batches) OrphanedAllTenants(ctx context.Context, before time.Time, limit int) ([]Batch, error) {
	var out []Batch
	return out, s.l.query(ctx, "orphaned_batches",
		map[string]any{"before": before.UTC(), "hour": before.Add(-time.Hour).UTC(), "n": limit}, &out)
}
