package delivery

import (
	"context"
	"sync"
	"time"

	"dialpad-texting/internal/coalesce"
	"dialpad-texting/internal/ctxtime"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// Engine drains lanes. Run it once per process.
type Engine struct {
	store    *models.Store
	dp       Dialpad
	eligible Eligibility
	tokens   Tokens
	accounts Accounts
	cfg      Config

	limiter  *limiter
	requests chan request // what the connections take
	posters  *posters
	claims   *coalesce.Batcher[ledger.ClaimRequest, ledger.ClaimResult]
	polls    *coalesce.Batcher[ledger.Lane, ledger.LanePoll]
	checks   *coalesce.Batcher[ledger.PostRef, ledger.PostCheck]
	settler  *settler
	notify   chan struct{}
	count    counters

	reading     sync.WaitGroup  // senders in the background
	readingCtx  context.Context //nolint:containedctx // ends with Run, not with a lane's step
	stopReading context.CancelFunc

	mu    sync.Mutex
	lanes map[string]*lane
}

const (
	followUpInterval = 50 * time.Millisecond
	// handBackTimeout bounds the last writes of an engine that stops.
	handBackTimeout = 5 * time.Second
)

// New returns an engine over a store.
func New(store *models.Store, dp Dialpad, eligible Eligibility, tokens Tokens, a Accounts, cfg Config) *Engine {
	cfg = cfg.withDefaults()
	e := &Engine{store: store, dp: dp, eligible: eligible, tokens: tokens, accounts: a, cfg: cfg,
		limiter:  newLimiter(cfg.Connections),
		requests: make(chan request, (1+maxAhead)*cfg.Connections),
		claims:   coalesce.NewBatcher(claimWait, store.Lanes.ClaimMany),
		polls:    coalesce.NewBatcher(pollWait, store.Lanes.PollAllTenants),
		checks:   coalesce.NewBatcher(checkWait, store.Messages.MarkPostedAllTenants),
		settler:  newSettler(store, cfg.Log),
		notify:   make(chan struct{}, 1),
		lanes:    map[string]*lane{}}
	e.posters = newPosters(e)
	e.readingCtx, e.stopReading = context.WithCancel(context.Background())
	return e
}

// Notify starts the search for due lanes now instead of at the
// next interval. Call it after queueing in the same process.
func (e *Engine) Notify() {
	select {
	case e.notify <- struct{}{}:
	default:
	}
}

// Lanes returns how many lanes this engine holds.
func (e *Engine) Lanes() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.lanes)
}

// Run drains due lanes until ctx ends. Then it claims nothing more, waits for
// the answers to what is on the wire, writes them and hands its lanes back.
func (e *Engine) Run(ctx context.Context) error {
	var settling, asking, checking, loops, drains, renewing sync.WaitGroup
	settling.Go(e.settler.run)
	// Leases are renewed until what is on the wire is settled. If another
	// worker took a lane over before, those texts would become uncertain.
	leased, stopRenewing := context.WithCancel(context.WithoutCancel(ctx))
	defer stopRenewing()
	renewing.Go(func() { ctxtime.Every(leased, e.cfg.Lease/3, e.renewLeases) })
	asking.Go(e.claims.Run)
	asking.Go(e.polls.Run)
	checking.Go(e.checks.Run)
	e.posters.start(e.cfg.Connections)
	watched, stopWatching := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWatching()
	loops.Go(func() { e.posters.watch(watched) })
	loops.Go(func() { ctxtime.Every(ctx, followUpInterval, e.settler.followUp) })
	e.acquireLanes(ctx, &drains)
	drains.Wait()
	e.stopReading()
	e.reading.Wait()
	e.claims.Close()
	e.polls.Close()
	close(e.requests)
	asking.Wait()
	e.posters.running.Wait()
	stopWatching()
	e.checks.Close()
	checking.Wait()
	loops.Wait()
	close(e.settler.gatherer.In)
	settling.Wait()
	stopRenewing()
	renewing.Wait()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), handBackTimeout)
	defer cancel()
	e.settler.followUp(last)
	if err := e.store.Lanes.ReleaseOwnedAllTenants(last, e.cfg.WorkerID); err != nil {
		return err
	}
	return ctx.Err()
}
