// Package connection keeps each tenant's connection to Dialpad: it connects,
// refreshes tokens, subscribes to events, checks and disconnects.
//
// A connect reads in this order:
//
//	start.go       Start: the button gives a ticket; OpenWindow: the ticket leads to Dialpad's consent
//	callback.go    Callback: redeems the code and reads who consented for which company
//	confirm.go     refuses or asks; Confirm and Decline answer the question
//	accept.go      stores the connection and enqueues the job FinishConnect, which reads the directory,
//	subscribe.go   Subscribe: creates webhook and subscriptions
//	ready.go       MarkReady: from now on texts may be sent
//
// connect_error.go holds every sentence of a connect that stops. Later a
// connection is broken (break.go), repaired (check.go) or ended
// (disconnect.go). token.go and refresh.go keep its tokens: one refresher
// per connection in the whole fleet.
package connection

import (
	"cmp"
	"context"
	"log/slog"
	"strings"
	"time"

	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/internal/ctxtime"
	"dialpad-texting/models"
)

// Config is what the parts of this package need beside the store and
// Dialpad.
type Config struct {
	PublicURL string           // our own origin; webhooks come to PublicURL + "/dialpad/events/" + path
	WorkerID  string           // names this process in leases; "" = a random one
	Now       func() time.Time // nil = the store's clock
	Log       *slog.Logger     // nil = none
	// Sleep waits for d, or until ctx ends and then returns its error; nil =
	// a timer. It is called to wait for another process's refresh and for
	// the database to come back.
	Sleep func(ctx context.Context, d time.Duration) error
}

func (c Config) withDefaults(store *models.Store) Config {
	if c.Now == nil {
		c.Now = store.Now
	}
	if c.Sleep == nil {
		c.Sleep = ctxtime.Sleep
	}
	c.Log = cmp.Or(c.Log, slog.New(slog.DiscardHandler))
	c.WorkerID = cmp.Or(c.WorkerID, models.NewID())
	c.PublicURL = strings.TrimRight(c.PublicURL, "/")
	return c
}

// Connections subscribes, checks and ends the connections of all tenants. It
// is safe for concurrent use.
type Connections struct {
	store   *models.Store
	dp      *dialpad.Client
	tokens  *Tokens
	hooks   hookClient
	revoker revoker
	log     *slog.Logger
}

// New returns the Connections of a store.
func New(store *models.Store, dp *dialpad.Client, tokens *Tokens, cfg Config) *Connections {
	cfg = cfg.withDefaults(store)
	return &Connections{store: store, dp: dp, tokens: tokens, hooks: newHookClient(dp, cfg.PublicURL), revoker: revoker{store, dp, cfg.Log}, log: cfg.Log}
}
