package delivery

import (
	"context"
	"errors"
	"sync"

	"dialpad-texting/app/connection"
	"dialpad-texting/app/eligibility"
	"dialpad-texting/models/ledger"
)

// tokenState remembers versions of the lane's access token.
type tokenState struct {
	mu        sync.Mutex
	refreshed int64 // what the last 401 was answered with
	accepted  int64 // the last that Dialpad accepted
}

// accept notes that Dialpad accepted a version
// and reports whether it is the first time.
func (s *tokenState) accept(version int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := s.accepted != version
	s.accepted = version
	return first
}

// isRefusedAgain reports whether a version that
// got a 401 came from a refresh and never worked.
func (s *tokenState) isRefusedAgain(version int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refreshed != 0 && version == s.refreshed && s.accepted != version
}

func (s *tokenState) refresh(version int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refreshed = version
}

// hasToken reports whether the lane may claim as far as its token is concerned.
// Without permits and before the claim, for a refresh may take long. A lane
// without a connection claims too: its texts are held.
func hasToken(ctx context.Context, l *lane) bool {
	_, err := l.e.tokens.Token(ctx, l.TenantID)
	var refusal *eligibility.Refusal
	if err == nil || errors.As(err, &refusal) && refusal.Code == eligibility.CodeConnect {
		return true
	}
	l.e.cfg.Log.Warn("get token failed", "tenant", l.TenantID, "err", err)
	l.throttle.notBefore(l.e.cfg.Now().Add(readBackoff))
	return false
}

func (l *lane) tokenAccepted(ctx context.Context, token connection.Token) {
	if l.token.accept(token.Version) {
		l.e.tokens.MarkAccepted(ctx, l.TenantID, token.Version)
	}
}

// unauthorized refreshes the token after a 401, once. If Dialpad
// refuses a token that was just refreshed, the grant is gone.
func (l *lane) unauthorized(ctx context.Context, token connection.Token, c ledger.ClaimedMessage) {
	if l.token.isRefusedAgain(token.Version) {
		err := l.e.tokens.Break(ctx, l.TenantID, token.Version, "Dialpad no longer accepts the connection. Reconnect to go on.")
		if err == nil {
			err = eligibility.NotConnected(ledger.HeldBroken, "")
		}
		l.settleWithoutToken(ctx, []ledger.ClaimedMessage{c}, err)
		return
	}
	fresh, err := l.e.tokens.Refresh(ctx, l.TenantID, token.Version)
	if err != nil {
		l.settleWithoutToken(ctx, []ledger.ClaimedMessage{c}, err)
		return
	}
	l.token.refresh(fresh.Version)
	l.requeue(c, "token_refreshed", "Dialpad asked for a new token; this text goes again")
}

// settleWithoutToken holds texts when there is no connection any more,
// and requeues them when the token could not be had for another reason.
func (l *lane) settleWithoutToken(ctx context.Context, texts []ledger.ClaimedMessage, err error) {
	var refusal *eligibility.Refusal
	if errors.As(err, &refusal) && refusal.Code == eligibility.CodeConnect {
		for _, c := range texts {
			l.refuse(ctx, c, refusal)
		}
		return
	}
	l.e.cfg.Log.Warn("get token failed", "tenant", l.TenantID, "err", err)
	l.throttle.notBefore(l.e.cfg.Now().Add(readBackoff))
	for _, c := range texts {
		l.requeueUnreachable(c)
	}
}
