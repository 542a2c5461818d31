package jobs

import (
	"context"
	"errors"

	"dialpad-texting/app/compose"
	"dialpad-texting/app/eligibility"
	"dialpad-texting/app/install"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/queue"
)

// Reasons that people read when the CRM stopped their texts.
const (
	wordsDowngraded  = "Your plan no longer includes Dialpad"
	wordsDeactivated = "The person who scheduled this was deactivated in Salesmate"
)

// CRMEvents applies the CRM's events.
type CRMEvents struct {
	Store       *models.Store
	Eligibility *eligibility.Checker
}

// Apply applies an event of the CRM (contract, section 2). Events come
// at least once and in any order: an event changes nothing if its seq
// is lower than one already applied to the same tenant, user or number.
func (v CRMEvents) Apply(ctx context.Context, e crm.Event, seq *int64) error {
	t, err := v.Store.Tenants.Get(ctx, e.Tenant.ID)
	if err != nil {
		return err
	}
	if err := v.applyOnce(ctx, t, e, seq); err != nil || e.Type != crm.EventDataErase {
		return err
	}
	number, err := compose.ParseAnyNumber(e.Number, t.Country)
	if err != nil {
		number = ""
	}
	return v.Store.FinishErasure(ctx, t.ID, number)
}

func (v CRMEvents) applyOnce(ctx context.Context, t models.Tenant, e crm.Event, seq *int64) error {
	return v.Store.Tx(ctx, func(tx *models.Store) error {
		subj, err := subject(ctx, tx, t, e)
		if err != nil {
			return err
		}
		if seq != nil {
			isNew, err := tx.CRMCalls.AdvanceSequence(ctx, t.ID, subj, *seq)
			if err != nil || !isNew {
				return err
			}
		}
		return v.apply(ctx, tx, t, e)
	})
}

// subject returns what an event's sequence counts for. A number is named by its
// keyed hash, which survives an erasure. An erasure is a subject of its own: no
// later event of the tenant may keep it from happening.
func subject(ctx context.Context, tx *models.Store, t models.Tenant, e crm.Event) (string, error) {
	switch e.Type {
	case crm.EventUserDeactivated:
		return "user:" + e.UserID, nil
	case crm.EventOptedOut, crm.EventOptedIn:
		key, err := numberKey(ctx, tx, t, e.Number)
		return "number:" + key, err
	case crm.EventDataErase:
		if e.Number == "" {
			return "erase:" + e.ContactID, nil
		}
		key, err := numberKey(ctx, tx, t, e.Number)
		return "erase:" + e.ContactID + ":" + key, err
	}
	return "tenant", nil
}

func numberKey(ctx context.Context, tx *models.Store, t models.Tenant, number string) (string, error) {
	number, err := compose.ParseAnyNumber(number, t.Country)
	if err != nil {
		return "", err
	}
	return tx.Tenants.NumberKey(ctx, t.ID, number)
}

func (v CRMEvents) apply(ctx context.Context, tx *models.Store, t models.Tenant, e crm.Event) error {
	switch e.Type {
	case crm.EventPlanChanged:
		return v.applyPlan(ctx, tx, e)
	case crm.EventTenantRenamed:
		return nil // the signed tenant block is stored already
	case crm.EventAppUninstalled:
		return uninstall(ctx, tx, t.ID)
	case crm.EventUserDeactivated:
		if err := tx.Users.Deactivate(ctx, t.ID, e.UserID); err != nil {
			return err
		}
		_, err := tx.Batches.Hold(ctx, t.ID, e.UserID, ledger.HeldUser, wordsDeactivated)
		return err
	case crm.EventOptedOut, crm.EventOptedIn:
		return applyOptOut(ctx, tx, t, e)
	case crm.EventDataErase:
		return erase(ctx, tx, t, e)
	}
	return nil
}

// uninstall removes the app here at once, so that it
// can be installed anew, and leaves Dialpad to a job.
func uninstall(ctx context.Context, tx *models.Store, tenantID string) error {
	i, err := tx.Installations.Get(ctx, tenantID)
	if err != nil && !errors.Is(err, models.ErrNotFound) {
		return err
	}
	if err := tx.Installations.Uninstall(ctx, tenantID); err != nil {
		return err
	}
	if i.State == models.Installed {
		if err := tx.Audits.Add(ctx, tenantID, "", "app.uninstalled", nil); err != nil {
			return err
		}
	}
	if err := tx.Sessions.EndAll(ctx, tenantID); err != nil {
		return err
	}
	if err := tx.Enqueue(ctx, queue.RemoveApp{TenantID: tenantID, InstalledAt: i.InstalledAt.UnixMilli()}); err != nil {
		return err
	}
	_, err = tx.Batches.Cancel(ctx, tenantID, "", install.RemovedReason)
	return err
}

// applyPlan holds the open batches when the plan no longer includes Dialpad.
func (v CRMEvents) applyPlan(ctx context.Context, tx *models.Store, e crm.Event) error {
	now, err := tx.Tenants.Get(ctx, e.Tenant.ID)
	if err != nil || v.Eligibility.HasPlan(now.Plan) {
		return err
	}
	n, err := tx.Batches.Hold(ctx, now.ID, "", ledger.HeldPlan, wordsDowngraded)
	if err != nil || n == 0 {
		return err
	}
	return tx.Audits.Add(ctx, now.ID, "", "plan.lost", map[string]string{"plan": now.Plan})
}

func applyOptOut(ctx context.Context, tx *models.Store, t models.Tenant, e crm.Event) error {
	number, err := compose.ParseAnyNumber(e.Number, t.Country)
	if err != nil {
		return err
	}
	if e.Type == crm.EventOptedOut {
		_, err = tx.Suppressions.Add(ctx, t.ID, number, models.OptOutCRM, "")
	} else {
		_, err = tx.Suppressions.Remove(ctx, t.ID, number, models.OptOutCRM)
	}
	return err
}

func erase(ctx context.Context, tx *models.Store, t models.Tenant, e crm.Event) error {
	if err := tx.Audits.Add(ctx, t.ID, "", "data.erase", nil); err != nil {
		return err
	}
	if e.ContactID != "" {
		if err := tx.EraseContact(ctx, t.ID, e.ContactID); err != nil {
			return err
		}
	}
	if e.Number == "" {
		return nil
	}
	number, err := compose.ParseAnyNumber(e.Number, t.Country)
	if err != nil {
		return err
	}
	return tx.EraseNumber(ctx, t.ID, number)
}
