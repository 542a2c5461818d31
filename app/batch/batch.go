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
	CheckSender(ctx context.Context, tenantID, userID string) (models.User, models.Account, *eligibility.Refusal, error)
}

// Config holds the optional dependencies of Batches.
type Config struct {
	Now    func() time.Time
	Log    *slog.Logger
	Notify func() // called after messages were queued, for a worker in this process

	// Texts that one person may ask for in an hour; 0 for any number.
	OneToOnePerHour   int
	AutomationPerHour int
}

// Batches makes and changes batches; one per process. Safe for concurrent use.
type Batches struct {
	Scheduler *Scheduler // starts, warns and expires by the clock
	Held      Held       // resumes together

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
	x := &Batches{Scheduler: &Scheduler{store: store, eligibility: e, clock: cfg.Now},
		store: store, audience: aud, templates: tpl, eligibility: e, cfg: cfg}
	x.Held = Held{x}
	return x
}

// now is the time in UTC, as it is stored.
func (x *Batches) now() time.Time { return x.cfg.Now().UTC() }

// visible returns a batch that the asker may see and change.
func (x *Batches) visible(ctx context.Context, a access.Asker, id string) (ledger.Batch, error) {
	b, err := x.store.Batches.Get(ctx, a.Tenant.ID, a.VisibleUserID(), id)
	return b, apierror.NotFound(err)
}

// sender is who texts go out from: a CRM user and the Dialpad account of the
// user's present e-mail.
type sender struct {
	userID, email, dialpadID string
}

// columns are what a batch stores of its sender.
func (s sender) columns(set columns) {
	set["sender_user_id"], set["sender_email"], set["sender_id"] = s.userID, s.email, s.dialpadID
}

// senderFor is a CRM user as a sender; *eligibility.Refusal where that user
// may not text.
func (x *Batches) senderFor(ctx context.Context, tenantID, userID string) (sender, error) {
	u, account, refusal, err := x.eligibility.CheckSender(ctx, tenantID, userID)
	if err == nil && refusal != nil {
		err = refusal
	}
	return sender{userID, u.Email, account.DialpadID}, err
}
