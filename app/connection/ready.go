package connection

import (
	"context"
	"errors"
	"strconv"

	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// errReplaced asks for another run: the connection was replaced while its
// directory or subscriptions were being read.
var errReplaced = errors.New("the connection is not complete: it was replaced meanwhile")

// MarkReady lets texts go, once directory and subscriptions of this very
// connection are in place. Batches that a broken connection held are
// resumed; those that somebody's decision holds are not.
func (c *Connections) MarkReady(ctx context.Context, tenantID string) error {
	return c.store.Tx(ctx, func(tx *models.Store) error {
		conn, err := tx.Connections.Get(ctx, tenantID)
		if err != nil {
			return err
		}
		if conn.DirectoryAt == nil || conn.SubscriptionsAt == nil {
			return errReplaced
		}
		if err := tx.Connections.MarkReady(ctx, tenantID); err != nil {
			return err
		}
		if err := tx.ConnectAttempts.SetFinishingStep(ctx, tenantID, models.StepDone, ""); err != nil {
			return err
		}
		if err := tx.Connections.SetMoment(ctx, tenantID, models.GrantChecked); err != nil {
			return err
		}
		return resumeBatches(ctx, tx, tenantID, "connection.ready", map[string]string{"company": conn.CompanyID})
	})
}

// resumeBatches resumes what a broken connection held, with an audit entry
// that says how many batches those were.
func resumeBatches(ctx context.Context, tx *models.Store, tenantID, action string, detail map[string]string) error {
	n, err := tx.Batches.Release(ctx, tenantID, ledger.HeldBroken)
	if err != nil {
		return err
	}
	detail["batches_resumed"] = strconv.Itoa(n)
	return tx.Audits.Add(ctx, tenantID, "", action, detail)
}
