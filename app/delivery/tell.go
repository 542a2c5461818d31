package delivery

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
)

// Timeline is the CRM's side of what became of a text.
type Timeline interface {
	UpsertActivity(ctx context.Context, t crm.Tenant, id string, a crm.Activity) error
}

// Teller tells the CRM's timeline about each change of a message, keyed by the message: late is fine, lost is not.
type Teller struct {
	store *models.Store
	crm   Timeline
}

// NewTeller returns a teller.
func NewTeller(store *models.Store, c Timeline) *Teller { return &Teller{store: store, crm: c} }

const (
	tellPage     = 100
	tellTogether = 8
)

// Round tells what one tenant's CRM has not heard, and how much that was. An error means that the CRM should be asked
// again later; what it has taken until then is not told again.
func (t *Teller) Round(ctx context.Context, tenantID string) (told int, err error) {
	tenant, err := t.store.Tenant(ctx, tenantID)
	if err != nil {
		return 0, err
	}
	to := crm.Tenant{ID: tenant.ID, Linkname: tenant.Linkname, Name: tenant.Name, Plan: tenant.Plan, TimeZone: tenant.TimeZone}
	for {
		page, err := t.store.UntoldMessages(ctx, tenantID, tellPage)
		if err != nil || len(page) == 0 {
			return told, err
		}
		sources, err := t.sources(ctx, tenantID, page)
		if err != nil {
			return told, err
		}
		g, gctx := errgroup.WithContext(ctx)
		g.SetLimit(tellTogether)
		for _, m := range page {
			g.Go(func() error { return t.tell(gctx, to, m, sources[m.BatchID]) })
		}
		if err := g.Wait(); err != nil {
			return told, err
		}
		told += len(page)
	}
}

func (t *Teller) sources(ctx context.Context, tenantID string, page []models.Message) (map[string]string, error) {
	out := map[string]string{}
	for _, m := range page {
		if _, known := out[m.BatchID]; known {
			continue
		}
		b, err := t.store.Batch(ctx, tenantID, "", m.BatchID)
		if err != nil && !errors.Is(err, models.ErrNotFound) {
			return nil, err
		}
		out[m.BatchID] = b.Source
	}
	return out, nil
}

func (t *Teller) tell(ctx context.Context, to crm.Tenant, m models.Message, source string) error {
	if m.Erased() {
		return t.store.Told(ctx, m) // there is nobody left to tell of
	}
	a := crm.Activity{MessageID: m.ID, ContactID: m.ContactID, DealID: m.DealID, UserID: m.UserID, From: m.FromNumber,
		To: m.ToNumber, Body: m.Text, Status: publicState(m.State), Error: m.ErrorText, SentAt: m.SentAt, Source: source, BatchID: m.BatchID}
	// The same change told twice has the same id, so that the CRM may drop the second.
	id := "act_" + m.ID + "_" + m.UpdatedAt.UTC().Format(time.RFC3339Nano)
	err := t.crm.UpsertActivity(ctx, to, id, a)
	var e *crm.Error
	if errors.As(err, &e) && e.Kind == crm.Refused {
		return t.store.Told(ctx, m) // the CRM does not want it (the record is gone): asking again would not help
	}
	if err != nil {
		return err
	}
	return t.store.Told(ctx, m)
}

// publicState folds what only we tell apart.
func publicState(state string) string {
	if state == models.Waiting {
		return models.Queued
	}
	return state
}
