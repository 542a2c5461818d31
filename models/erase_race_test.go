package models_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/seed"
)

// TestErasuresAndRoundsDoNotDeadlock settles texts, applies their events and
// cancels their batch while each of their people is erased.
func TestErasuresAndRoundsDoNotDeadlock(t *testing.T) {
	each(t, func(t *testing.T, db *seed.DB, _ *seed.Clock) {
		const people = 40
		ctx := context.Background()
		acme := db.Tenant("t_9").Connected("c1").Account("1", "ana@acme.com", "+14155550100")
		acme.Batch("b1", ledger.ClassBulk, "1", "ana@acme.com", people)
		lanes, err := db.Lanes.AcquireAllTenants(ctx, "w1", time.Minute, 0, 1)
		if err != nil {
			t.Fatal(err)
		}
		claimed, _, err := db.Lanes.Claim(ctx, lanes[0], ledger.ClaimParams{N: people, Base: db.Now()})
		if err != nil || len(claimed) != people {
			t.Fatalf("claimed %d, %v", len(claimed), err)
		}
		events := make([]ledger.WebhookEvent, people)
		sent := make([]ledger.Outcome, people)
		for i, m := range claimed {
			sent[i] = ledger.Outcome{ID: m.ID, Attempt: 1, State: ledger.Sent, DialpadID: fmt.Sprint("d", i)}
			events[people-1-i] = ledger.WebhookEvent{TenantID: "t_9", Kind: ledger.EventSMS, BodyHash: fmt.Sprint("e", i), DialpadID: fmt.Sprint("d", i),
				Direction: "outbound", FromNumber: "+14155550100", ToNumber: m.ToNumber, Status: "delivered"}
		}
		if err := db.Events.AddMany(ctx, events); err != nil {
			t.Fatal(err)
		}
		var all errgroup.Group
		all.Go(func() error { return settleInParts(ctx, db, sent) })
		for range 2 {
			all.Go(func() error { return applyEvents(ctx, db) })
		}
		all.Go(func() error { // twice, and in the order of the events
			for range 2 {
				for i := people - 1; i >= 0; i-- {
					if err := db.EraseNumber(ctx, "t_9", claimed[i].ToNumber); err != nil {
						return fmt.Errorf("erase: %w", err)
					}
				}
			}
			return nil
		})
		all.Go(func() error {
			for i := range people {
				if err := db.EraseContact(ctx, "t_9", fmt.Sprint(i)); err != nil {
					return fmt.Errorf("erase a contact: %w", err)
				}
			}
			return nil
		})
		all.Go(func() error {
			err := db.Tx(ctx, func(tx *models.Store) error { _, err := tx.Batches.Cancel(ctx, "t_9", "", "removed"); return err })
			return errors.Join(err, db.Batches.Finish(ctx, []string{"b1"}))
		})
		if err := all.Wait(); err != nil {
			t.Error(err)
		}
		list, err := db.Messages.List(ctx, "t_9", "b1", nil, "", people)
		if err != nil || len(list) != people {
			t.Fatalf("%d texts, %v", len(list), err)
		}
		for _, m := range list {
			if !m.Erased() || m.Text != "" || m.State != ledger.Sent && m.State != ledger.Delivered {
				t.Errorf("%+v", m)
			}
		}
	})
}

func settleInParts(ctx context.Context, db *seed.DB, outcomes []ledger.Outcome) error {
	for i := range outcomes {
		changed, err := db.Settle(ctx, outcomes[max(0, i-8):i+1]) // what was settled before is left as it is
		if err == nil {
			err = db.FollowUp(ctx, changed)
		}
		if err != nil {
			return fmt.Errorf("settle: %w", err)
		}
	}
	return nil
}

func applyEvents(ctx context.Context, db *seed.DB) error {
	delivered := func(ledger.WebhookEvent) ledger.EventEffect { return ledger.EventEffect{State: ledger.Delivered} }
	for range 60 {
		if _, err := db.Events.ApplyPendingAllTenants(ctx, 16, 0, delivered); err != nil {
			return fmt.Errorf("apply events: %w", err)
		}
	}
	return nil
}
