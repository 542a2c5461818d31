package connection

import (
	"context"
	"errors"
	"hash/fnv"
	"log/slog"
	"time"

	"dialpad-texting/app/eligibility"
	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

const (
	tokenCacheTTL   = 5 * time.Second // how late a process may notice another's refresh or disconnect
	maxRefreshLead  = 2 * time.Minute // tokens are refreshed so long before they expire,
	minRefreshLead  = time.Minute     // but not later than this
	refreshLeadPart = 5               // of a short token's life: the last fifth
	requestTimeout  = 20 * time.Second
)

// Token is an access token; Version says which one, so that a 401 is counted
// against the right one.
type Token struct {
	Access  string
	Version int64
}

// Tokens returns the tenants' access tokens and refreshes them: one
// refresher per connection in the whole fleet. It is safe for concurrent
// use.
type Tokens struct {
	store   *models.Store
	dp      *dialpad.Client
	cfg     Config
	log     *slog.Logger
	cache   *tokenCache
	revoker revoker
}

// NewTokens returns the Tokens of a store.
func NewTokens(store *models.Store, dp *dialpad.Client, cfg Config) *Tokens {
	cfg = cfg.withDefaults(store)
	return &Tokens{store: store, dp: dp, cfg: cfg, log: cfg.Log, cache: newTokenCache(), revoker: revoker{store, dp, cfg.Log}}
}

func (s *Tokens) now() time.Time { return s.cfg.Now().UTC() }

// Token returns the tenant's access token, refreshed a little before it
// expires. Errors: *eligibility.Refusal (not_connected,
// dialpad_unreachable), or the database's.
func (s *Tokens) Token(ctx context.Context, tenantID string) (Token, error) {
	if t, ok := s.cached(tenantID); ok {
		return t, nil
	}
	c, err := s.readConnected(ctx, tenantID)
	if err != nil {
		return Token{}, err
	}
	return s.tokenOf(ctx, c)
}

func (s *Tokens) tokenOf(ctx context.Context, c models.Connection) (Token, error) {
	switch {
	case !s.dueForRefresh(c.TenantID, c.TokenIssuedAt, c.TokenExpiresAt):
		return s.open(c)
	case !s.now().Before(*c.TokenExpiresAt):
		return s.refreshFrom(ctx, c.TenantID, c.TokenVersion, s.readGranted)
	}
	// Still valid: whoever gets the lease refreshes, nobody waits, and an
	// outage does no harm yet.
	if s.recentFailure(c) == nil {
		t, err := s.tryRefresh(ctx, c)
		var refusal *eligibility.Refusal
		if err == nil || errors.As(err, &refusal) && refusal.Code == eligibility.CodeConnect {
			return t, err
		}
	}
	return s.open(c)
}

// readConnection reads a tenant's connection, or returns why it can't be
// used.
type readConnection func(ctx context.Context, tenantID string) (models.Connection, error)

// readConnected reads a connection and refuses a broken one.
func (s *Tokens) readConnected(ctx context.Context, tenantID string) (models.Connection, error) {
	c, err := s.readGranted(ctx, tenantID)
	if err == nil && c.State == models.Broken {
		return c, eligibility.NotConnected(ledger.HeldBroken, c.Reason)
	}
	return c, err
}

// readGranted reads a connection that has a grant, be it broken.
func (s *Tokens) readGranted(ctx context.Context, tenantID string) (models.Connection, error) {
	c, err := s.store.Connections.Get(ctx, tenantID)
	switch {
	case errors.Is(err, models.ErrNotFound), err == nil && c.State == models.Disconnected:
		s.forget(tenantID)
		return c, eligibility.NotConnected(ledger.HeldDisconnected, eligibility.DisconnectedReason)
	}
	return c, err
}

// dueForRefresh spreads the tenants over a minute, each at its own fixed
// place. A token with a short life is refreshed in its last fifth, or it
// would be due at each call.
func (s *Tokens) dueForRefresh(tenantID string, issued, expires *time.Time) bool {
	if expires == nil {
		return false
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(tenantID))
	lead := minRefreshLead + time.Duration(h.Sum32()%uint32((maxRefreshLead-minRefreshLead)/time.Millisecond))*time.Millisecond
	if issued != nil {
		lead = min(lead, expires.Sub(*issued)/refreshLeadPart)
	}
	return !s.now().Before(expires.Add(-lead))
}

func (s *Tokens) open(c models.Connection) (Token, error) {
	g, err := s.store.Connections.OpenGrant(c)
	if err != nil {
		return Token{}, err
	}
	t := Token{Access: g.Access, Version: c.TokenVersion}
	s.cache.put(c.TenantID, cachedToken{token: t, expires: c.TokenExpiresAt, issued: c.TokenIssuedAt, readAt: s.now(),
		replaces: !c.PreviousRefresh.Empty()})
	return t, nil
}

func (s *Tokens) cached(tenantID string) (Token, bool) {
	c, ok := s.cache.get(tenantID)
	fresh := ok && s.now().Sub(c.readAt) < tokenCacheTTL && !s.dueForRefresh(tenantID, c.issued, c.expires)
	return c.token, fresh
}

func (s *Tokens) forget(tenantID string) { s.cache.forget(tenantID) }

// MarkAccepted notes that Dialpad accepted the token of this version: the
// pair that it replaced is forgotten.
func (s *Tokens) MarkAccepted(ctx context.Context, tenantID string, version int64) {
	if !s.cache.acceptFirst(tenantID, version) {
		return
	}
	if err := s.store.Connections.ConfirmToken(ctx, tenantID, version); err != nil {
		s.log.Warn("forget replaced refresh token failed", "tenant", tenantID, "err", err)
	}
}

// Do calls f with the tenant's token. After a 401 the token is refreshed and
// f called once more; a second 401 breaks the connection. Other errors of f
// are returned as they are; *eligibility.Refusal if there is no token.
func (s *Tokens) Do(ctx context.Context, tenantID string, f func(token string) error) error {
	return s.do(ctx, tenantID, s.readConnected, f)
}

func (s *Tokens) do(ctx context.Context, tenantID string, read readConnection, f func(token string) error) error {
	t, err := s.try(ctx, tenantID, read, f)
	var refusal *eligibility.Refusal // its cause may be a 401 of our own client id, which is not the grant's fault
	if errors.As(err, &refusal) || dialpad.KindOf(err) != dialpad.Unauthorized {
		return err
	}
	broken := s.breakRefused(ctx, tenantID, t.Version, err)
	if !errors.As(broken, &refusal) {
		return errors.Join(err, broken)
	}
	return broken
}

// try is do without breaking: a refreshed token that is refused all the same
// is returned with its 401.
func (s *Tokens) try(ctx context.Context, tenantID string, read readConnection, f func(token string) error) (Token, error) {
	c, err := read(ctx, tenantID)
	if err != nil {
		return Token{}, err
	}
	t, err := s.tokenOf(ctx, c)
	if err != nil {
		return t, err
	}
	if err = f(t.Access); dialpad.KindOf(err) == dialpad.Unauthorized {
		if t, err = s.refreshFrom(ctx, tenantID, t.Version, read); err != nil {
			return t, err
		}
		err = f(t.Access)
	}
	if err == nil {
		s.MarkAccepted(ctx, tenantID, t.Version)
	}
	return t, err
}
