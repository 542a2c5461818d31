// Package market decides whether a tenant or user may text, and walks a tenant from Install to Connected and back.
//
//	Install → StartConnect → (window) OpenWindow → Dialpad → Callback [→ Confirm | Decline] → FinishConnect:
//	directory, Subscribe, Ready → connected ─401, switched off→ broken ─Check, reconnect→ connected → Disconnect → Remove
//
// It also keeps each tenant's Dialpad tokens: one refresher per connection in the whole fleet.
package market

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/models"
)

// Config is what a Market needs beside the store and Dialpad.
type Config struct {
	Plans      []string                     // plans that include Dialpad
	AppPageURL func(linkname string) string // where a tenant's CRM shows our detail page: the target of "Click here"
	PublicURL  string                       // our own origin: PublicURL + "/dialpad/events/" + path is a webhook's address
	WorkerID   string                       // names this process in leases; "" = a random one
	Now        func() time.Time             // nil = the store's clock
	Log        *slog.Logger                 // nil = none
	// Sleep waits for d or until ctx is over, which is its error; nil = a timer. Waiting for another process's refresh
	// and for the database to come back goes through it.
	Sleep func(ctx context.Context, d time.Duration) error
}

// Market answers for all tenants. Safe for concurrent use.
type Market struct {
	store *models.Store
	dp    *dialpad.Client
	cfg   Config
	log   *slog.Logger

	mu     sync.Mutex
	tokens map[string]cachedToken // by tenant
	unkept map[string]unkeptPair  // by tenant: pairs that Dialpad gave and the database has not taken yet
}

// New makes a Market.
func New(store *models.Store, dp *dialpad.Client, cfg Config) *Market {
	if cfg.Now == nil {
		cfg.Now = store.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.WorkerID == "" {
		cfg.WorkerID = models.NewID()
	}
	if cfg.Sleep == nil {
		cfg.Sleep = sleep
	}
	cfg.PublicURL = strings.TrimRight(cfg.PublicURL, "/")
	return &Market{store: store, dp: dp, cfg: cfg, log: cfg.Log,
		tokens: map[string]cachedToken{}, unkept: map[string]unkeptPair{}}
}

func (m *Market) now() time.Time { return m.cfg.Now().UTC() }

// HasPlan tells whether a plan includes Dialpad.
func (m *Market) HasPlan(plan string) bool { return slices.Contains(m.cfg.Plans, plan) }

// Plans are the plans that include Dialpad.
func (m *Market) Plans() []string { return slices.Clone(m.cfg.Plans) }

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
