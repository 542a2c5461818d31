// Package automation is the CRM action Send Text
// via Dialpad: its definition, its options, and
// each callback from Execute to completion.
//
//	Execute: accepted ─ProcessCallback→ sending (a message of its workflow's batch) ─Complete→ ending ─the CRM took it→ completed
//	                         └─ not allowed, nobody to text, no sender ───────────────────────↗
//
// The CRM calls once or ten times: a callback is
// stored once, texts once and completes once.
package automation

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"dialpad-texting/app/audience"
	"dialpad-texting/app/batch"
	"dialpad-texting/app/eligibility"
	"dialpad-texting/app/templates"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/internal/faircache"
	"dialpad-texting/models"
)

// CRM takes completions and lists its users.
type CRM interface {
	Complete(ctx context.Context, t crm.Tenant, id string, done crm.Completion) error
	Users(ctx context.Context, t crm.Tenant, cursor string) (crm.UserPage, error)
}

// Config is what an Automation needs besides other packages.
type Config struct {
	Now    func() time.Time // nil = the store's clock
	Log    *slog.Logger     // nil = none
	Notify func()           // called after queueing, so that this process sends at once; may be nil
	// RefreshPeople reads people and accounts again if what is
	// known is older than a minute. It returns
	// *eligibility.Refusal if they can't be read. nil = never.
	RefreshPeople func(ctx context.Context, tenantID string) error
}

// Automation is the action. One per process. Safe for concurrent use.
type Automation struct {
	store    *models.Store
	crm      CRM
	eligible *eligibility.Checker
	texts    Texts
	cfg      Config

	templates *faircache.Cache[templateKey, string] // texts
}

// Texts are the packages that render and enqueue an action's text.
type Texts struct {
	Templates *templates.Templates
	Audience  *audience.Audience
	Batches   *batch.Batches
}

// New returns an Automation.
func New(store *models.Store, c CRM, eligible *eligibility.Checker, tx Texts, cfg Config) *Automation {
	if cfg.Now == nil {
		cfg.Now = store.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Notify == nil {
		cfg.Notify = func() {}
	}
	return &Automation{store: store, crm: c, eligible: eligible, texts: tx, cfg: cfg,
		templates: faircache.New[templateKey, string](templateLimits, templateTTL, cfg.Now)}
}

// Invalid is an input that can't be read:
// a mistake in the call, not an outcome.
type Invalid struct {
	Field   string // "inputs.from_user"
	Message string // a sentence for whoever built the workflow
}

func (e *Invalid) Error() string { return "automation: " + e.Field + " can't be read" }

// Later means that a round has to wait, which is no failure.
type Later struct{ After time.Duration }

func (e *Later) Error() string { return fmt.Sprintf("automation: again in %s", e.After) }
