package market

import (
	"context"
	"errors"
	"fmt"

	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/queue"
)

// OtherCompanyReason is what people read on batches that were made for the company before.
const OtherCompanyReason = "Another Dialpad company was connected"

// admit decides about a grant: refuse, ask, or connect.
func (m *Market) admit(ctx context.Context, a models.ConnectAttempt, t models.Tenant, g granted) (Outcome, error) {
	halt, err := m.objection(ctx, a, t, g)
	if err != nil {
		return m.drop(ctx, g, err)
	}
	if halt != nil {
		return m.stop(ctx, a, t, halt, g)
	}
	question, err := m.question(ctx, a, t, g)
	if err != nil {
		return m.drop(ctx, g, err)
	}
	if question == "" {
		return m.accept(ctx, a, t, g)
	}
	state := models.NewSecret()
	if err := m.store.ConnectAttempts.AwaitConfirm(ctx, a.ID, g.seal(), state, confirmLife); err != nil {
		return m.drop(ctx, g, err)
	}
	return Outcome{Title: "Connect " + g.CompanyName + "?", Message: question, Confirm: &Confirm{Company: g.CompanyName,
		DialpadEmail: g.email(), TenantName: t.Name, Linkname: t.Linkname, State: state}}, nil
}

// objection is what makes a grant impossible, whoever confirms it: plan or app lost meanwhile, the admin gone, the
// company another tenant's.
func (m *Market) objection(ctx context.Context, a models.ConnectAttempt, t models.Tenant, g granted) (*Halt, error) {
	refusal, err := m.mayConnect(ctx, t)
	if err != nil {
		return nil, err
	}
	if refusal != nil {
		return lostHalt(refusal), nil
	}
	u, err := m.store.Users.Get(ctx, t.ID, a.UserID)
	if err != nil && !errors.Is(err, models.ErrNotFound) {
		return nil, err
	}
	if err == nil && !u.Active {
		return inactiveHalt(), nil
	}
	c, err := m.store.Connections.ByCompanyAllTenants(ctx, g.CompanyID)
	switch {
	case errors.Is(err, models.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	case c.TenantID != t.ID:
		return takenHalt(g.CompanyName), nil
	}
	return nil, nil
}

// question is what has to be confirmed before anything is stored, "" when nothing has.
func (m *Market) question(ctx context.Context, a models.ConnectAttempt, t models.Tenant, g granted) (string, error) {
	c, err := m.store.Connections.Get(ctx, t.ID)
	if err != nil && !errors.Is(err, models.ErrNotFound) {
		return "", err
	}
	if err == nil && c.State != models.Disconnected && c.CompanyID != g.CompanyID {
		return fmt.Sprintf("%s is connected to %s at present. Connecting %s takes its place, and what is waiting to be sent is held.",
			t.Name, c.CompanyName, g.CompanyName), nil
	}
	if !g.of(a.UserEmail) {
		return fmt.Sprintf("You allowed this in Dialpad as %s. Everybody in %s (%s) who has an account in %s will text through it.",
			g.email(), t.Name, t.Linkname, g.CompanyName), nil
	}
	return "", nil
}

// Confirm connects what waited for it, in the browser that was asked.
func (m *Market) Confirm(ctx context.Context, state, browser string) (Outcome, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), windowFor)
	defer cancel()
	a, t, g, out, err := m.takeConfirm(ctx, state, browser)
	if err != nil || out != nil {
		return value(out), err
	}
	halt, err := m.objection(ctx, a, t, g)
	if err != nil {
		return m.drop(ctx, g, err)
	}
	if halt != nil {
		return m.stop(ctx, a, t, halt, g)
	}
	return m.accept(ctx, a, t, g)
}

// Decline gives back what waited for the confirmation.
func (m *Market) Decline(ctx context.Context, state, browser string) (Outcome, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), windowFor)
	defer cancel()
	a, t, g, out, err := m.takeConfirm(ctx, state, browser)
	if err != nil || out != nil {
		return value(out), err
	}
	return m.stop(ctx, a, t, declinedHalt(g.CompanyName, t.Name), g)
}

func value(o *Outcome) Outcome {
	if o == nil {
		return Outcome{}
	}
	return *o
}

func (m *Market) takeConfirm(ctx context.Context, state, browser string) (a models.ConnectAttempt, t models.Tenant, g granted, out *Outcome, err error) {
	a, sealed, err := m.store.ConnectAttempts.TakeConfirm(ctx, state, browser)
	if err != nil {
		o, err := m.stray(ctx, CallbackQuery{State: state, Browser: browser}, err)
		return a, t, g, &o, err
	}
	if t, err = m.store.Tenants.Get(ctx, a.TenantID); err != nil {
		return a, t, g, nil, err
	}
	g, err = parseGranted(sealed)
	return a, t, g, nil, err
}

