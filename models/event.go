package models

import (
	"context"
	"time"

	"dialpad-texting/models/database"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/queue"
)

// SaveEvent stores a Dialpad event once, with its job, and reports
// whether it is new. It marks the accounts of a change-log event stale in
// the same transaction.
func (s *Store) SaveEvent(ctx context.Context, e ledger.WebhookEvent) (added bool, err error) {
	err = s.Tx(ctx, func(tx *Store) error {
		if e, added, err = tx.StoreEvent(ctx, e); err != nil || !added {
			return err
		}
		return tx.Enqueue(ctx, queue.ProcessEvent{TenantID: e.TenantID, EventID: e.ID})
	})
	return added, err
}

// StoreEvent is SaveEvent without the job, and returns the event as
// stored. Call it in a transaction.
func (s *Store) StoreEvent(ctx context.Context, e ledger.WebhookEvent) (stored ledger.WebhookEvent, added bool, err error) {
	e.ID, e.State, e.ReceivedAt, e.EventAt = ledger.EventID(e.TenantID, e.BodyHash), ledger.EventPending, s.Now(), database.UTC(e.EventAt)
	if added, err = s.Events.Add(ctx, e); err != nil || !added {
		return e, added, err
	}
	if err := s.Accounts.MarkStale(ctx, e.TenantID, e.DialpadUsers); err != nil {
		return e, true, err
	}
	return e, true, s.Connections.MarkEventReceived(ctx, e.TenantID)
}

// MarkEventReceived stores when the last event arrived, at most once a
// second: a bulk's events arrive together, and would wait for each
// other's lock on the connection's row.
func (s Connections) MarkEventReceived(ctx context.Context, tenantID string) error {
	now := s.s.Now()
	return s.s.q(ctx).Model(&Connection{}).Where("tenant_id = ? AND (last_event_at IS NULL OR last_event_at < ?)", tenantID, now.Add(-time.Second)).
		Updates(map[string]any{"last_event_at": now}).Error
}
