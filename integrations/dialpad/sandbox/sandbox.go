// Package sandbox is a fake Dialpad to develop and test against. It is
// as awkward as the real one: string ids, times without a zone, missing
// fields, rotating tokens, rate limits, signed events, and faults that
// can be switched on.
//
// Everything is in memory. Shapes follow Dialpad's OpenAPI file and
// developers.dialpad.com. Where those are silent, it does the more
// awkward thing.
package sandbox

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"time"
)

// Options configure a sandbox. The zero value suits tests that use
// IssueToken.
type Options struct {
	ClientID     string
	AppName      string // what the consent page calls the app; "" is ClientID
	ClientSecret string
	RedirectURIs []string // compared exactly
	AppScopes    []string // special scopes of the app; nil: offline_access, change_log

	Now       func() time.Time // dates tokens, limits and events; nil: time.Now
	PublicURL string           // shown on the start page
	Log       *slog.Logger     // nil: none

	TokenTTL     time.Duration // lifetime of an access token; 0: an hour
	RefreshGrace time.Duration // how long a used refresh token still works; 0: not at all

	TextsPerMinute    int // per company, rolling; 0: 100 (Dialpad's tier 0); negative: no limit
	RequestsPerSecond int // per company; 0: 20; negative: no limit

	EventDelay      time.Duration // between pending, sent and delivered; 0: none
	RetryScale      float64       // multiplies the waits between deliveries; 0: 1
	IncludeSenderID bool          // events of users have a sender_id
	NumericIDs      bool          // REST ids as numbers instead of strings
	CountOnly       bool          // count texts without keeping them, for long benchmarks
	KeepPosts       bool          // remember the last POST to each number, see LastPost
}

// Sandbox is one fake Dialpad. It is safe for concurrent use.
//
// Its parts are embedded, so that their methods are the sandbox's own.
type Sandbox struct {
	*Directory
	*OAuthServer
	*PhoneNetwork
	*EventSender
	*FaultInjector
	*Recorder

	state      *state
	background *background
	mux        *http.ServeMux
	serveSMS   http.HandlerFunc
}

// New returns an empty sandbox; SeedDemo or AddCompany fill it.
func New(opts Options) *Sandbox {
	st := newState(opts)
	bg := newBackground()
	faults := &FaultInjector{}
	recorder := newRecorder(opts)
	events := newEventSender(st, faults, bg)
	s := &Sandbox{
		Directory:     &Directory{state: st, events: events},
		OAuthServer:   &OAuthServer{state: st},
		PhoneNetwork:  newPhoneNetwork(st, events),
		EventSender:   events,
		FaultInjector: faults,
		Recorder:      recorder,
		state:         st,
		background:    bg,
	}
	s.mux = s.routes()
	return s
}

// withDefaults fills in what the zero value stands for.
func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.AppScopes == nil {
		o.AppScopes = []string{"offline_access", "change_log"}
	}
	o.Log = cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	o.TokenTTL = cmp.Or(o.TokenTTL, time.Hour)
	o.RetryScale = cmp.Or(o.RetryScale, 1)
	o.TextsPerMinute = max(0, cmp.Or(o.TextsPerMinute, 100))
	o.RequestsPerSecond = max(0, cmp.Or(o.RequestsPerSecond, 20))
	return o
}

// Close stops event deliveries and ends requests that a fault holds open.
func (s *Sandbox) Close() {
	s.background.stop()
	s.EventSender.client.CloseIdleConnections()
}

// Drain waits until no event delivery is pending.
func (s *Sandbox) Drain(ctx context.Context) error { return s.background.drain(ctx) }

// SetRateLimitStyle changes how the sandbox refuses calls over a limit.
func (s *Sandbox) SetRateLimitStyle(style RateLimitStyle) {
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	s.state.rateLimitStyle = style
}

// ServeHTTP serves the API, OAuth and the pages.
func (s *Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == smsPath && r.Method == http.MethodPost { // the mux costs a tenth of this path
		s.serveSMS(w, r)
		return
	}
	s.mux.ServeHTTP(w, r)
}

func (s *Sandbox) routes() *http.ServeMux {
	mux := http.NewServeMux()
	server := &apiServer{state: s.state, faults: s.FaultInjector, recorder: s.Recorder, background: s.background}
	sms := &smsAPI{state: s.state, recorder: s.Recorder, feed: &s.PhoneNetwork.feed, events: s.EventSender}
	s.serveSMS = server.withToken(readLock, sms.send)
	(&usersAPI{state: s.state}).register(mux, server)
	(&companyAPI{s.state}).register(mux, server)
	(&webhooksAPI{s.state}).register(mux, server)
	(&subscriptionsAPI{s.state, smsEvents}).register(mux, server, anyUser)
	(&subscriptionsAPI{s.state, changeLog}).register(mux, server, companyAdmin)
	mux.Handle("/api/", server.withToken(readLock, func(*apiRequest) response { return refuse(http.StatusNotFound, "Not found") }))
	mux.Handle("POST /oauth2/token", server.withoutToken(writeLock, s.OAuthServer.redeemToken))
	mux.Handle("POST /oauth2/deauthorize", server.withToken(writeLock, s.OAuthServer.deauthorize))
	registerPages(mux, s)
	return mux
}
