package connection

import (
	"context"
	"errors"
	"time"

	"dialpad-texting/app/eligibility"
	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// disconnectedHeldReason is shown on batches that a disconnect holds.
const disconnectedHeldReason = "Dialpad was disconnected"

// cleanUpTimeout bounds how long a disconnect waits for Dialpad: the person
// waits too.
const cleanUpTimeout = 15 * time.Second

// Disconnect deletes our webhook and subscriptions at Dialpad, revokes and
// forgets the grant, and holds the open batches. If Dialpad does not answer,
// the audit entry says so. A second Disconnect does nothing.
func (c *Connections) Disconnect(ctx context.Context, tenantID, userID string) error {
	return c.DisconnectInTx(ctx, tenantID, userID, "connection.disconnected", func(tx *models.Store) (bool, error) {
		_, err := tx.Batches.Hold(ctx, tenantID, "", ledger.HeldDisconnected, disconnectedHeldReason)
		return false, err
	})
}

// DisconnectInTx disconnects and runs f in the same transaction. The audit entry action
// is written if there was a connection or f reports a change. It goes on
// when the person closes the page: half a disconnect helps nobody.
func (c *Connections) DisconnectInTx(ctx context.Context, tenantID, userID, action string, f func(tx *models.Store) (changed bool, err error)) error {
	ctx = context.WithoutCancel(ctx)
	cleanUp := c.cleanUpAtDialpad(ctx, tenantID)
	defer c.tokens.forget(tenantID)
	return c.store.Tx(ctx, func(tx *models.Store) error {
		old, err := tx.Connections.Get(ctx, tenantID)
		if err != nil && !errors.Is(err, models.ErrNotFound) {
			return err
		}
		if err := tx.Connections.Disconnect(ctx, tenantID); err != nil {
			return err
		}
		if err := tx.ConnectAttempts.FailFinishing(ctx, tenantID, codeCancelled, disconnectedMessage); err != nil {
			return err
		}
		changed, err := f(tx)
		if err != nil {
			return err
		}
		if old.State != models.Connected && old.State != models.Broken && !changed {
			return nil
		}
		return tx.Audits.Add(ctx, tenantID, userID, action, map[string]string{"company": old.CompanyID, "dialpad": cleanUp})
	})
}

// cleanUpAtDialpad deletes and revokes what we have there, and returns how
// that went, for the audit entry.
func (c *Connections) cleanUpAtDialpad(ctx context.Context, tenantID string) string {
	ctx, cancel := context.WithTimeout(ctx, cleanUpTimeout)
	defer cancel()
	conn, err := c.tokens.readGranted(ctx, tenantID)
	if err != nil {
		return "nothing to clean up"
	}
	path, _, err := c.store.Connections.OpenHook(conn)
	revoked := false
	if err == nil {
		_, err = c.tokens.try(ctx, tenantID, c.tokens.readGranted, func(token string) error {
			if err := c.hooks.deleteOwn(ctx, token, path, subscriptionsOf(conn)); err != nil {
				return err
			}
			var err error
			revoked, err = c.revoker.revoke(ctx, grantOwner{CompanyID: conn.CompanyID, UserID: conn.DialpadUserID, Ending: tenantID}, token)
			return err
		})
	}
	var refusal *eligibility.Refusal
	switch {
	case err == nil && !revoked:
		return "cleaned up; the grant was forgotten and not revoked, as others may depend on it"
	case err == nil:
		return "cleaned up and revoked"
	case dialpad.KindOf(err) == dialpad.Unauthorized, errors.As(err, &refusal) && refusal.Code == eligibility.CodeConnect:
		return "the grant was not valid any more"
	}
	c.log.Warn("clean up at Dialpad failed", "tenant", tenantID, "err", err)
	return "could not be reached: webhook, subscriptions and grant may still stand"
}
