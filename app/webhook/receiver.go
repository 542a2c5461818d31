// Package webhook receives Dialpad's events.
//
// Each company has an address and a secret of its own. Events that come
// together are stored by one statement.
package webhook

import (
	"cmp"
	"context"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/expirable"

	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/internal/coalesce"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

const (
	// storeWait is how long a first event waits for others.
	storeWait = 10 * time.Millisecond
	// hookLifetime is how long an address is cached. After a
	// disconnect its events are still taken for so long.
	hookLifetime = time.Second
	maxHooks     = 4096
)

// Receiver verifies and stores events. One per process.
type Receiver struct {
	store  *models.Store
	stored *coalesce.Batcher[ledger.WebhookEvent, error]
	hooks  *expirable.LRU[string, Hook]
	notify func()

	mu       sync.Mutex
	received map[string]time.Time // by tenant: when the last event was noted
}

// Hook is an address that Dialpad sends events to.
type Hook struct {
	TenantID string
	secret   string
}

// Verify returns the event in a body that came to the address.
func (h Hook) Verify(body []byte) (dialpad.Event, error) { return dialpad.VerifyEvent(h.secret, body) }

// New returns a Receiver. notify is called after delivery events
// were stored; nil is none. A worker in the same process applies
// them then.
func New(store *models.Store, notify func()) *Receiver {
	r := &Receiver{store: store, notify: notify, received: map[string]time.Time{},
		hooks: expirable.NewLRU[string, Hook](maxHooks, nil, hookLifetime)}
	if r.notify == nil {
		r.notify = func() {}
	}
	r.stored = coalesce.NewBatcher(storeWait, r.storeMany)
	return r
}

// Run stores what Save gathers, until Close.
func (r *Receiver) Run() { r.stored.Run() }

// Close ends Run once everything is stored. Nothing may be saved after it.
func (r *Receiver) Close() { r.stored.Close() }

// Cached returns the hook of an address if it was asked for lately.
func (r *Receiver) Cached(path string) (Hook, bool) { return r.hooks.Get(path) }

// Hook returns the hook of an address, or models.ErrNotFound. What a body
// says is not needed for it.
func (r *Receiver) Hook(ctx context.Context, path string) (Hook, error) {
	if h, known := r.Cached(path); known {
		return h, nil
	}
	c, err := r.store.Connections.ByHookAllTenants(ctx, path)
	if err != nil {
		return Hook{}, err
	}
	h := Hook{TenantID: c.TenantID}
	if _, h.secret, err = r.store.Connections.OpenHook(c); err != nil {
		return h, err
	}
	r.hooks.Add(path, h)
	return h, nil
}

// Save stores an event once. It is durable when Save returns nil.
// Delivery events are stored together, others with their job.
func (r *Receiver) Save(ctx context.Context, e ledger.WebhookEvent) error {
	if !e.IsDelivery() {
		_, err := r.store.SaveEvent(ctx, e)
		return err
	}
	refused, err := r.stored.AskContext(ctx, e)
	if err = cmp.Or(err, refused); err != nil {
		return err
	}
	r.notify()
	return nil
}

// storeMany stores events and returns an error for each. If the
// database refuses the values of one, the others are stored.
func (r *Receiver) storeMany(ctx context.Context, events []ledger.WebhookEvent) ([]error, error) {
	for _, e := range events {
		if err := r.markReceived(ctx, e.TenantID); err != nil {
			return nil, err
		}
	}
	refused := make([]error, len(events))
	err := r.store.Events.AddMany(ctx, events)
	if !models.RefusedData(err) {
		return refused, err
	}
	for i := range events {
		refused[i] = r.store.Events.AddMany(ctx, events[i:i+1])
	}
	return refused, nil
}

// markReceived stores when a tenant's last event came, at most
// once a second.
func (r *Receiver) markReceived(ctx context.Context, tenantID string) error {
	now := r.store.Now()
	r.mu.Lock()
	last := r.received[tenantID]
	due := now.Sub(last).Abs() >= time.Second
	if due {
		r.received[tenantID] = now
	}
	r.mu.Unlock()
	if !due {
		return nil
	}
	return r.store.Connections.MarkEventReceived(ctx, tenantID)
}
