package connection

import (
	"context"
	"errors"
	"time"

	"dialpad-texting/app/eligibility"
	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/models"
)

const (
	refreshLease   = 30 * time.Second // longer than the request may take
	failurePause   = 10 * time.Second // nobody retries a failed refresh earlier
	minLeaseWait   = 25 * time.Millisecond
	maxLeaseWait   = 250 * time.Millisecond
	saveAttempts   = 12 // together about 35 s
	minSaveBackoff = 50 * time.Millisecond
	maxSaveBackoff = 5 * time.Second
)

var errNoRefreshToken = errors.New("the grant has no refresh token")

// Refresh returns a token newer than version, after a 401 with that one:
// another process's, or one it asks Dialpad for. One caller in the fleet
// holds a lease on the connection's row and asks; the others wait for its
// result. Errors as Token's.
func (s *Tokens) Refresh(ctx context.Context, tenantID string, version int64) (Token, error) {
	return s.refreshFrom(ctx, tenantID, version, s.readConnected)
}

func (s *Tokens) refreshFrom(ctx context.Context, tenantID string, version int64, read readConnection) (Token, error) {
	for wait := minLeaseWait; ; wait = min(2*wait, maxLeaseWait) {
		c, err := read(ctx, tenantID)
		if err != nil {
			return Token{}, err
		}
		if c.TokenVersion != version {
			return s.open(c)
		}
		if refusal := s.recentFailure(c); refusal != nil {
			return Token{}, refusal
		}
		t, err := s.tryRefresh(ctx, c)
		if !errors.Is(err, models.ErrLost) {
			return t, err
		}
		if err := s.cfg.Sleep(ctx, wait); err != nil {
			return Token{}, err
		}
	}
}

func (s *Tokens) recentFailure(c models.Connection) *eligibility.Refusal {
	if c.RefreshFailedAt == nil || s.store.Now().Sub(*c.RefreshFailedAt) >= failurePause {
		return nil
	}
	return eligibility.Unreachable(errors.New("a refresh failed a moment ago"))
}

// tryRefresh takes the lease and refreshes; models.ErrLost if another caller
// has it.
func (s *Tokens) tryRefresh(ctx context.Context, c models.Connection) (Token, error) {
	if c.RefreshLeaseUntil != nil && c.RefreshLeaseUntil.After(s.store.Now()) {
		return Token{}, models.ErrLost
	}
	holder := s.cfg.WorkerID + "/" + models.NewID() // the lease is this call's, not the process's
	if err := s.store.Connections.LeaseRefresh(ctx, c.TenantID, c.TokenVersion, holder, s.store.Now().Add(refreshLease)); err != nil {
		return Token{}, err
	}
	// Dialpad rotates with the first request, so a closed window must not
	// stop the rest.
	ctx = context.WithoutCancel(ctx)
	t, err := s.refresh(ctx, c)
	if err != nil {
		s.releaseLease(ctx, c.TenantID, holder, err)
	}
	return t, err
}

func (s *Tokens) releaseLease(ctx context.Context, tenantID, holder string, cause error) {
	var failed *time.Time
	var refusal *eligibility.Refusal
	if errors.As(cause, &refusal) && refusal.Code == eligibility.CodeUnreachable {
		now := s.store.Now()
		failed = &now
	}
	if err := s.store.Connections.ReleaseRefresh(ctx, tenantID, holder, failed); err != nil {
		s.log.Error("release refresh lease failed", "tenant", tenantID, "err", err)
	}
}

// refresh runs under the lease. A pair from an earlier refresh that is not
// saved yet comes first.
func (s *Tokens) refresh(ctx context.Context, c models.Connection) (Token, error) {
	if p, ok := s.cache.unsavedPair(c.TenantID, c.TokenVersion); ok {
		return s.save(ctx, c, p.spent, p.grant)
	}
	g, err := s.store.Connections.OpenGrant(c)
	if err != nil {
		return Token{}, err
	}
	if g.Refresh == "" {
		return Token{}, s.breakRefused(ctx, c.TenantID, c.TokenVersion, errNoRefreshToken)
	}
	return s.trade(ctx, c, g.Refresh, func(cause error) (Token, error) { return s.resolveInvalidGrant(ctx, c, g.Refresh, cause) })
}

