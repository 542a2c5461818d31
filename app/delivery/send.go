package delivery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"dialpad-texting/app/connection"
	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/queue"
)

// send posts one text, once, and settles what became of it. dispatched is when
// it was handed to its connection. The request goes on when the process stops:
// half a request is an unknown outcome, and a stopping worker waits for its
// answers.
func (l *lane) send(token connection.Token, c ledger.ClaimedMessage, dispatched time.Time) {
	ctx, cancel := context.WithTimeout(context.Background(), l.e.cfg.Timeout)
	defer cancel()
	l.e.count.posted.Add(1)
	res, err := l.e.dp.SendSMS(ctx, token.Access, dialpad.SMS{UserID: c.SenderID, ToNumber: c.ToNumber, Text: c.Text})
	if err != nil {
		l.settleError(ctx, token, c, dispatched, err)
		return
	}
	l.throttle.answered()
	l.tokenAccepted(ctx, token)
	if res.Failed() {
		l.e.cfg.Log.Info("text accepted and failed at once", "tenant", l.TenantID, "message", c.ID, "status", res.Status, "result", res.DeliveryResult)
		l.settle(c, ledger.Outcome{State: ledger.Failed, DialpadID: res.ID, Code: resultCode(res.Status, res.DeliveryResult),
			Text: resultText(res.DeliveryResult)})
		return
	}
	l.settle(c, ledger.Outcome{State: ledger.Sent, DialpadID: res.ID})
}

// settleError maps an error of the POST to an outcome. An answer that
// was lost leaves the text uncertain: it is never sent again by itself.
func (l *lane) settleError(ctx context.Context, token connection.Token, c ledger.ClaimedMessage, dispatched time.Time, err error) {
	var e *dialpad.Error
	if !errors.As(err, &e) {
		e = &dialpad.Error{Kind: dialpad.Lost, Err: err} // unknown: Dialpad may have taken the text
	}
	log := l.e.cfg.Log.With("tenant", l.TenantID, "message", c.ID, "kind", string(e.Kind), "status", e.Status)
	switch e.Kind {
	case dialpad.RateLimited:
		l.rateLimited(ctx, dispatched, e)
		l.requeue(c, ledger.CodeRateLimited, wordsRateLimited)
	case dialpad.NotSent:
		l.throttle.failed(l.e.cfg.Now(), e.RetryAfter)
		l.requeueUnreachable(c)
	case dialpad.Unauthorized:
		l.unauthorized(ctx, token, c)
	case dialpad.Refused, dialpad.Forbidden, dialpad.NotFound:
		l.throttle.answered()
		if e.Kind != dialpad.Refused {
			l.requestCheck(ctx, c.SenderID)
		}
		l.fail(c, "dialpad_refused", cmp.Or(e.Message, fmt.Sprintf("Dialpad refused this text (status %d)", e.Status)))
	default:
		log.Warn("answer to a text lost", "err", e)
		l.throttle.failed(l.e.cfg.Now(), e.RetryAfter)
		l.settle(c, ledger.Outcome{State: ledger.Uncertain, Code: "outcome_unknown", Text: ledger.UnknownOutcome})
		return
	}
	log.Info("text not accepted", "err", e)
}

// checkInterval is the least time between two checks that a lane asks for.
const checkInterval = time.Minute

// requestCheck has the sender and the connection checked after a 403 or 404:
// the account, the company or the right to send for others may be gone.
func (l *lane) requestCheck(ctx context.Context, senderID string) {
	now, last := l.e.cfg.Now(), l.checkedAt.Load()
	if now.UnixNano()-last < int64(checkInterval) || !l.checkedAt.CompareAndSwap(last, now.UnixNano()) {
		return
	}
	err := errors.Join(l.e.store.Accounts.MarkStale(ctx, l.TenantID, []string{senderID}),
		l.e.store.Enqueue(ctx, queue.CheckConnection{TenantID: l.TenantID}))
	if err != nil {
		l.e.cfg.Log.Warn("enqueue connection check failed", "tenant", l.TenantID, "err", err)
	}
}
