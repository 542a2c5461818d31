package work

import (
	"context"
	"errors"

	"dialpad-texting/app/compose"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/queue"
)

// Reasons people read when the CRM stopped their texts.
const (
	wordsDowngraded  = "Your plan no longer includes Dialpad"
	wordsUninstalled = "The Dialpad app was removed"
	wordsDeactivated = "The person who scheduled this was deactivated in Salesmate"
	sourceCRM        = models.OptOutCRM
)

// Apply applies an event of the CRM (contract, section 2). Events come at least once and unordered: a lower seq than
// one already applied to the same tenant, user or number changes nothing.
func (c *Crew) Apply(ctx context.Context, e crm.Event, seq *int64) error {
	t, err := c.Store.Tenants.Get(ctx, e.Tenant.ID)
	if err != nil {
		return err
	}
	return c.Store.Tx(ctx, func(tx *models.Store) error {
		subject, err := c.subject(ctx, tx, t, e)
		if err != nil {
			return err
		}
		if seq != nil {
			news, err := tx.CRMCalls.AdvanceSequence(ctx, t.ID, subject, *seq)
			if err != nil || !news {
				return err
			}
		}
		return c.apply(ctx, tx, t, e)
	})
}

// subject is whom an event's sequence counts for; a number by its keyed hash, which survives an erasure. An erasure counts
// for itself: no news of the tenant that overtook it may keep it from happening.
func (c *Crew) subject(ctx context.Context, tx *models.Store, t models.Tenant, e crm.Event) (string, error) {
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
	number, err := compose.E164(number, t.Country)
	if err != nil {
		return "", err
	}
	return tx.Tenants.NumberKey(ctx, t.ID, number)
}

func (c *Crew) apply(ctx context.Context, tx *models.Store, t models.Tenant, e crm.Event) error {
	switch e.Type {
	case crm.EventPlanChanged:
		return c.planChanged(ctx, tx, e)
	case crm.EventTenantRenamed:
		return nil // the signed tenant block has been stored already
	case crm.EventAppUninstalled:
		return uninstalled(ctx, tx, t.ID)
	case crm.EventUserDeactivated:
		if err := tx.Users.Deactivate(ctx, t.ID, e.UserID); err != nil {
			return err
		}
		_, err := tx.Batches.Hold(ctx, t.ID, e.UserID, ledger.HeldUser, wordsDeactivated)
		return err
	case crm.EventOptedOut, crm.EventOptedIn:
		return c.optChanged(ctx, tx, t, e)
	case crm.EventDataErase:
		return c.erase(ctx, tx, t, e)
	}
	return nil
}

// uninstalled removes the app here at once, so that whoever installs it again has a new installation, and leaves Dialpad to
// a job.
func uninstalled(ctx context.Context, tx *models.Store, tenantID string) error {
	i, err := tx.Installations.Get(ctx, tenantID)
	if err != nil && !errors.Is(err, models.ErrNotFound) {
		return err
	}
	if err := tx.Installations.Uninstall(ctx, tenantID); err != nil {
		return err
	}
	if err := tx.Enqueue(ctx, queue.RemoveApp{TenantID: tenantID, InstalledAt: i.InstalledAt.UnixMilli()}); err != nil {
		return err
	}
	_, err = tx.Batches.Cancel(ctx, tenantID, "", wordsUninstalled)
	return err
}

// planChanged holds what waits when the plan no longer includes Dialpad.
func (c *Crew) planChanged(ctx context.Context, tx *models.Store, e crm.Event) error {
	now, err := tx.Tenants.Get(ctx, e.Tenant.ID)
	if err != nil || c.Market.HasPlan(now.Plan) {
		return err
	}
	n, err := tx.Batches.Hold(ctx, now.ID, "", ledger.HeldPlan, wordsDowngraded)
	if err != nil || n == 0 {
		return err
	}
	return tx.Audits.Add(ctx, now.ID, "", "plan.lost", map[string]string{"plan": now.Plan})
}

func (c *Crew) optChanged(ctx context.Context, tx *models.Store, t models.Tenant, e crm.Event) error {
	number, err := compose.E164(e.Number, t.Country)
	if err != nil {
		return err
	}
	if e.Type == crm.EventOptedOut {
		_, err = tx.Suppressions.Add(ctx, t.ID, number, sourceCRM, "")
	} else {
		_, err = tx.Suppressions.Remove(ctx, t.ID, number, sourceCRM)
	}
	return err
}

func (c *Crew) erase(ctx context.Context, tx *models.Store, t models.Tenant, e crm.Event) error {
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
	number, err := compose.E164(e.Number, t.Country)
	if err != nil {
		return err
	}
	return tx.EraseNumber(ctx, t.ID, number)
}
