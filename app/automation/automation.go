// Package automation is the action Send Text via Dialpad: its definition, its options, and each call from acceptance
// to completion.
//
//	Execute: accepted, answered ─Carry→ sending (a message in its workflow's batch) ─Complete→ ending ─the CRM heard→ completed
//	                               └─ may not, nobody to text, no sender ──────────────────────↗
//
// The CRM calls once or ten times: a callback is stored once, texts once and ends once.
package automation

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"dialpad-texting/app/eligibility"
	"dialpad-texting/app/texting"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
)

// CRM is what an automation asks and tells.
type CRM interface {
	Complete(ctx context.Context, t crm.Tenant, id string, done crm.Completion) error
	Users(ctx context.Context, t crm.Tenant, cursor string) (crm.UserPage, error)
}

// Config is what an Automation needs beside its neighbours.
type Config struct {
	Now  func() time.Time // nil = the store's clock
	Log  *slog.Logger     // nil = none
	Wake func()           // called after queueing, so that a worker in the same process looks at once; may be nil
	// Live reads people and accounts again when what is known of them is older than a minute; nil = never.
	// *eligibility.Refusal where they can't be read.
	Live func(ctx context.Context, tenantID string) error
}

// Automation is the capability; one per process. Safe for concurrent use.
type Automation struct {
	store    *models.Store
	crm      CRM
	eligible *eligibility.Checker
	texts    *texting.Texting
	cfg      Config

	nobody    memory[bool]   // users whom the CRM does not have
	templates memory[string] // texts
}

// New returns an Automation.
func New(store *models.Store, c CRM, eligible *eligibility.Checker, tx *texting.Texting, cfg Config) *Automation {
	if cfg.Now == nil {
		cfg.Now = store.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Wake == nil {
		cfg.Wake = func() {}
	}
	return &Automation{store: store, crm: c, eligible: eligible, texts: tx, cfg: cfg}
}

// Invalid is an input that can't be read: the CRM's own mistake, not an outcome.
type Invalid struct {
	Field   string // "inputs.from_user"
	Message string // a sentence for whoever built the workflow
}

func (e *Invalid) Error() string { return "automation: " + e.Field + " can't be read" }

// Later says that a round has to wait, which is no failure.
type Later struct{ After time.Duration }

func (e *Later) Error() string { return fmt.Sprintf("automation: again in %s", e.After) }
