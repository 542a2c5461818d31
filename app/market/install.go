package market

import (
	"context"
	"errors"
	"time"

	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// Reasons that people read on batches which stop here.
const (
	DisconnectedReason = "Dialpad was disconnected"
	RemovedReason      = "The Dialpad app was removed"
)

// leavingFor bounds how long a disconnect waits for Dialpad: the person waits too.
const leavingFor = 15 * time.Second

// Install puts the app into the tenant's marketplace. plan_required: nothing was created. Installing twice is fine.
func (m *Market) Install(ctx context.Context, t models.Tenant, userID string) (*Refusal, error) {
	if !m.HasPlan(t.Plan) {
		return m.Judge(Facts{Plan: t.Plan, Linkname: t.Linkname}), nil
	}
	return nil, m.store.Tx(ctx, func(tx *models.Store) error {
		created, err := tx.Installations.Install(ctx, t.ID, userID)
		if err != nil || !created {
			return err
		}
		return tx.Audits.Add(ctx, t.ID, userID, "app.installed", map[string]string{"plan": t.Plan})
	})
}

// Disconnect deletes our webhook and subscriptions at Dialpad, revokes the grant and forgets it; open batches are
// held. A Dialpad that does not answer does not stop it: the audit entry tells. Doing it again is fine.
func (m *Market) Disconnect(ctx context.Context, tenantID, userID string) error {
	return m.leave(ctx, tenantID, userID, "connection.disconnected", func(tx *models.Store) error {
		_, err := tx.Batches.Hold(ctx, tenantID, "", ledger.HeldDisconnected, DisconnectedReason)
		return err
	})
}

// Remove disconnects and uninstalls; open batches are cancelled with the reason.
func (m *Market) Remove(ctx context.Context, tenantID, userID string) error {
	return m.leave(ctx, tenantID, userID, "app.removed", func(tx *models.Store) error {
		if _, err := tx.Batches.Cancel(ctx, tenantID, "", RemovedReason); err != nil {
			return err
		}
		return tx.Installations.Uninstall(ctx, tenantID)
	})
}

// leave goes on when the person closes the window: half a disconnect helps nobody.
func (m *Market) leave(ctx context.Context, tenantID, userID, action string, batches func(*models.Store) error) error {
	ctx = context.WithoutCancel(ctx)
	told := m.tellDialpad(ctx, tenantID)
	defer m.forgetToken(tenantID)
	return m.store.Tx(ctx, func(tx *models.Store) error {
		s, err := m.within(tx).standing(ctx, tenantID)
		if err != nil {
			return err
		}
		if err := tx.Connections.Disconnect(ctx, tenantID); err != nil {
			return err
		}
		if err := tx.ConnectAttempts.FailFinishing(ctx, tenantID, cancelledCode, "Dialpad was disconnected meanwhile."); err != nil {
			return err
		}
		if err := batches(tx); err != nil {
			return err
		}
		if s.nothingLeft(action) {
			return nil
		}
		return tx.Audits.Add(ctx, tenantID, userID, action, map[string]string{"company": s.connection.CompanyID, "dialpad": told})
	})
}

// nothingLeft tells that somebody did this before.
func (s standing) nothingLeft(action string) bool {
	connected := s.connection.State == models.Connected || s.connection.State == models.Broken
	return !connected && (action != "app.removed" || s.install.State != models.Installed)
}

// within is this market inside a transaction.
func (m *Market) within(tx *models.Store) *Market { return &Market{store: tx, cfg: m.cfg} }

// tellDialpad cleans up over there and says how it went, for the audit.
func (m *Market) tellDialpad(ctx context.Context, tenantID string) string {
	ctx, cancel := context.WithTimeout(ctx, leavingFor)
	defer cancel()
	c, err := m.anyGrant(ctx, tenantID)
	if err != nil {
		return "nothing to clean up"
	}
	path, _, err := m.store.Connections.OpenHook(c)
	if err == nil {
		_, err = m.try(ctx, tenantID, m.anyGrant, func(token string) error {
			if err := m.deleteOwnHooks(ctx, token, path, known(c)); err != nil {
				return err
			}
			return m.dp.Revoke(ctx, token)
		})
	}
	var refusal *Refusal
	switch {
	case err == nil:
		return "cleaned up and revoked"
	case dialpad.KindOf(err) == dialpad.Unauthorized, errors.As(err, &refusal) && refusal.Code == CodeConnect:
		return "the grant was not valid any more"
	}
	m.log.Warn("Dialpad could not be told of a disconnect", "tenant", tenantID, "err", err)
	return "could not be reached: webhook, subscriptions and grant may still stand"
}

// deleteOwnHooks deletes what one connection had made, and nothing of anybody's connection after it.
func (m *Market) deleteOwnHooks(ctx context.Context, token, path string, own models.Subscriptions) error {
	h, err := m.hooks(ctx, token)
	if err != nil {
		return err
	}
	return m.deleteHooks(ctx, token, h, func(id, url string) bool {
		return path != "" && url == m.hookURL(path) || id == own.WebhookID || id == own.SMS || id == own.ChangeLog
	})
}
