package delivery

import (
	"context"
	"sync"
	"time"

	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

const (
	// senderMaxAge is how old the known state of a sender may be when a text
	// goes out. Dialpad has no event for a deactivation.
	senderMaxAge = 10 * time.Minute
	// senderAhead is how long before that a sender is read again, so that its
	// next text finds it read. sendersInterval is how often a lane to which
	// nothing is added looks at the senders of its queue.
	senderAhead     = time.Minute
	sendersInterval = 30 * time.Second
	// senderTimeout bounds the reading of a sender, and userTimeout that of
	// the CRM's users, which is a part of it.
	senderTimeout = time.Minute
	userTimeout   = 3 * time.Second
	// senderWait is how long a lane waits for senders that are being read.
	// After that it goes on with the texts of others.
	senderWait = 300 * time.Millisecond
	// senderConcurrency is how many senders of a lane are read at once.
	senderConcurrency = 32
	// A text whose sender is still being read is claimed again after as long
	// as the reading lasts already.
	minSenderDelay = 250 * time.Millisecond
	maxSenderDelay = 5 * time.Second
)

// senderKey is a text's account and the CRM user who sends from it.
type senderKey struct{ accountID, userID string }

// sender is the state of a text's sender right before the POST.
type sender struct {
	canText     bool
	unreachable bool // it can't be read now
	matches     bool // the account is that of the CRM user's present e-mail
	reread      bool // Dialpad was asked since the claim
	number      string
}

// senderRead is a sender that is being read, or could not be read.
type senderRead struct {
	began, ended time.Time
	done         chan struct{}
	sender       sender // once done is closed
}

func (r *senderRead) isDone() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

// delay is how long a text of this sender waits before it is claimed again.
func (r *senderRead) delay(now time.Time) time.Duration {
	return min(max(now.Sub(r.began), minSenderDelay), maxSenderDelay)
}

// senderReads holds the senders of a lane that are being read. Safe for
// concurrent use.
type senderReads struct {
	mu    sync.Mutex
	reads map[senderKey]*senderRead
	slots chan struct{} // bounds how many are read at once
}

func newSenderReads() *senderReads {
	return &senderReads{reads: map[senderKey]*senderRead{}, slots: make(chan struct{}, senderConcurrency)}
}

// join returns the reading of a sender that has not ended or has just failed,
// or else a new one, which the caller has to run.
func (s *senderReads) join(key senderKey, now time.Time) (r *senderRead, isNew bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.reads[key]; r != nil && (r.ended.IsZero() || now.Sub(r.ended) < readBackoff) {
		return r, false
	}
	r = &senderRead{began: now, done: make(chan struct{})}
	s.reads[key] = r
	return r, true
}

// run reads a sender.
func (s *senderReads) run(key senderKey, r *senderRead, now func() time.Time, read func() sender) {
	s.slots <- struct{}{}
	defer func() { <-s.slots }()
	found := read()
	s.mu.Lock()
	defer s.mu.Unlock()
	r.sender, r.ended = found, now()
	if !found.unreachable { // the next claim reads what was stored
		delete(s.reads, key)
	}
	close(r.done)
}

// senderReader reads the senders of a lane's texts.
type senderReader struct{ *lane }

// startReading reads the sender of a text in the background.
func (l senderReader) startReading(c ledger.ClaimedMessage) *senderRead {
	key := senderKey{c.SenderID, c.SenderUserID}
	r, isNew := l.senders.join(key, l.e.cfg.Now())
	if isNew {
		l.e.reading.Go(func() {
			l.senders.run(key, r, l.e.cfg.Now, func() sender {
				ctx, cancel := context.WithTimeout(l.e.readingCtx, senderTimeout)
				defer cancel()
				return l.readSender(ctx, c)
			})
		})
	}
	return r
}

// waitForSenders waits until the readings are done, but none for longer than
// senderWait.
func (l senderReader) waitForSenders(ctx context.Context, reads map[senderKey]*senderRead) {
	var last time.Time
	for _, r := range reads {
		if r.began.After(last) {
			last = r.began
		}
	}
	over := time.NewTimer(last.Add(senderWait).Sub(l.e.cfg.Now()))
	defer over.Stop()
	for _, r := range reads {
		select {
		case <-r.done:
		case <-over.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// readNextSenders reads the senders of the queue's first texts that are not up
// to date, before those are claimed: what is claimed should not wait for a
// sender, nor be given back because of one.
func (l senderReader) readNextSenders(ctx context.Context, now time.Time) error {
	l.sendersAt = now
	stale, err := l.e.store.Lanes.StaleSenders(ctx, l.Lane, now.Add(senderAhead-senderMaxAge), senderConcurrency)
	if err != nil || len(stale) == 0 {
		return err
	}
	reads := map[senderKey]*senderRead{}
	for _, c := range stale {
		reads[senderKey{c.SenderID, c.SenderUserID}] = l.startReading(c)
	}
	l.waitForSenders(ctx, reads)
	return nil
}

// readSender returns the state of a text's sender, from Dialpad if what is
// known is old.
func (l senderReader) readSender(ctx context.Context, c ledger.ClaimedMessage) sender {
	s := l.readAccount(ctx, c)
	if s.canText {
		s.matches, s.unreachable = l.readMatch(ctx, c, s)
	}
	return s
}

// readAccount returns what is known of a text's
// account, and asks Dialpad if that is old.
func (l senderReader) readAccount(ctx context.Context, c ledger.ClaimedMessage) sender {
	if isFresh(c, l.e.cfg.Now()) {
		a := models.Account{State: c.SenderState, Number: c.SenderNumber}
		return sender{canText: a.CanText(), number: a.Number}
	}
	a, err := l.e.accounts.Fresh(ctx, l.TenantID, c.SenderID, senderMaxAge-senderAhead)
	if err != nil {
		l.e.cfg.Log.Warn("read sender before a text failed", "tenant", l.TenantID, "err", err)
		return sender{unreachable: true}
	}
	return sender{canText: a.CanText(), number: a.Number, reread: true}
}

// isFresh reports whether the claim read an account that is up to date.
func isFresh(c ledger.ClaimedMessage, now time.Time) bool {
	return c.SenderCheckedAt != nil && !c.SenderStale && now.Sub(*c.SenderCheckedAt) < senderMaxAge
}

// readMatch reports whether a text's account is still that of the CRM user
// who sends. Where it is not, as far as we know, the user is read again: the
// e-mail may have changed in the CRM and in Dialpad alike. What the claim said
// is old where the account was read since.
func (l senderReader) readMatch(ctx context.Context, c ledger.ClaimedMessage, s sender) (matches, unreachable bool) {
	if c.SenderMatches && !s.reread {
		return true, false
	}
	ctx, cancel := context.WithTimeout(ctx, userTimeout)
	defer cancel()
	if !s.reread { // there may have been no event for a new e-mail
		if _, err := l.e.accounts.Fresh(ctx, l.TenantID, c.SenderID, 0); err != nil {
			l.e.cfg.Log.Warn("read sender with another e-mail failed", "tenant", l.TenantID, "err", err)
		}
	}
	_, account, _, err := l.e.eligible.CheckSender(ctx, l.TenantID, c.SenderUserID)
	if err != nil {
		l.e.cfg.Log.Warn("read the CRM user before a text failed", "tenant", l.TenantID, "err", err)
		return false, true
	}
	return account.DialpadID != "" && account.DialpadID == c.SenderID, false
}