// trade spends a refresh token for a new pair; invalid is called when
// Dialpad answers invalid_grant.
func (s *Tokens) trade(ctx context.Context, c models.Connection, refresh string, invalid func(error) (Token, error)) (Token, error) {
	request, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	pair, err := s.dp.Refresh(request, refresh)
	switch {
	case err == nil:
		return s.save(ctx, c, refresh, grantOf(pair))
	case errors.Is(err, dialpad.ErrInvalidGrant):
		return invalid(err)
	}
	// This may be Dialpad refusing our client id: the operator's to repair,
	// and no fault of this tenant's grant.
	s.log.Warn("refresh token failed", "tenant", c.TenantID, "err", err)
	return Token{}, eligibility.Unreachable(err)
}

// resolveInvalidGrant decides what an invalid_grant means: another process
// refreshed meanwhile; or Dialpad never issued the stored pair and still
// takes the one before; or the grant is gone, which breaks the connection.
func (s *Tokens) resolveInvalidGrant(ctx context.Context, c models.Connection, refresh string, cause error) (Token, error) {
	now, err := s.readGranted(ctx, c.TenantID)
	if err != nil {
		return Token{}, err
	}
	if now.TokenVersion != c.TokenVersion {
		return s.open(now)
	}
	previous, err := s.store.Connections.OpenPreviousRefresh(now)
	if err != nil {
		return Token{}, err
	}
	if previous == "" || previous == refresh {
		return Token{}, s.breakRefused(ctx, c.TenantID, c.TokenVersion, cause)
	}
	return s.trade(ctx, c, previous, func(error) (Token, error) {
		return Token{}, s.breakRefused(ctx, c.TenantID, c.TokenVersion, cause)
	})
}

// save stores a rotated pair before anyone uses it. The old one is spent, so
// save retries; a pair that the database does not take stays in memory for
// the next caller.
func (s *Tokens) save(ctx context.Context, c models.Connection, spent string, g models.Grant) (Token, error) {
	var err error
	backoff := minSaveBackoff
	for attempt := range saveAttempts {
		if attempt > 0 {
			_ = s.cfg.Sleep(ctx, backoff) // ctx does not end here
			backoff = min(2*backoff, maxSaveBackoff)
		}
		err = s.store.Connections.SaveRefreshed(ctx, c.TenantID, c.TokenVersion, spent, g)
		if err == nil {
			return s.saved(c, g), nil
		}
		if errors.Is(err, models.ErrLost) {
			return s.rowChanged(ctx, c, g)
		}
	}
	s.cache.keepUnsaved(c.TenantID, unsavedPair{version: c.TokenVersion, spent: spent, grant: g})
	s.log.Error("save rotated tokens failed, kept in memory", "tenant", c.TenantID, "err", err)
	return Token{}, err
}

func (s *Tokens) saved(c models.Connection, g models.Grant) Token {
	t, now := Token{Access: g.Access, Version: c.TokenVersion + 1}, s.store.Now()
	s.cache.dropUnsaved(c.TenantID)
	s.cache.put(c.TenantID, cachedToken{token: t, expires: g.ExpiresAt, issued: &now, readAt: s.now(), replaces: true})
	return t
}

// rowChanged handles a pair whose row has changed meanwhile: connected anew,
// or disconnected, and then the token is given back.
func (s *Tokens) rowChanged(ctx context.Context, c models.Connection, g models.Grant) (Token, error) {
	s.cache.dropUnsaved(c.TenantID)
	now, err := s.readGranted(ctx, c.TenantID)
	if err == nil {
		return s.open(now)
	}
	request, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	if _, revokeErr := s.revoker.revoke(request, grantOwner{CompanyID: c.CompanyID, UserID: c.DialpadUserID}, g.Access); revokeErr != nil {
		s.log.Warn("revoke token of disconnected tenant failed", "tenant", c.TenantID, "err", revokeErr)
	}
	return Token{}, err
}
