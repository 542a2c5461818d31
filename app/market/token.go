package market

import (
	"context"
	"errors"
	"hash/fnv"
	"time"

	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

const (
	cacheFor  = 5 * time.Second // how long a process may miss that another one refreshed or disconnected
	earliest  = 2 * time.Minute // before expiry, tokens are refreshed between earliest and latest
	latest    = time.Minute
	askingFor = 20 * time.Second // a question to Dialpad that nobody's request carries
)

// Token is an access token; Version tells which one, so that a 401 blames the right one.
type Token struct {
	Access  string
	Version int64
}

type cachedToken struct {
	token     Token
	expires   *time.Time
	issued    *time.Time
	readAt    time.Time
	replacing bool // the pair that this one replaced is still kept
}

// Token gives the tenant's access token, refreshed a little before it expires. Errors: *Refusal (not_connected,
// dialpad_unreachable) or the database's.
func (m *Market) Token(ctx context.Context, tenantID string) (Token, error) {
	if t, ok := m.cached(tenantID); ok {
		return t, nil
	}
	c, err := m.live(ctx, tenantID)
	if err != nil {
		return Token{}, err
	}
	return m.tokenOf(ctx, c)
}

func (m *Market) tokenOf(ctx context.Context, c models.Connection) (Token, error) {
	switch {
	case !m.dueForRefresh(c.TenantID, c.TokenIssuedAt, c.TokenExpiresAt):
		return m.open(c)
	case !m.now().Before(*c.TokenExpiresAt):
		return m.refreshed(ctx, c.TenantID, c.TokenVersion)
	}
	// Still good: whoever gets the lease refreshes, nobody waits, and an outage does no harm yet.
	if m.failedLately(c) == nil {
		t, err := m.tryRefresh(ctx, c)
		var refusal *Refusal
		if err == nil || errors.As(err, &refusal) && refusal.Code == CodeConnect {
			return t, err
		}
	}
	return m.open(c)
}

// live reads a connection that has a grant, be it broken: the caller says whether that matters.
func (m *Market) live(ctx context.Context, tenantID string) (models.Connection, error) {
	c, err := m.anyGrant(ctx, tenantID)
	if err == nil && c.State == models.Broken {
		return c, NotConnected(ledger.HeldBroken, c.Reason)
	}
	return c, err
}

func (m *Market) anyGrant(ctx context.Context, tenantID string) (models.Connection, error) {
	c, err := m.store.Connections.Get(ctx, tenantID)
	switch {
	case errors.Is(err, models.ErrNotFound), err == nil && c.State == models.Disconnected:
		m.forgetToken(tenantID)
		return c, NotConnected(ledger.HeldDisconnected, "Dialpad is not connected.")
	}
	return c, err
}

// dueForRefresh spreads the tenants over a minute, each always at its own place in it. A token that lives for minutes
// only is refreshed in the last fifth of its life: else each call would find it due.
func (m *Market) dueForRefresh(tenantID string, issued, expires *time.Time) bool {
	if expires == nil {
		return false
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(tenantID))
	lead := latest + time.Duration(h.Sum32()%uint32((earliest-latest)/time.Millisecond))*time.Millisecond
	if issued != nil {
		lead = min(lead, expires.Sub(*issued)/5)
	}
	return !m.now().Before(expires.Add(-lead))
}

func (m *Market) open(c models.Connection) (Token, error) {
	g, err := m.store.Connections.OpenGrant(c)
	if err != nil {
		return Token{}, err
	}
	t := Token{Access: g.Access, Version: c.TokenVersion}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tokens[c.TenantID] = cachedToken{token: t, expires: c.TokenExpiresAt, issued: c.TokenIssuedAt, readAt: m.now(), replacing: !c.PreviousRefresh.Empty()}
	return t, nil
}

func (m *Market) cached(tenantID string) (Token, bool) {
	m.mu.Lock()
	c, ok := m.tokens[tenantID]
	m.mu.Unlock()
	fresh := ok && m.now().Sub(c.readAt) < cacheFor && !m.dueForRefresh(tenantID, c.issued, c.expires)
	return c.token, fresh
}

func (m *Market) forgetToken(tenantID string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.tokens, tenantID)
}

// TokenWorked notes that Dialpad accepted the token of this version: the pair it replaced is forgotten.
func (m *Market) TokenWorked(ctx context.Context, tenantID string, version int64) {
	m.mu.Lock()
	c, ok := m.tokens[tenantID]
	news := ok && c.token.Version == version && c.replacing
	if news {
		c.replacing = false
		m.tokens[tenantID] = c
	}
	m.mu.Unlock()
	if !news {
		return
	}
	if err := m.store.Connections.ConfirmToken(ctx, tenantID, version); err != nil {
		m.log.Warn("a replaced refresh token could not be forgotten", "tenant", tenantID, "err", err)
	}
}

// Do runs f with the tenant's token. A 401 has the token refreshed once; a second one breaks the connection. Other
// errors of f come back as they are; *Refusal where there is no token to be had.
func (m *Market) Do(ctx context.Context, tenantID string, f func(token string) error) error {
	return m.do(ctx, tenantID, m.live, f)
}

type readConnection func(ctx context.Context, tenantID string) (models.Connection, error)

func (m *Market) do(ctx context.Context, tenantID string, read readConnection, f func(token string) error) error {
	t, err := m.try(ctx, tenantID, read, f)
	var refusal *Refusal // may have a 401 as its cause: our own client id's, which is not the grant's fault
	if errors.As(err, &refusal) || dialpad.KindOf(err) != dialpad.Unauthorized {
		return err
	}
	if broken := m.Broken(ctx, tenantID, t.Version, brokenWords); broken != nil {
		return errors.Join(err, broken)
	}
	refusal = NotConnected(ledger.HeldBroken, brokenWords)
	refusal.Cause = err
	return refusal
}

// try is do without a verdict: a token that was refreshed and is turned down all the same comes back with its 401.
func (m *Market) try(ctx context.Context, tenantID string, read readConnection, f func(token string) error) (Token, error) {
	c, err := read(ctx, tenantID)
	if err != nil {
		return Token{}, err
	}
	t, err := m.tokenOf(ctx, c)
	if err != nil {
		return t, err
	}
	if err = f(t.Access); dialpad.KindOf(err) == dialpad.Unauthorized {
		if t, err = m.refreshedFrom(ctx, tenantID, t.Version, read); err != nil {
			return t, err
		}
		err = f(t.Access)
	}
	if err == nil {
		m.TokenWorked(ctx, tenantID, t.Version)
	}
	return t, err
}
