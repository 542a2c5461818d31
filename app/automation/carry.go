package automation

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"dialpad-texting/app/market"
	"dialpad-texting/app/texting"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/queue"
)

// errand is one call on its way to becoming a message.
type errand struct {
	*Automation
	tenant models.Tenant
	call   ledger.Callback
	ask    request
	action texting.Action
	sender texting.Sender
	target texting.Target
}

// Carry turns an accepted call into a message of its workflow's batch, or into its end: may the tenant text, who
// sends, what to whom. It may run twice at once, and again after a crash: one message comes of it. An error means:
// again later.
func (a *Automation) Carry(ctx context.Context, tenantID, callbackID string) error {
	c, err := a.store.Callbacks.Get(ctx, tenantID, callbackID)
	if errors.Is(err, models.ErrNotFound) || err == nil && c.State != ledger.CallbackAccepted {
		return nil
	}
	if err != nil {
		return err
	}
	e := &errand{Automation: a, call: c}
	if err := json.Unmarshal(c.Request, &e.ask); err != nil {
		return err
	}
	if e.tenant, err = a.store.Tenants.Get(ctx, tenantID); err != nil {
		return err
	}
	e.action = actionOf(c, e.ask)
	var over *ending
	if err := e.prepare(ctx); errors.As(err, &over) {
		e.target.Code, e.target.Reason = over.code, over.words
	} else if err != nil {
		return err
	}
	return e.keep(ctx)
}

// prepare finds out who sends what to whom; *ending when no text will go out.
func (e *errand) prepare(ctx context.Context) error {
	refusal, err := e.market.TenantMay(ctx, e.tenant.ID)
	if err != nil {
		return err
	}
	if refusal != nil {
		return refused(refusal)
	}
	asking := e.ask.Inputs.FromUser
	if asking == crm.OwnerValue {
		if asking, err = e.spokesman(ctx, e.tenant.ID); err != nil {
			return err
		}
	} else if err := e.sendFrom(ctx, asking); err != nil {
		return err
	}
	if err := e.writeText(ctx, asking); err != nil {
		return err
	}
	if e.ask.Inputs.FromUser == crm.OwnerValue {
		return e.aimForOwner(ctx, asking)
	}
	return e.aim(ctx, asking)
}

// writeText takes the template's text, as it is written now, where the call brings none of its own.
func (e *errand) writeText(ctx context.Context, asking string) error {
	if strings.TrimSpace(e.action.Message) != "" {
		e.action.TemplateID = ""
		return nil
	}
	text, err := e.templateText(ctx, e.tenant, asking, e.action.TemplateID)
	e.action.Message = text
	return problem(err)
}

// aim reads the record and fills the text in.
func (e *errand) aim(ctx context.Context, asking string) (err error) {
	if e.target, err = e.texts.Target(ctx, e.tenant, asking, e.action); err != nil {
		return problem(err)
	}
	if e.target.Code != "" {
		return &ending{code: e.target.Code, words: e.target.Reason}
	}
	return nil
}

// aimForOwner reads the record to learn who its owner is, and again as the owner if the text speaks of its sender.
func (e *errand) aimForOwner(ctx context.Context, asking string) error {
	err := e.aim(ctx, asking)
	var over *ending
	if err != nil && (!errors.As(err, &over) || e.target.Owner == "") {
		return err
	}
	if err := e.sendFrom(ctx, e.target.Owner); err != nil {
		return err
	}
	if e.target.OfSender {
		return e.aim(ctx, e.sender.UserID)
	}
	return err
}

// sendFrom makes a CRM user the sender, whose e-mail must belong to a Dialpad account that may text.
func (e *errand) sendFrom(ctx context.Context, userID string) error {
	u, err := e.user(ctx, e.tenant, userID)
	if err != nil {
		return err
	}
	e.sender = texting.Sender{UserID: userID}
	if !u.Active {
		return refused(market.NoAccount(""))
	}
	account, refusal, err := e.market.UserMay(ctx, e.tenant.ID, u.Email)
	switch {
	case err != nil:
		return err
	case refusal != nil && refusal.Code == market.CodeUnreachable:
		return refusal
	case refusal != nil:
		return refused(refusal)
	}
	e.sender.DialpadID = account.DialpadID
	return nil
}

// keep writes what came of the call: one message and the callback's next state, in one transaction, once.
func (e *errand) keep(ctx context.Context) error {
	var m ledger.Message
	err := e.store.Tx(ctx, func(tx *models.Store) error {
		err := e.move(ctx, tx, ledger.CallbackAccepted, map[string]any{"state": ledger.CallbackSending})
		if err != nil {
			return err
		}
		if m, err = e.texts.Enqueue(ctx, tx, e.tenant, e.sender, e.action, e.target); err != nil {
			return err
		}
		if m.State != ledger.Queued && m.State != ledger.Held {
			if err := e.move(ctx, tx, ledger.CallbackSending, endOf(m).columns()); err != nil {
				return err
			}
			return tx.Enqueue(ctx, queue.CompleteCallback{TenantID: e.tenant.ID, CallbackID: e.call.CallbackID})
		}
		return tx.Lanes.MarkDue(ctx, e.tenant.ID, m.LaneID, e.cfg.Now())
	})
	if errors.Is(err, models.ErrLost) {
		return nil // another worker was faster
	}
	if err != nil {
		return err
	}
	if m.State == ledger.Queued {
		e.cfg.Wake()
		return nil
	}
	return e.store.Batches.Finish(ctx, []string{m.BatchID})
}

func (e *errand) move(ctx context.Context, tx *models.Store, from string, set map[string]any) error {
	return tx.Callbacks.Update(ctx, e.tenant.ID, e.call.CallbackID, []string{from}, set)
}

// problem tells a call's end from a CRM that has to be asked again.
func problem(err error) error {
	var p *texting.Problem
	if !errors.As(err, &p) {
		return err
	}
	var e *crm.Error
	if p.Code != "crm_unreachable" {
		return &ending{code: p.Code, words: p.Message}
	}
	if errors.As(err, &e) && e.Kind == crm.Refused {
		return &ending{code: "crm_refused", words: "Salesmate refuses what this text needs"}
	}
	return err
}
