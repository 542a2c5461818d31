package market

import (
	"context"
	"errors"

	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/models"
)

// errReplaced is a connection that was replaced while its directory or subscriptions were being read: once more.
var errReplaced = errors.New("the connection is not complete: it was replaced meanwhile")

// Ready lets texts go, once directory and subscriptions of this very connection are in place. What was held since the
// connection broke goes on; what somebody's decision holds is resumed by whoever wants it.
func (m *Market) Ready(ctx context.Context, tenantID string) error {
	return m.store.Tx(ctx, func(tx *models.Store) error {
		c, err := tx.Connections.Get(ctx, tenantID)
		if err != nil {
			return err
		}
		if c.DirectoryAt == nil || c.SubscriptionsAt == nil {
			return errReplaced
		}
		if err := tx.Connections.MarkReady(ctx, tenantID); err != nil {
			return err
		}
		if err := tx.ConnectAttempts.SetFinishingStep(ctx, tenantID, models.StepDone, ""); err != nil {
			return err
		}
		if err := tx.Connections.Touch(ctx, tenantID, models.GrantChecked); err != nil {
			return err
		}
		return release(ctx, tx, tenantID, "connection.ready", map[string]string{"company": c.CompanyID})
	})
}

// CleanGrant deletes our webhook and subscriptions of a grant that an attempt left over, revokes it and forgets it.
// An error means: again later.
func (m *Market) CleanGrant(ctx context.Context, tenantID, attemptID string) error {
	a, err := m.store.ConnectAttempts.Get(ctx, tenantID, attemptID)
	if errors.Is(err, models.ErrNotFound) || err == nil && (a.GrantSealed.Empty() || a.Step == models.StepConfirm || a.Step == models.StepExchanging) {
		return nil
	}
	if err != nil {
		return err
	}
	g, err := m.attemptGrant(a)
	if err != nil {
		return err
	}
	if err := m.giveBack(ctx, g); Outage(err) {
		return Unreachable(err)
	} else if err != nil {
		m.log.Warn("a grant could not be given back", "tenant", tenantID, "err", err)
	}
	return m.store.ConnectAttempts.DeleteGrant(ctx, tenantID, attemptID)
}

// giveBack needs an access token that still works. One that ran out is refreshed once, and its pair used for this
// alone.
func (m *Market) giveBack(ctx context.Context, g granted) error {
	err := m.deleteAndRevoke(ctx, g, g.Grant.Access)
	if dialpad.KindOf(err) != dialpad.Unauthorized || g.Grant.Refresh == "" {
		return err
	}
	pair, err := m.dp.Refresh(ctx, g.Grant.Refresh)
	if err != nil {
		return err
	}
	return m.deleteAndRevoke(ctx, g, pair.Access)
}

func (m *Market) deleteAndRevoke(ctx context.Context, g granted, token string) error {
	if g.Path != "" || g.Known != (models.Subscriptions{}) {
		if err := m.deleteOwnHooks(ctx, token, g.Path, g.Known); err != nil {
			return err
		}
	}
	return m.dp.Revoke(ctx, token)
}

// ExpireAttempts ends the attempts whose confirmation never came, and queues their grants to be given back. It
// returns how many. One whose grant can't be read ends without: nobody could give it back.
func (m *Market) ExpireAttempts(ctx context.Context) (int, error) {
	expired, err := m.store.ConnectAttempts.ExpiredGrantsAllTenants(ctx)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, a := range expired {
		g, err := m.attemptGrant(a)
		if err != nil {
			m.log.Error("the grant of an attempt that ran out can't be read, so it is not given back", "tenant", a.TenantID, "attempt", a.ID, "err", err)
			g = granted{}
		}
		if err := m.endAttempt(ctx, a, expiredHalt(), g); err != nil && !errors.Is(err, models.ErrLost) {
			return n, err
		}
		n++
	}
	return n, nil
}

func (m *Market) attemptGrant(a models.ConnectAttempt) (granted, error) {
	sealed, err := m.store.ConnectAttempts.OpenGrant(a)
	if err != nil {
		return granted{}, err
	}
	return parseGranted(sealed)
}
