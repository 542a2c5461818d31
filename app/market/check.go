package market

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/queue"
)

// Broken marks the connection broken because Dialpad turned this version of its token down; 0 blames the grant
// whatever its version. Open batches are held. A closer reason that Dialpad itself can give takes the place of reason.
// Once broken, or with a newer token meanwhile, it does nothing.
func (m *Market) Broken(ctx context.Context, tenantID string, version int64, reason string) error {
	c, err := m.store.Connections.Get(ctx, tenantID)
	if errors.Is(err, models.ErrNotFound) {
		return nil
	}
	if err != nil || c.State != models.Connected || version != 0 && c.TokenVersion != version {
		return err
	}
	if m.switchedOff(ctx, c) {
		reason = offWords(c)
	} else if words := m.adminGone(ctx, c); words != "" {
		reason = words
	}
	return m.breakNow(ctx, c, version, reason)
}

func (m *Market) breakNow(ctx context.Context, c models.Connection, version int64, reason string) error {
	m.forgetToken(c.TenantID)
	return m.store.Tx(ctx, func(tx *models.Store) error {
		broke, err := tx.Connections.MarkBroken(ctx, c.TenantID, version, reason)
		if err == nil && !broke && version == 0 {
			_, err = tx.Connections.SetReason(ctx, c.TenantID, reason)
		}
		if err != nil || !broke {
			return err
		}
		if _, err := tx.Batches.Hold(ctx, c.TenantID, "", ledger.HeldBroken, reason); err != nil {
			return err
		}
		return tx.Audits.Add(ctx, c.TenantID, "", "connection.broken", map[string]string{"reason": reason})
	})
}

func offWords(c models.Connection) string {
	return fmt.Sprintf("The app was switched off for %s in Dialpad. Switch it on there to go on texting.", c.CompanyName)
}

// switchedOff asks Dialpad whether it is the app's switch that turned us down. No answer means no.
func (m *Market) switchedOff(ctx context.Context, c models.Connection) bool {
	g, err := m.store.Connections.OpenGrant(c)
	if err != nil {
		return false
	}
	asking, cancel := context.WithTimeout(ctx, askingFor)
	defer cancel()
	settings, err := m.dp.AppSettings(asking, g.Access)
	return err == nil && !settings.Enabled
}

// adminGone says what is known of the person whose grant this is, "" when nothing speaks against that account. Nobody
// can be asked any more: the token was that person's.
func (m *Market) adminGone(ctx context.Context, c models.Connection) string {
	a, err := m.store.Accounts.Get(ctx, c.TenantID, c.DialpadUserID)
	switch {
	case err != nil:
		return ""
	case a.State != "" && a.State != models.AccountActive:
		return fmt.Sprintf("%s, who connected Dialpad, is no longer active there (%s). Make that account active again, or connect again "+
			"as another company admin.", c.ConnectedBy, a.State)
	case a.Stale:
		return fmt.Sprintf("Dialpad stopped accepting the connection right after the account of %s, who made it, was changed there. Make "+
			"sure that the account is active, or connect again as another company admin.", c.ConnectedBy)
	}
	return ""
}

// Check looks whether grant, app and company still stand and our subscriptions are still there, daily and after
// errors: it breaks or mends the connection and makes again what was deleted. What was held while it was broken goes on. *Refusal dialpad_unreachable when
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
		// It is broken, or was found so on the way. What became of its admin may have been heard only since.
		if words := m.adminGone(ctx, c); words != "" {
			if _, err := m.store.Connections.SetReason(ctx, tenantID, words); err != nil {
				return err
			}
		}
		return m.store.Connections.Touch(ctx, tenantID, models.GrantChecked)
	case Outage(err):
		return Unreachable(err)
	case err != nil:
		return err
	case reason != "":
		return errors.Join(m.breakNow(ctx, c, 0, reason), m.store.Connections.Touch(ctx, tenantID, models.GrantChecked))
	}
	if err := m.mend(ctx, c); err != nil {
		return err
	}
	if _, err := m.Subscribe(ctx, tenantID); err != nil {
		return err
	}
	return m.store.Connections.Touch(ctx, tenantID, models.GrantChecked)
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
		}
		reason = companyWords(c, company.State)
		return nil
	})
	return reason, err
}

// companyWords is "" for a company that may text. The enum is open: a word we don't know stops nobody's texts, unless
// it speaks of a hold, which is what Dialpad calls an unpaid account.
func companyWords(c models.Connection, state string) string {
	switch {
	case strings.Contains(strings.ToLower(state), "hold"):
		return fmt.Sprintf("Dialpad has put the company %s on hold. Texts go on when that is settled with Dialpad.", c.CompanyName)
	case state == dialpad.StateSuspended, state == dialpad.StateCancelled, state == dialpad.StateDeleted:
		return fmt.Sprintf("Dialpad says that the company %s is %s.", c.CompanyName, state)
	}
	return ""
}

func (m *Market) mend(ctx context.Context, c models.Connection) error {
	return m.store.Tx(ctx, func(tx *models.Store) error {
		mended, err := tx.Connections.MarkConnected(ctx, c.TenantID)
		if err != nil || !mended {
			return err
		}
		// Nobody could read the people meanwhile.
		if err := tx.Enqueue(ctx, queue.SyncDirectory{TenantID: c.TenantID}); err != nil {
			return err
		}
		if !c.Ready {
			return tx.Audits.Add(ctx, c.TenantID, "", "connection.mended", nil) // Ready lets texts go
		}
		return release(ctx, tx, c.TenantID, "connection.mended", map[string]string{})
	})
}

// release lets go on what a broken connection held, and tells the audit how many batches that were.
func release(ctx context.Context, tx *models.Store, tenantID, action string, detail map[string]string) error {
	n, err := tx.Batches.Release(ctx, tenantID, ledger.HeldBroken)
	if err != nil {
		return err
	}
	detail["batches_resumed"] = strconv.Itoa(n)
	return tx.Audits.Add(ctx, tenantID, "", action, detail)
}
