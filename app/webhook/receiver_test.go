package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dialpad-texting/app/webhook"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/seed"
)

// each runs a test on both databases with a running Receiver.
func each(t *testing.T, f func(t *testing.T, db *seed.DB, r *webhook.Receiver, notified *atomic.Int64)) {
	t.Helper()
	modeltest.Each(t, seed.Migrate, func(t *testing.T, dsn string) {
		db := seed.Store(t, dsn, time.Now)
		db.Tenant("t_9").Connected("c9").Account("1", "ana@acme.com", "+14155550100")
		var notified atomic.Int64
		r := webhook.New(db.Store, func() { notified.Add(1) })
		done := make(chan struct{})
		go func() { defer close(done); r.Run() }()
		t.Cleanup(func() { r.Close(); <-done })
		f(t, db, r, &notified)
	})
}

func delivery(id, status string) ledger.WebhookEvent {
	return ledger.WebhookEvent{TenantID: "t_9", Kind: ledger.EventSMS, Direction: "outbound", DialpadID: id, BodyHash: id + status, Status: status}
}

// pending applies all pending delivery events and returns how many there were.
func pending(t *testing.T, db *seed.DB) int {
	t.Helper()
	round, err := db.Events.ApplyPendingAllTenants(t.Context(), 1000, time.Hour, func(ledger.WebhookEvent) ledger.EventEffect { return ledger.EventEffect{} })
	if err != nil {
		t.Fatal(err)
	}
	return round.Events
}

func TestEventsThatComeTogetherAreEachStoredOnce(t *testing.T) {
	each(t, func(t *testing.T, db *seed.DB, r *webhook.Receiver, notified *atomic.Int64) {
		var saving sync.WaitGroup
		for i := range 120 {
			saving.Go(func() { // each body comes twice
				if err := r.Save(t.Context(), delivery(fmt.Sprint("d", i/2), "delivered")); err != nil {
					t.Error(err)
				}
			})
		}
		saving.Wait()
		if n := pending(t, db); n != 60 || notified.Load() != 120 {
			t.Errorf("%d events are stored, %d notifications", n, notified.Load())
		}
		c, err := db.Connections.Get(t.Context(), "t_9")
		if err != nil || c.LastEventAt == nil {
			t.Errorf("the connection's last event is %v, %v", c.LastEventAt, err)
		}
	})
}

// TestRefusedValuesDoNotLoseOtherEvents has Postgres refuse a text with a zero
// byte; SQLite takes it.
func TestRefusedValuesDoNotLoseOtherEvents(t *testing.T) {
	each(t, func(t *testing.T, db *seed.DB, r *webhook.Receiver, _ *atomic.Int64) {
		var saving sync.WaitGroup
		var failed atomic.Int64
		for i := range 20 {
			saving.Go(func() {
				e := delivery(fmt.Sprint("d", i), "delivered")
				if i == 7 {
					e.Status = "delivered\x00"
				}
				if err := r.Save(t.Context(), e); err != nil {
					failed.Add(1)
				}
			})
		}
		saving.Wait()
		refused := int64(1)
		if db.Embedded() {
			refused = 0
		}
		if n := pending(t, db); int64(n) != 20-refused || failed.Load() != refused {
			t.Errorf("%d events are stored, %d were refused", n, failed.Load())
		}
	})
}

func TestOtherEventsGetAJob(t *testing.T) {
	each(t, func(t *testing.T, db *seed.DB, r *webhook.Receiver, notified *atomic.Int64) {
		e := delivery("d1", "pending")
		e.Direction = "inbound"
		if err := r.Save(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		list, err := db.Events.PendingAllTenants(t.Context(), time.Now().Add(time.Hour), 10)
		if err != nil || len(list) != 1 || pending(t, db) != 0 || notified.Load() != 0 {
			t.Errorf("%+v, %v", list, err)
		}
	})
}

func TestAddressOfNobodyIsNotFound(t *testing.T) {
	each(t, func(t *testing.T, _ *seed.DB, r *webhook.Receiver, _ *atomic.Int64) {
		if _, err := r.Hook(t.Context(), "made-up"); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("got %v", err)
		}
	})
}

func TestSaveEndsWithItsContext(t *testing.T) {
	each(t, func(t *testing.T, _ *seed.DB, r *webhook.Receiver, _ *atomic.Int64) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := r.Save(ctx, delivery("d1", "sent")); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}
