package market

import (
	"context"
	"errors"
	"fmt"

	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/models"
)

// Broken marks the connection broken because Dialpad turned this version of its token down; 0 blames the grant
// whatever its version. Open batches are held. A closer reason that Dialpad itself can give takes the place of reason.
// Once broken, or with a newer token meanwhile, it does nothing.
func (m *Market) Broken(ctx context.Context, tenantID string, version int64, reason string) error {
	c, err := m.store.Connection(ctx, tenantID)
	if errors.Is(err, models.ErrNotFound) {
		return nil
	}
	if err != nil || c.State != models.Connected || version != 0 && c.TokenVersion != version {
		return err
	}
	if m.switchedOff(ctx, c) {
		reason = offWords(c)
	}
	return m.breakNow(ctx, c, version, reason)
}

func (m *Market) breakNow(ctx context.Context, c models.Connection, version int64, reason string) error {
	m.forgetToken(c.TenantID)
	return m.store.Tx(ctx, func(tx *models.Store) error {
		broke, err := tx.Break(ctx, c.TenantID, version, reason)
		if err != nil || !broke {
			return err
		}
		if _, err := tx.HoldBatches(ctx, c.TenantID, "", reason); err != nil {
			return err
		}
		return tx.Audit(ctx, c.TenantID, "", "connection.broken", map[string]string{"reason": reason})
	})
}

func offWords(c models.Connection) string {
	return fmt.Sprintf("The app was switched off for %s in Dialpad. Switch it on there to go on texting.", c.CompanyName)
}

// switchedOff asks Dialpad whether it is the app's switch that turned us down. No answer means no.
func (m *Market) switchedOff(ctx context.Context, c models.Connection) bool {
	g, err := m.store.OpenGrant(c)
	if err != nil {
		return false
	}
	asking, cancel := context.WithTimeout(ctx, askingFor)
	defer cancel()
	settings, err := m.dp.AppSettings(asking, g.Access)
	return err == nil && !settings.Enabled
}

// Check looks whether grant, app and company still stand and our subscriptions are still there, daily and after
// errors: it breaks or mends the connection and makes again what was deleted. *Refusal dialpad_unreachable when
// Dialpad can't be asked.
func (m *Market) Check(ctx context.Context, tenantID string) error {
	c, err := m.anyGrant(ctx, tenantID)
	var refusal *Refusal
	if errors.As(err, &refusal) {
		return nil // nothing to check
	}
	if err != nil {
		return err
	}
	reason, err := m.ask(ctx, c)
	switch {
	case errors.As(err, &refusal) && refusal.Code == CodeConnect:
		return nil // it was found broken on the way, and marked so
	case Outage(err):
		return Unreachable(err)
	case err != nil:
		return err
	case reason != "":
		return m.breakNow(ctx, c, 0, reason)
	}
	if err := m.mend(ctx, c); err != nil {
		return err
	}
	if _, err := m.Subscribe(ctx, tenantID); err != nil {
		return err
	}
	return m.store.Touch(ctx, tenantID, models.GrantChecked)
}

// ask returns the sentence for the admin when Dialpad says that texts can't go.
func (m *Market) ask(ctx context.Context, c models.Connection) (reason string, err error) {
	err = m.do(ctx, c.TenantID, m.anyGrant, func(token string) error {
		reason = ""
		settings, err := m.dp.AppSettings(ctx, token)
		if err != nil {
			return err
		}
		if !settings.Enabled {
			reason = offWords(c)
			return nil
		}
		company, err := m.dp.Company(ctx, token)
		switch {
		case dialpad.KindOf(err) == dialpad.Forbidden:
			reason = fmt.Sprintf("%s is no longer a company admin in Dialpad. A company admin has to connect again.", c.ConnectedBy)
			return nil
		case err != nil:
			return err
		case company.State == dialpad.StateSuspended, company.State == dialpad.StateCancelled, company.State == dialpad.StateDeleted:
			reason = fmt.Sprintf("Dialpad says that the company %s is %s.", c.CompanyName, company.State)
		}
		return nil
	})
	return reason, err
}

func (m *Market) mend(ctx context.Context, c models.Connection) error {
	return m.store.Tx(ctx, func(tx *models.Store) error {
		mended, err := tx.Mend(ctx, c.TenantID)
		if err != nil || !mended {
			return err
		}
		return tx.Audit(ctx, c.TenantID, "", "connection.mended", nil)
	})
}
