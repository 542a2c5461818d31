package handlers

import (
	"cmp"
	"context"
	"errors"
	"time"

	"dialpad-texting/app/crmtenant"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
)

// upsertTenant stores the tenant block of a signed call unless a newer one is
// stored, and returns the whole block: a call may omit fields. It returns
// models.ErrNotFound if the block is too incomplete for a new tenant.
func upsertTenant(ctx context.Context, store *models.Store, block crm.Tenant, signedAt time.Time) (crm.Tenant, error) {
	old, err := store.Tenants.Get(ctx, block.ID)
	if err != nil && (!errors.Is(err, models.ErrNotFound) || block.Linkname == "" || block.Plan == "") {
		return block, err
	}
	if now := store.Now(); signedAt.After(now) {
		signedAt = now // a clock that runs ahead must not block later calls
	}
	t, err := store.Tenants.SaveSigned(ctx, models.SignedTenant{
		ID: block.ID, Linkname: cmp.Or(block.Linkname, old.Linkname), Name: cmp.Or(block.Name, old.Name),
		Plan: cmp.Or(block.Plan, old.Plan), TimeZone: cmp.Or(block.TimeZone, old.TimeZone), SignedAt: signedAt,
	})
	return crmtenant.Of(t), err
}

// updateTenant is upsertTenant for a tenant that must be known.
func updateTenant(ctx context.Context, store *models.Store, block crm.Tenant, signedAt time.Time) (crm.Tenant, error) {
	if _, err := store.Tenants.Get(ctx, block.ID); err != nil {
		return block, err
	}
	return upsertTenant(ctx, store, block, signedAt)
}

// updateTenantInOrder is updateTenant for events, which may arrive out of order:
// a block with a lower seq changes nothing, whatever its timestamp.
func updateTenantInOrder(ctx context.Context, store *models.Store, block crm.Tenant, c crm.Call) (out crm.Tenant, err error) {
	err = store.Tx(ctx, func(tx *models.Store) error {
		t, err := tx.Tenants.Get(ctx, block.ID)
		if err != nil {
			return err
		}
		isNewest := true
		if c.Seq != nil {
			if isNewest, err = tx.CRMCalls.AdvanceSequence(ctx, t.ID, "tenant block", *c.Seq); err != nil {
				return err
			}
		}
		if out = crmtenant.Of(t); isNewest {
			out, err = upsertTenant(ctx, tx, block, c.Timestamp)
		}
		return err
	})
	return out, err
}
