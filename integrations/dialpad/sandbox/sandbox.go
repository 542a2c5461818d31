// Package sandbox is a Dialpad to develop and test against, as awkward as the real one: string ids, zoneless times,
// fields that go missing, rotating tokens, pacing limits, signed events, and faults that can be switched on.
//
// Everything is in memory. Shapes follow Dialpad's OpenAPI file and developers.dialpad.com; where those are silent, the
// more awkward reading was taken.
package sandbox

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Options say which OAuth app the sandbox knows, and how it behaves. The zero value works for tests that use IssueToken.
type Options struct {
	ClientID     string
	ClientSecret string
	RedirectURIs []string // compared to the letter
	AppScopes    []string // special scopes granted to the app; nil = offline_access, change_log

	Now       func() time.Time // nil = time.Now; dates tokens, limits and events
	PublicURL string           // shown on the start page
	Log       *slog.Logger     // nil = none

	TokenTTL     time.Duration // life of an access token; 0 = an hour
	RefreshGrace time.Duration // how long a traded-in refresh token still works; 0 = not at all

	TextsPerMinute    int // per company, rolling; 0 = 100 (Dialpad's tier 0), negative = no limit
	RequestsPerSecond int // per company; 0 = 20, negative = no limit

	EventDelay      time.Duration // between pending, sent and delivered; 0 = at once
	RetryScale      float64       // multiplies the waits between deliveries; 0 = 1
	IncludeSenderID bool          // events of users carry sender_id
	NumericIDs      bool          // REST ids as bare numbers instead of strings
	CountOnly       bool          // remember counts of texts but not the texts: for long benchmarks
}

// Sandbox is one Dialpad. Safe for concurrent use.
type Sandbox struct {
	opts   Options
	now    func() time.Time
	log    *slog.Logger
	mux    *http.ServeMux
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
	gate   sync.Mutex // no goroutine starts once Close waits for them

	mu        sync.RWMutex // world, grants, hooks: everything below up to the line
	companies map[string]*company
	users     map[string]*User
	byNumber  map[string]*User
	codes     map[string]*authCode
	access    map[string]*accessToken
	refresh   map[string]*refreshToken
	outcomes  map[string]string // number → delivery result that texts to it end with
	rateStyle RateStyle

	ids        idSource
	ledger     ledger
	feed       feed
	faults     faults
	requests   ring[Request]
	deliveries ring[Delivery]
	pending    atomic.Int64 // chains of events under way
	limitCalls atomic.Int64
	senders    chan struct{}
	serveSMS   http.HandlerFunc
	hookClient *http.Client
}

// New makes an empty sandbox; SeedDemo or AddCompany fill it. Close ends its deliveries.
func New(opts Options) *Sandbox {
	s := &Sandbox{
		opts: opts, now: opts.Now, log: opts.Log,
		companies: map[string]*company{}, users: map[string]*User{}, byNumber: map[string]*User{},
		codes: map[string]*authCode{}, access: map[string]*accessToken{}, refresh: map[string]*refreshToken{},
		outcomes: map[string]string{}, senders: make(chan struct{}, 64),
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.opts.AppScopes == nil {
		s.opts.AppScopes = []string{"offline_access", "change_log"}
	}
	if s.opts.TokenTTL == 0 {
		s.opts.TokenTTL = time.Hour
	}
	if s.opts.RetryScale == 0 {
		s.opts.RetryScale = 1
	}
	s.opts.TextsPerMinute = limitOr(s.opts.TextsPerMinute, 100)
	s.opts.RequestsPerSecond = limitOr(s.opts.RequestsPerSecond, 20)
	s.requests.size, s.deliveries.size, s.feed.texts.size = 1000, 200, 500
	s.ledger.init(opts.CountOnly)
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.hookClient = newHookClient()
	s.mux = s.routes()
	return s
}

// limitOr reads an Options limit: 0 = the default, negative = none, which is 0 inside.
func limitOr(n, def int) int {
	switch {
	case n == 0:
		return def
	case n < 0:
		return 0
	}
	return n
}

// Close stops deliveries and lets go of requests that a fault holds open.
func (s *Sandbox) Close() {
	s.gate.Lock()
	s.cancel()
	s.gate.Unlock()
	s.wg.Wait()
	s.hookClient.CloseIdleConnections()
}

// spawn counts as pending until f is done. After Close it does nothing.
func (s *Sandbox) spawn(f func()) {
	s.gate.Lock()
	defer s.gate.Unlock()
	if s.ctx.Err() != nil {
		return
	}
	s.pending.Add(1)
	s.wg.Go(func() {
		defer s.pending.Add(-1)
		f()
	})
}

// ServeHTTP serves the API, OAuth and the pages.
func (s *Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == smsPath && r.Method == http.MethodPost { // the mux alone costs a tenth of this path
		s.serveSMS(w, r)
		return
	}
	s.mux.ServeHTTP(w, r)
}

func (s *Sandbox) routes() *http.ServeMux {
	mux := http.NewServeMux()
	s.serveSMS = s.api(reads, s.sendSMS)
	mux.Handle("GET /api/v2/users", s.api(reads, s.listUsers))
	mux.Handle("GET /api/v2/users/{id}", s.api(reads, s.getUser))
	mux.Handle("GET /api/v2/company", s.api(reads, admins(s.getCompany)))
	mux.Handle("GET /api/v2/company/{id}/smsoptout", s.api(reads, admins(s.listOptOuts)))
	mux.Handle("GET /api/v2/app/settings", s.api(reads, s.getAppSettings))
	mux.Handle("POST /api/v2/webhooks", s.api(writes, s.createWebhook))
	mux.Handle("GET /api/v2/webhooks", s.api(reads, s.listWebhooks))
	mux.Handle("GET /api/v2/webhooks/{id}", s.api(reads, s.getWebhook))
	mux.Handle("DELETE /api/v2/webhooks/{id}", s.api(writes, s.deleteWebhook))
	for kind, guard := range map[subscriptionKind]func(apiFunc) apiFunc{smsEvents: anyone, changeLog: admins} {
		path := "/api/v2/subscriptions/" + string(kind)
		mux.Handle("POST "+path, s.api(writes, guard(s.createSubscription(kind))))
		mux.Handle("GET "+path, s.api(reads, guard(s.listSubscriptions(kind))))
		mux.Handle("GET "+path+"/{id}", s.api(reads, guard(s.getSubscription(kind))))
		mux.Handle("DELETE "+path+"/{id}", s.api(writes, guard(s.deleteSubscription(kind))))
	}
	mux.Handle("/api/", s.api(reads, func(*call) answer { return refuse(http.StatusNotFound, "Not found") }))
	mux.Handle("POST /oauth2/token", s.open(writes, s.redeemToken))
	mux.Handle("POST /oauth2/deauthorize", s.api(writes, s.deauthorize))
	s.pages(mux)
	return mux
}
