// Package audience decides who gets which text. It reads a batch's
// records from the CRM, renders the text for each person and excludes,
// with a reason, whoever can't be texted. Preview counts the result,
// Prepare stores it as messages; both run the same code
// (recipients.go), for one recipient as for many.
package audience

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"dialpad-texting/app/eligibility"
	"dialpad-texting/app/templates"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/internal/faircache"
	"dialpad-texting/models"
)

// CRM reads records. Its answers may come in pages.
type CRM interface {
	ResolveRecords(ctx context.Context, t crm.Tenant, q crm.ResolveQuery) (crm.Records, error)
}

// Eligibility says whether a user may text now, and from which account.
type Eligibility interface {
	CheckSender(ctx context.Context, tenantID, userID string) (models.User, models.Account, *eligibility.Refusal, error)
}

// Config holds the optional dependencies of an Audience.
type Config struct {
	Now    func() time.Time
	Log    *slog.Logger
	Notify func() // called after messages were queued, for a worker in this process

	// RefreshOptOuts reads Dialpad's opt-out list, if it is old, before
	// a bulk.
	RefreshOptOuts func(ctx context.Context, tenantID string) error
}

// Audience previews and prepares batches; one per process. Safe for concurrent
// use.
type Audience struct {
	store       *models.Store
	crm         CRM
	templates   *templates.Templates
	eligibility Eligibility
	cfg         Config

	previewsMu sync.Mutex // between Get and Put
	previews   *faircache.Cache[string, *previewState]
}

// New returns an Audience.
func New(store *models.Store, c CRM, tpl *templates.Templates, e Eligibility, cfg Config) *Audience {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Notify == nil {
		cfg.Notify = func() {}
	}
	if cfg.RefreshOptOuts == nil {
		cfg.RefreshOptOuts = func(context.Context, string) error { return nil }
	}
	return &Audience{store: store, crm: c, templates: tpl, eligibility: e, cfg: cfg,
		previews: faircache.New[string, *previewState](previewLimits, previewTTL, cfg.Now)}
}

// now is the time in UTC, as it is stored.
func (x *Audience) now() time.Time { return x.cfg.Now().UTC() }
