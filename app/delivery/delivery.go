// Package delivery sends the queued texts: it claims
// them from the lanes, posts each once, settles what
// became of it, and matches Dialpad's events to it.
//
//	lease a due lane ─▶ pacer ─▶ claim (durable: sending) ─▶ recheck ─▶ POST once ─▶ settle, in groups
//	                      ▲                                     │            │
//	                      └────── release when empty            └ failed,    └ answer lost: uncertain, never sent
//	                                                              held         again, settled by Dialpad's event
//
// One worker of the fleet drains a lane at a time, by a lease with a
// fencing number. A worker that slept past its lease finishes only what
// it had on the wire. Those answers still move their messages forward.
package delivery

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"dialpad-texting/app/accounts"
	"dialpad-texting/app/connection"
	"dialpad-texting/app/eligibility"
	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/models"
)

// Dialpad sends a text. The call must never happen twice for one text.
type Dialpad interface {
	SendSMS(ctx context.Context, token string, sms dialpad.SMS) (dialpad.SMSResult, error)
}

// Eligibility decides from facts whether a text may leave, and reads again
// who a CRM user texts as.
type Eligibility interface {
	Check(f eligibility.Facts) *eligibility.Refusal
	CheckSender(ctx context.Context, tenantID, userID string) (models.User, models.Account, *eligibility.Refusal, error)
}

// Tokens gives the tenant's Dialpad token, and is told what Dialpad answered
// to it.
type Tokens interface {
	Token(ctx context.Context, tenantID string) (connection.Token, error)
	Refresh(ctx context.Context, tenantID string, version int64) (connection.Token, error)
	Break(ctx context.Context, tenantID string, version int64, reason string) error
	MarkAccepted(ctx context.Context, tenantID string, version int64)
}

// Accounts reads a sender again if what is known is older than olderThan.
type Accounts interface {
	Fresh(ctx context.Context, tenantID, dialpadID string, olderThan time.Duration) (models.Account, error)
}

var (
	_ Eligibility = (*eligibility.Checker)(nil)
	_ Tokens      = (*connection.Tokens)(nil)
	_ Accounts    = (*accounts.Accounts)(nil)
)

// Config sizes an engine. Zero values get the defaults named here.
type Config struct {
	WorkerID    string
	Connections int           // requests on the wire at once; 128
	Lease       time.Duration // of a lane; 12 s: a dead worker's lanes are taken over within 15 s
	Poll        time.Duration // interval between searches for due lanes; 100 ms
	Lanes       int           // lanes held at once; 20,000
	Timeout     time.Duration // of one request; 30 s
	Now         func() time.Time
	Log         *slog.Logger
}

func (c Config) withDefaults() Config {
	c.Lease = cmp.Or(c.Lease, 12*time.Second)
	c.Poll = cmp.Or(c.Poll, 100*time.Millisecond)
	c.Timeout = cmp.Or(c.Timeout, 30*time.Second)
	c.Connections = cmp.Or(c.Connections, 128)
	c.Lanes = cmp.Or(c.Lanes, 20_000)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}
