package connection

import (
	"context"
	"errors"

	"dialpad-texting/app/eligibility"
	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/models"
	"dialpad-texting/models/queue"
)

// Check asks Dialpad whether grant, app and company are still good, daily
// and after errors. It breaks or repairs the connection and creates missing
// subscriptions again. Errors: *eligibility.Refusal dialpad_unreachable when
// Dialpad can't be asked.
func (c *Connections) Check(ctx context.Context, tenantID string) error {
	conn, err := c.tokens.readGranted(ctx, tenantID)
	var refusal *eligibility.Refusal
	if errors.As(err, &refusal) {
		return nil // nothing to check
	}
	if err != nil {
		return err
	}
	reason, err := c.findFault(ctx, conn)
	switch {
	case errors.As(err, &refusal) && refusal.Code == eligibility.CodeConnect:
		// It is broken, or broke during the request. An event about its
		// admin may have come only after that.
		if closer := adminReason(ctx, c.store, conn); closer != "" {
			if _, err := c.store.Connections.SetReason(ctx, tenantID, closer); err != nil {
				return err
			}
		}
		return c.store.Connections.SetMoment(ctx, tenantID, models.GrantChecked)
	case eligibility.IsOutage(err):
		return eligibility.Unreachable(err)
	case err != nil:
		return err
	case reason != "":
		return errors.Join(c.tokens.breakConnection(ctx, conn, 0, reason), c.store.Connections.SetMoment(ctx, tenantID, models.GrantChecked))
	}
	if err := c.repair(ctx, conn); err != nil {
		return err
	}
	if _, err := c.Subscribe(ctx, tenantID); err != nil {
		return err
	}
	return c.store.Connections.SetMoment(ctx, tenantID, models.GrantChecked)
}

// findFault returns why Dialpad lets no texts go, in a sentence for the
// admin; "" if it does.
func (c *Connections) findFault(ctx context.Context, conn models.Connection) (reason string, err error) {
	err = c.tokens.do(ctx, conn.TenantID, c.tokens.readGranted, func(token string) error {
		reason = ""
		settings, err := c.dp.AppSettings(ctx, token)
		if err != nil {
			return err
		}
		if !settings.Enabled {
			reason = appOffReason(conn)
			return nil
		}
		company, err := c.dp.Company(ctx, token)
		switch {
		case dialpad.KindOf(err) == dialpad.Forbidden:
			reason = notAdminReason(conn)
			return nil
		case err != nil:
			return err
		}
		reason = companyReason(conn, company.State)
		return nil
	})
	return reason, err
}

// repair marks a broken connection connected again.
func (c *Connections) repair(ctx context.Context, conn models.Connection) error {
	return c.store.Tx(ctx, func(tx *models.Store) error {
		repaired, err := tx.Connections.MarkConnected(ctx, conn.TenantID)
		if err != nil || !repaired {
			return err
		}
		// The directory could not be read meanwhile.
		if err := tx.Enqueue(ctx, queue.SyncDirectory{TenantID: conn.TenantID}); err != nil {
			return err
		}
		if !conn.Ready {
			return tx.Audits.Add(ctx, conn.TenantID, "", "connection.mended", nil) // MarkReady resumes the batches
		}
		return resumeBatches(ctx, tx, conn.TenantID, "connection.mended", map[string]string{})
	})
}
