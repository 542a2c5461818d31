package market

import (
	"context"
	"errors"
	"time"

	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

const (
	refreshLease = 30 * time.Second // longer than the request may take
	refreshRest  = 10 * time.Second // after a refresh that failed nobody tries again for so long
	firstWait    = 25 * time.Millisecond
	longestWait  = 250 * time.Millisecond
	keepTries    = 12 // from 50 ms doubling to 5 s: some 35 s
)

// brokenWords is the admin's sentence when Dialpad turns the grant down.
const brokenWords = "Dialpad no longer accepts the connection. Connect again to go on texting."

var errNoRefreshToken = errors.New("the grant has no refresh token")

// unkeptPair is a rotated pair that the database would not take: the old one is spent, so this is all there is.
type unkeptPair struct {
	version int64 // that it replaces
	old     string
	grant   models.Grant
}

// Refreshed gives a token newer than this version, after a 401 with it: another process's, or one that is fetched
// now. In the fleet one caller asks Dialpad, by a lease on the row; the others wait for its result. Errors as Token's.
func (m *Market) Refreshed(ctx context.Context, tenantID string, version int64) (Token, error) {
	return m.refreshedFrom(ctx, tenantID, version, m.live)
}

func (m *Market) refreshed(ctx context.Context, tenantID string, version int64) (Token, error) {
	return m.refreshedFrom(ctx, tenantID, version, m.anyGrant)
}

func (m *Market) refreshedFrom(ctx context.Context, tenantID string, version int64, read readConnection) (Token, error) {
	for wait := firstWait; ; wait = min(2*wait, longestWait) {
		c, err := read(ctx, tenantID)
		if err != nil {
			return Token{}, err
		}
		if c.TokenVersion != version {
			return m.open(c)
		}
		if refusal := m.failedLately(c); refusal != nil {
			return Token{}, refusal
		}
		t, err := m.tryRefresh(ctx, c)
		if !errors.Is(err, models.ErrLost) {
			return t, err
		}
		if err := m.cfg.Sleep(ctx, wait); err != nil {
			return Token{}, err
		}
	}
}

func (m *Market) failedLately(c models.Connection) *Refusal {
	if c.RefreshFailedAt == nil || m.store.Now().Sub(*c.RefreshFailedAt) >= refreshRest {
		return nil
	}
	return Unreachable(errors.New("a refresh failed a moment ago"))
}

// tryRefresh refreshes if nobody else does: models.ErrLost when somebody does.
func (m *Market) tryRefresh(ctx context.Context, c models.Connection) (Token, error) {
	if c.RefreshLeaseUntil != nil && c.RefreshLeaseUntil.After(m.store.Now()) {
		return Token{}, models.ErrLost
	}
	by := m.cfg.WorkerID + "/" + models.NewID() // each call its own: the lease is not the process's
	if err := m.store.Connections.LeaseRefresh(ctx, c.TenantID, c.TokenVersion, by, m.store.Now().Add(refreshLease)); err != nil {
		return Token{}, err
	}
	// From here on nobody's closed window may stop it: Dialpad rotates with the first request.
	ctx = context.WithoutCancel(ctx)
	t, err := m.refresh(ctx, c)
	if err != nil {
		m.release(ctx, c.TenantID, by, err)
	}
	return t, err
}

func (m *Market) release(ctx context.Context, tenantID, by string, cause error) {
	var failed *time.Time
	var refusal *Refusal
	if errors.As(cause, &refusal) && refusal.Code == CodeUnreachable {
		now := m.store.Now()
		failed = &now
	}
	if err := m.store.Connections.ReleaseRefresh(ctx, tenantID, by, failed); err != nil {
		m.log.Error("a refresh lease could not be given back", "tenant", tenantID, "err", err)
	}
}

func (m *Market) refresh(ctx context.Context, c models.Connection) (Token, error) {
	if p, ok := m.unkeptOf(c); ok {
		return m.keep(ctx, c, p.old, p.grant)
	}
	g, err := m.store.Connections.OpenGrant(c)
	if err != nil {
		return Token{}, err
	}
	if g.Refresh == "" {
		return m.gone(ctx, c, errNoRefreshToken)
	}
	return m.trade(ctx, c, g.Refresh, func(cause error) (Token, error) { return m.contested(ctx, c, g.Refresh, cause) })
}

// trade spends a refresh token; refused is what to do when Dialpad says it is not good.
func (m *Market) trade(ctx context.Context, c models.Connection, refresh string, refused func(error) (Token, error)) (Token, error) {
	asking, cancel := context.WithTimeout(ctx, askingFor)
	defer cancel()
	pair, err := m.dp.Refresh(asking, refresh)
	switch {
	case err == nil:
		return m.keep(ctx, c, refresh, grantOf(pair))
	case errors.Is(err, dialpad.ErrInvalidGrant):
		return refused(err)
	}
	// Also when Dialpad refuses our client id: that is the operator's to mend, and no fault of this tenant's grant.
	m.log.Warn("a token could not be refreshed", "tenant", c.TenantID, "err", err)
	return Token{}, Unreachable(err)
}

// contested decides what an invalid_grant means: somebody rotated meanwhile; or the pair we have never came to be at
// Dialpad, which may still take the one before; or the grant is gone.
func (m *Market) contested(ctx context.Context, c models.Connection, refresh string, cause error) (Token, error) {
	now, err := m.anyGrant(ctx, c.TenantID)
	if err != nil {
		return Token{}, err
	}
	if now.TokenVersion != c.TokenVersion {
		return m.open(now)
	}
	previous, err := m.store.Connections.OpenPreviousRefresh(now)
	if err != nil {
		return Token{}, err
	}
	if previous == "" || previous == refresh {
		return m.gone(ctx, c, cause)
	}
	return m.trade(ctx, c, previous, func(error) (Token, error) { return m.gone(ctx, c, cause) })
}

// gone breaks a connection whose grant can't be refreshed any more.
func (m *Market) gone(ctx context.Context, c models.Connection, cause error) (Token, error) {
	if err := m.Broken(ctx, c.TenantID, c.TokenVersion, brokenWords); err != nil {
		return Token{}, err
	}
	refusal := NotConnected(ledger.HeldBroken, brokenWords)
	refusal.Cause = cause
	return Token{}, refusal
}

// keep stores a rotated pair before anyone uses it. The old one is spent, so the database is asked again and again;
// what it does not take stays in memory for the next caller.
func (m *Market) keep(ctx context.Context, c models.Connection, old string, g models.Grant) (Token, error) {
	var err error
	wait := 2 * firstWait
	for try := range keepTries {
		if try > 0 {
			_ = m.cfg.Sleep(ctx, wait) // ctx has no end here
			wait = min(2*wait, 5*time.Second)
		}
		err = m.store.Connections.SaveRefreshed(ctx, c.TenantID, c.TokenVersion, old, g)
		if err == nil {
			return m.kept(c, g), nil
		}
		if errors.Is(err, models.ErrLost) {
			return m.overtaken(ctx, c, g)
		}
	}
	m.mu.Lock()
	m.unkept[c.TenantID] = unkeptPair{version: c.TokenVersion, old: old, grant: g}
	m.mu.Unlock()
	m.log.Error("a rotated pair of tokens could not be stored; it is kept in memory", "tenant", c.TenantID, "err", err)
	return Token{}, err
}

func (m *Market) kept(c models.Connection, g models.Grant) Token {
	t, now := Token{Access: g.Access, Version: c.TokenVersion + 1}, m.store.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.unkept, c.TenantID)
	m.tokens[c.TenantID] = cachedToken{token: t, expires: g.ExpiresAt, issued: &now, readAt: m.now(), replacing: true}
	return t
}

// overtaken is a pair that came when the row had moved on: connected anew, or disconnected, and then nobody may go on
// holding a good token.
func (m *Market) overtaken(ctx context.Context, c models.Connection, g models.Grant) (Token, error) {
	m.mu.Lock()
	delete(m.unkept, c.TenantID)
	m.mu.Unlock()
	now, err := m.anyGrant(ctx, c.TenantID)
	if err == nil {
		return m.open(now)
	}
	asking, cancel := context.WithTimeout(ctx, askingFor)
	defer cancel()
	if revoked := m.dp.Revoke(asking, g.Access); revoked != nil {
		m.log.Warn("a token of a disconnected tenant could not be revoked", "tenant", c.TenantID, "err", revoked)
	}
	return Token{}, err
}

func (m *Market) unkeptOf(c models.Connection) (unkeptPair, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p, ok := m.unkept[c.TenantID]
	return p, ok && p.version == c.TokenVersion
}

func grantOf(t dialpad.Token) models.Grant {
	g := models.Grant{Access: t.Access, Refresh: t.Refresh}
	if !t.Expiry.IsZero() {
		g.ExpiresAt = &t.Expiry
	}
	return g
}
