// Package delivery puts texts onto the wire: it claims them from the lanes, sends each once, settles what became of
// it, and reconciles what Dialpad tells later.
//
//	acquire a due lane ─▶ slot? ─▶ claim (durable: sending) ─▶ check ─▶ POST once ─▶ settle, many at a time
//	                        ▲                                    │           │
//	                        └────── release when empty           └ failed    └ answer lost: uncertain, never re-sent,
//	                                                               held        settled by Dialpad's event
//
// A lane is drained by one worker of the fleet at a time, by a lease with a fencing number. A worker that slept past
// its lease finishes only what it had on the wire: those answers still move their messages forward.
package delivery

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"dialpad-texting/app/accounts"
	"dialpad-texting/app/market"
	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// Dialpad is the one call that must never happen twice. Tests count it.
type Dialpad interface {
	SendSMS(ctx context.Context, token string, sms dialpad.SMS) (dialpad.SMSResult, error)
}

// Market is what delivery asks before each text and when Dialpad turns a token down.
type Market interface {
	Judge(f market.Facts) *market.Refusal
	Token(ctx context.Context, tenantID string) (market.Token, error)
	Refreshed(ctx context.Context, tenantID string, version int64) (market.Token, error)
	Broken(ctx context.Context, tenantID string, version int64, reason string) error
	TokenWorked(ctx context.Context, tenantID string, version int64)
}

// Accounts reads a sender again before a text when what is known of it is old.
type Accounts interface {
	Fresh(ctx context.Context, tenantID, dialpadID string, olderThan time.Duration) (models.Account, error)
}

var (
	_ Market   = (*market.Market)(nil)
	_ Accounts = (*accounts.Accounts)(nil)
)

// Config sizes an engine; zero values have good defaults.
type Config struct {
	WorkerID    string
	Connections int           // requests on the wire at once; 128
	Lease       time.Duration // of a lane; 12 s, so that a dead worker's lanes are taken over within 15 s
	Poll        time.Duration // how often due lanes are looked for; 100 ms
	Lanes       int           // lanes held at once; 20,000
	Timeout     time.Duration // of one request; 30 s
	Now         func() time.Time
	Log         *slog.Logger
}

func (c Config) withDefaults() Config {
	def := func(v *time.Duration, d time.Duration) {
		if *v == 0 {
			*v = d
		}
	}
	def(&c.Lease, 12*time.Second)
	def(&c.Poll, 100*time.Millisecond)
	def(&c.Timeout, 30*time.Second)
	if c.Connections == 0 {
		c.Connections = 128
	}
	if c.Lanes == 0 {
		c.Lanes = 20_000
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// Counts is what an engine has done since it started.
type Counts struct{ Claimed, Posted, Sent, Failed, Requeued, Held, Uncertain int64 }

type counters struct{ claimed, posted, sent, failed, requeued, held, uncertain atomic.Int64 }

// Engine drains lanes. Run it once per process.
type Engine struct {
	store    *models.Store
	dp       Dialpad
	market   Market
	accounts Accounts
	cfg      Config

	permits *permits
	wire    chan posting // what the connections take
	claims  *together[ledger.ClaimRequest, ledger.ClaimResult]
	looks   *together[ledger.Lane, ledger.LanePoll]
	settler *settler
	wake    chan struct{}
	count   counters

	mu    sync.Mutex
	lanes map[string]*lane
}

// New returns an engine over a store.
func New(store *models.Store, dp Dialpad, m Market, a Accounts, cfg Config) *Engine {
	cfg = cfg.withDefaults()
	e := &Engine{store: store, dp: dp, market: m, accounts: a, cfg: cfg,
		permits: newPermits(cfg.Connections), wire: make(chan posting, (1+aheadMost)*cfg.Connections), wake: make(chan struct{}, 1), lanes: map[string]*lane{}}
	e.claims = newTogether(claimWithin, store.Lanes.ClaimMany)
	e.looks = newTogether(lookWithin, store.Lanes.PollAllTenants)
	e.settler = newSettler(store, cfg.Log)
	return e
}

// Counts returns what the engine has done so far.
func (e *Engine) Counts() Counts {
	c := &e.count
	return Counts{Claimed: c.claimed.Load(), Posted: c.posted.Load(), Sent: c.sent.Load(), Failed: c.failed.Load(),
		Requeued: c.requeued.Load(), Held: c.held.Load(), Uncertain: c.uncertain.Load()}
}

func (e *Engine) counted(o ledger.Outcome) {
	switch o.State {
	case ledger.Sent:
		e.count.sent.Add(1)
	case ledger.Failed:
		e.count.failed.Add(1)
	case ledger.Waiting:
		e.count.requeued.Add(1)
	case ledger.Held:
		e.count.held.Add(1)
	case ledger.Uncertain:
		e.count.uncertain.Add(1)
	}
}

// Wake looks for due lanes now instead of at the next poll; call it after queueing in the same process.
func (e *Engine) Wake() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// Lanes returns how many lanes this engine holds.
func (e *Engine) Lanes() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.lanes)
}
