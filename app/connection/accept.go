package connection

import (
	"context"
	"errors"

	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/queue"
)

// OtherCompanyReason is shown on batches of the company that was connected
// before.
const OtherCompanyReason = "Another Dialpad company was connected"

// accept stores the grant: connection, lane, follow-up jobs and audit entry
// in one transaction.
func (c *Connector) accept(ctx context.Context, a models.ConnectAttempt, t models.Tenant, g grant) (Result, error) {
	err := c.store.Tx(ctx, func(tx *models.Store) error { return c.storeGrant(ctx, tx, a, g) })
	c.tokens.forget(t.ID)
	switch {
	case errors.Is(err, models.ErrConflict): // another tenant connected the company first
		return c.fail(ctx, a, t, errCompanyTaken(g.CompanyName), g)
	case errors.Is(err, models.ErrLost): // the attempt expired meanwhile
		_, _ = c.discard(ctx, a, g, err)
		return c.withLink(t, errStale(err)).Result, nil
	case err != nil:
		return c.discard(ctx, a, g, err)
	}
	return c.success(t, g.CompanyName), nil
}

func (c *Connector) storeGrant(ctx context.Context, tx *models.Store, a models.ConnectAttempt, g grant) error {
	old, err := tx.Connections.Get(ctx, a.TenantID)
	if err != nil && !errors.Is(err, models.ErrNotFound) {
		return err
	}
	replaced, err := c.replacedGrant(old, g)
	if err != nil {
		return err
	}
	connected, err := storeConnection(ctx, tx, a, old, g)
	if err != nil {
		return err
	}
	if err := tx.ConnectAttempts.SetStep(ctx, a, models.StepDirectory, "", "", replaced.encode()); err != nil {
		return err
	}
	if replaced.encode() != "" {
		if err := tx.Enqueue(ctx, queue.CleanGrant{TenantID: a.TenantID, AttemptID: a.ID}); err != nil {
			return err
		}
	}
	if err := tx.Enqueue(ctx, connected.Finish()); err != nil {
		return err
	}
	return tx.Audits.Add(ctx, a.TenantID, a.UserID, "connection.connected", map[string]string{"company": g.CompanyID, "company_before": old.CompanyID})
}

// storeConnection replaces the tenant's connection. Another company's
// accounts are forgotten and its batches held.
func storeConnection(ctx context.Context, tx *models.Store, a models.ConnectAttempt, old models.Connection, g grant) (models.Connection, error) {
	otherCompany := old.CompanyID != "" && old.CompanyID != g.CompanyID
	if otherCompany {
		if err := tx.Accounts.DeleteAll(ctx, a.TenantID); err != nil {
			return old, err
		}
		if _, err := tx.Batches.Hold(ctx, a.TenantID, "", ledger.HeldOtherCompany, OtherCompanyReason); err != nil {
			return old, err
		}
	}
	connected, err := tx.Connections.Save(ctx, models.NewConnection{TenantID: a.TenantID, CompanyID: g.CompanyID, CompanyName: g.CompanyName,
		DialpadUserID: g.UserID, ConnectedBy: g.email(), ConnectedByUser: a.UserID, Grant: g.Grant})
	if err != nil {
		return old, err
	}
	if !otherCompany && old.Ready { // same company: its accounts are known, so texts need not stop
		if err := tx.Connections.MarkReady(ctx, a.TenantID); err != nil {
			return old, err
		}
	}
	return connected, tx.Lanes.Ensure(ctx, g.CompanyID, a.TenantID)
}

// replacedGrant returns the grant of another company that has to be given
// back. One of the same company is kept: Dialpad does not say whether
// revoking it would also revoke the new one, and Subscribe deletes the old
// webhook.
func (c *Connector) replacedGrant(old models.Connection, g grant) (grant, error) {
	live := old.State == models.Connected || old.State == models.Broken
	if !live || old.CompanyID == g.CompanyID {
		return grant{}, nil
	}
	opened, err1 := c.store.Connections.OpenGrant(old)
	path, _, err2 := c.store.Connections.OpenHook(old)
	return grant{Grant: opened, CompanyID: old.CompanyID, UserID: old.DialpadUserID, Path: path, Known: subscriptionsOf(old)}, errors.Join(err1, err2)
}
