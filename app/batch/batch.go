// Package batch is the life of a batch: one request to text, one
// recipient or many, now or at a time.
//
//	Create ─now→ preparing ─audience.Prepare→ sending ─delivery→ done
//	   └─at a time→ scheduled ─Scheduler, two minutes before→ preparing
//	paused ⇄ resumed · held (seven days at most) · cancelled
//
// A change of a batch's state reaches its messages by ApplyState, in a
// job.
package batch

import (
	"context"
	"log/slog"
	"time"

	"dialpad-texting/app/access"
	"dialpad-texting/app/apierror"
	"dialpad-texting/app/audience"
	"dialpad-texting/app/eligibility"
	"dialpad-texting/app/templates"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// Eligibility says whether a tenant or user may text now, and if not
// why.
type Eligibility interface {
	CheckTenant(ctx context.Context, tenantID string) (*eligibility.Refusal, error)
	CheckUser(ctx context.Context, tenantID, email string) (models.Account, *eligibility.Refusal, error)
}

// Config is what Batches needs beside its neighbours. All of it is
// optional.
type Config struct {
	Now    func() time.Time
	Log    *slog.Logger
	Notify func() // called after messages were queued, for a worker in this process
}

// Batches makes and changes batches; one per process. Safe for concurrent use.
type Batches struct {
	Scheduler *Scheduler // the work that time brings

	store       *models.Store
	audience    *audience.Audience
	templates   *templates.Templates
	eligibility Eligibility
	cfg         Config
}

// New returns a Batches.
func New(store *models.Store, aud *audience.Audience, tpl *templates.Templates, e Eligibility, cfg Config) *Batches {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Notify == nil {
		cfg.Notify = func() {}
	}
	return &Batches{Scheduler: &Scheduler{store: store, eligibility: e, clock: cfg.Now},
		store: store, audience: aud, templates: tpl, eligibility: e, cfg: cfg}
}

// now is the time in UTC, as it is stored.
func (x *Batches) now() time.Time { return x.cfg.Now().UTC() }

// visible returns a batch that the asker may see and change.
func (x *Batches) visible(ctx context.Context, a access.Asker, id string) (ledger.Batch, error) {
	b, err := x.store.Batches.Get(ctx, a.Tenant.ID, a.VisibleUserID(), id)
	return b, apierror.NotFound(err)
}

// accountOf is the Dialpad account of an e-mail; *eligibility.Refusal where
// its user may not text.
func (x *Batches) accountOf(ctx context.Context, tenantID, email string) (models.Account, error) {
	account, refusal, err := x.eligibility.CheckUser(ctx, tenantID, email)
	if err == nil && refusal != nil {
		err = refusal
	}
	return account, err
}