// accept stores the grant: connection, lane, what follows from it and the audit in one transaction.
func (m *Market) accept(ctx context.Context, a models.ConnectAttempt, t models.Tenant, g granted) (Outcome, error) {
	var replaced granted
	err := m.store.Tx(ctx, func(tx *models.Store) error {
		old, err := tx.Connections.Get(ctx, t.ID)
		if err != nil && !errors.Is(err, models.ErrNotFound) {
			return err
		}
		if replaced, err = m.replaced(old, g); err != nil {
			return err
		}
		connected, err := m.storeConnection(ctx, tx, a, old, g)
		if err != nil {
			return err
		}
		if err := tx.ConnectAttempts.SetStep(ctx, a, models.StepFinishing, "", "", replaced.seal()); err != nil {
			return err
		}
		if replaced.seal() != "" {
			if err := tx.Enqueue(ctx, queue.CleanGrant{TenantID: t.ID, AttemptID: a.ID}); err != nil {
				return err
			}
		}
		if err := tx.Enqueue(ctx, connected.Finish()); err != nil {
			return err
		}
		return tx.Audits.Add(ctx, t.ID, a.UserID, "connection.connected", map[string]string{"company": g.CompanyID, "company_before": old.CompanyID})
	})
	m.forgetToken(t.ID)
	switch {
	case errors.Is(err, models.ErrConflict): // another tenant was faster: the database decides
		return m.stop(ctx, a, t, takenHalt(g.CompanyName), g)
	case errors.Is(err, models.ErrLost): // its time ran out meanwhile
		_, _ = m.drop(ctx, g, err)
		return m.halt(t, staleHalt(err)).Outcome, nil
	case err != nil:
		return m.drop(ctx, g, err)
	}
	return m.connected(t, g.CompanyName), nil
}

func (m *Market) storeConnection(ctx context.Context, tx *models.Store, a models.ConnectAttempt, old models.Connection, g granted) (models.Connection, error) {
	other := old.CompanyID != "" && old.CompanyID != g.CompanyID
	if other {
		if err := tx.Accounts.DeleteAll(ctx, a.TenantID); err != nil {
			return old, err
		}
		if _, err := tx.Batches.Hold(ctx, a.TenantID, "", ledger.HeldCompany, OtherCompanyReason); err != nil {
			return old, err
		}
	}
	c, err := tx.Connections.Save(ctx, models.NewConnection{TenantID: a.TenantID, CompanyID: g.CompanyID, CompanyName: g.CompanyName,
		DialpadUserID: g.UserID, ConnectedBy: g.email(), ConnectedByUser: a.UserID, Grant: g.Grant})
	if err != nil {
		return old, err
	}
	if !other && old.Ready { // the same company again: its people are known, texts need not stop
		if err := tx.Connections.MarkReady(ctx, a.TenantID); err != nil {
			return old, err
		}
	}
	return c, tx.Lanes.Ensure(ctx, g.CompanyID, a.TenantID)
}

// replaced is the grant of another company that has to be given back. One of the same company is not: Dialpad does
// not say whether a revocation also reaches the new grant, and Subscribe clears the old webhook away.
func (m *Market) replaced(old models.Connection, g granted) (granted, error) {
	live := old.State == models.Connected || old.State == models.Broken
	if !live || old.CompanyID == g.CompanyID {
		return granted{}, nil
	}
	grant, err1 := m.store.Connections.OpenGrant(old)
	path, _, err2 := m.store.Connections.OpenHook(old)
	return granted{Grant: grant, CompanyID: old.CompanyID, Path: path, Known: known(old)}, errors.Join(err1, err2)
}

// stop ends an attempt with its sentence and has its grant given back.
func (m *Market) stop(ctx context.Context, a models.ConnectAttempt, t models.Tenant, h *Halt, g granted) (Outcome, error) {
	m.log.Info("a connect attempt ended", "tenant", t.ID, "attempt", a.ID, "code", h.Code, "err", h.Cause)
	if err := m.endAttempt(ctx, a, h, g); errors.Is(err, models.ErrLost) { // it was ended by its time already
		_, _ = m.drop(ctx, g, err)
	} else if err != nil {
		return m.drop(ctx, g, err)
	}
	return m.halt(t, h).Outcome, nil
}

func (m *Market) endAttempt(ctx context.Context, a models.ConnectAttempt, h *Halt, g granted) error {
	return m.store.Tx(ctx, func(tx *models.Store) error {
		if err := tx.ConnectAttempts.SetStep(ctx, a, models.StepFailed, h.Code, h.Outcome.Message, g.seal()); err != nil {
			return err
		}
		if g.seal() != "" {
			if err := tx.Enqueue(ctx, queue.CleanGrant{TenantID: a.TenantID, AttemptID: a.ID}); err != nil {
				return err
			}
		}
		return tx.Audits.Add(ctx, a.TenantID, a.UserID, "connect.failed", map[string]string{"code": h.Code, "company": g.CompanyID})
	})
}

// drop gives a grant back at once when the database would not keep it: nobody else will know of it.
func (m *Market) drop(ctx context.Context, g granted, cause error) (Outcome, error) {
	if g.Grant.Access != "" {
		if err := m.dp.Revoke(ctx, g.Grant.Access); err != nil {
			m.log.Error("a grant that could not be stored could not be revoked either", "err", err)
		}
	}
	return Outcome{}, cause
}
