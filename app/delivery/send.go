package delivery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"dialpad-texting/app/market"
	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/queue"
)

// send puts one text onto the wire, once, and settles what became of it. The request is not cancelled when the
// process stops: half a request is an unknown outcome, and a stopping worker waits for its answers.
func (l *lane) send(token market.Token, c ledger.ClaimedMessage) {
	ctx, cancel := context.WithTimeout(context.Background(), l.e.cfg.Timeout)
	defer cancel()
	l.e.count.posted.Add(1)
	res, err := l.e.dp.SendSMS(ctx, token.Access, dialpad.SMS{UserID: c.SenderID, ToNumber: c.ToNumber, Text: c.Text})
	if err == nil {
		l.worked(ctx, token)
		l.settle(c, ledger.Outcome{State: ledger.Sent, DialpadID: res.ID})
		return
	}
	l.settleError(ctx, token, c, err)
}

// settleError maps Dialpad's refusals to outcomes (message states in models/message.go).
func (l *lane) settleError(ctx context.Context, token market.Token, c ledger.ClaimedMessage, err error) {
	var e *dialpad.Error
	if !errors.As(err, &e) {
		e = &dialpad.Error{Kind: dialpad.Lost, Err: err} // not an answer we know: assume the worst
	}
	log := l.e.cfg.Log.With("tenant", l.TenantID, "message", c.ID, "kind", string(e.Kind), "status", e.Status)
	switch e.Kind {
	case dialpad.RateLimited:
		l.limited(ctx, e)
		l.later(c, "rate_limited", "Dialpad's limit was reached; this text waits its turn")
	case dialpad.NotSent:
		l.troubled(1, e.RetryAfter)
		l.laterUnreachable(c)
	case dialpad.Unauthorized:
		l.unauthorized(ctx, token, c)
	case dialpad.Refused, dialpad.Forbidden, dialpad.NotFound:
		l.settled()
		if e.Kind != dialpad.Refused {
			l.suspect(ctx, c.SenderID)
		}
		l.fail(c, "dialpad_refused", refusedWords(e))
	default:
		log.Warn("the answer to a text was lost", "err", e)
		l.troubled(1, e.RetryAfter)
		l.settle(c, ledger.Outcome{State: ledger.Uncertain, Code: "outcome_unknown", Text: ledger.UnknownOutcome})
		return
	}
	log.Info("Dialpad did not take a text", "err", e)
}

// suspect has the sender and the connection looked at after a 403 or 404: the account, the company or the right to send
// for others may be gone. Once a minute is enough.
func (l *lane) suspect(ctx context.Context, senderID string) {
	now := l.e.cfg.Now()
	l.mu.Lock()
	lately := now.Sub(l.suspectedAt) < time.Minute
	if !lately {
		l.suspectedAt = now
	}
	l.mu.Unlock()
	if lately {
		return
	}
	err := errors.Join(l.e.store.Accounts.MarkStale(ctx, l.TenantID, []string{senderID}),
		l.e.store.Enqueue(ctx, queue.CheckConnection{TenantID: l.TenantID}))
	if err != nil {
		l.e.cfg.Log.Warn("a connection could not be suspected", "tenant", l.TenantID, "err", err)
	}
}

// refusedWords are Dialpad's own, verbatim.
func refusedWords(e *dialpad.Error) string {
	if e.Message != "" {
		return e.Message
	}
	return fmt.Sprintf("Dialpad refused this text (status %d)", e.Status)
}

func (l *lane) worked(ctx context.Context, token market.Token) {
	l.settled()
	l.mu.Lock()
	first := l.workedToken != token.Version
	l.workedToken = token.Version
	l.mu.Unlock()
	if first {
		l.e.market.TokenWorked(ctx, l.TenantID, token.Version)
	}
}

// settled notes that Dialpad gives answers.
func (l *lane) settled() {
	l.mu.Lock()
	l.trouble, l.pace.refused = 0, 0
	l.mu.Unlock()
}

// troubled makes the lane wait longer with each request in a row that brought no answer.
func (l *lane) troubled(n int, asked time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.trouble += n
	if l.trouble < 3 && asked == 0 {
		return
	}
	wait := min(time.Second<<min(l.trouble-1, 6), time.Minute)
	l.pace.notBefore(l.e.cfg.Now().Add(max(wait, asked)))
}

func (l *lane) limited(ctx context.Context, e *dialpad.Error) {
	wait := e.RetryAfter
	if e.Status == 403 {
		wait = max(wait, forbiddenWait)
	}
	l.mu.Lock()
	l.pace.limited(l.e.cfg.Now(), wait, e.Message)
	l.trouble = 0
	l.mu.Unlock()
	l.savePace(ctx)
}

// unauthorized refreshes the token once; a token that is turned down although it was just refreshed means that the
// grant is gone.
func (l *lane) unauthorized(ctx context.Context, token market.Token, c ledger.ClaimedMessage) {
	l.mu.Lock()
	again := l.refreshedTo != 0 && token.Version == l.refreshedTo && l.workedToken != token.Version
	l.mu.Unlock()
	var err error
	if again {
		err = l.e.market.Broken(ctx, l.TenantID, token.Version, "Dialpad no longer accepts the connection. Reconnect to go on.")
		if err == nil {
			err = market.NotConnected(ledger.HeldBroken, "")
		}
	} else {
		var fresh market.Token
		if fresh, err = l.e.market.Refreshed(ctx, l.TenantID, token.Version); err == nil {
			l.mu.Lock()
			l.refreshedTo = fresh.Version
			l.mu.Unlock()
			l.later(c, "token_refreshed", "Dialpad asked for a new token; this text goes again")
			return
		}
	}
	l.withoutToken(ctx, []ledger.ClaimedMessage{c}, err)
}
