package automation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"dialpad-texting/app/audience"
	"dialpad-texting/app/batch"
	"dialpad-texting/app/eligibility"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/internal/text"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/queue"
)

// callbackRun is one run of ProcessCallback.
type callbackRun struct {
	*Automation
	tenant   models.Tenant
	callback ledger.Callback
	request  request
	action   audience.Action
	sender   batch.Sender
	target   audience.Target // the record, its number and the rendered text
}

// ProcessCallback turns an accepted callback into a message of its workflow's
// batch, or into an outcome without a text. It may run twice at once, and again
// after a crash: one message comes of it. After an error, run it again later.
func (a *Automation) ProcessCallback(ctx context.Context, tenantID, callbackID string) error {
	c, err := a.store.Callbacks.Get(ctx, tenantID, callbackID)
	if errors.Is(err, models.ErrNotFound) || err == nil && c.State != ledger.CallbackAccepted {
		return nil
	}
	if err != nil {
		return err
	}
	r := &callbackRun{Automation: a, callback: c}
	if err := json.Unmarshal(c.Request, &r.request); err != nil {
		return err
	}
	if r.tenant, err = a.store.Tenants.Get(ctx, tenantID); err != nil {
		return err
	}
	r.action = newAction(c, r.request)
	var end *outcome
	if err := r.prepare(ctx); errors.As(err, &end) {
		r.target.Code, r.target.Reason = end.code, end.words
	} else if err != nil {
		return err
	}
	return r.save(ctx)
}

// prepare finds out who sends what to whom. It
// returns an *outcome if no text will go out.
func (r *callbackRun) prepare(ctx context.Context) error {
	refusal, err := r.eligible.CheckTenant(ctx, r.tenant.ID)
	if err != nil {
		return err
	}
	if refusal != nil {
		return refusalOutcome(refusal)
	}
	fromOwner := r.request.Inputs.FromUser == crm.OwnerValue
	apiUser := r.request.Inputs.FromUser
	if fromOwner {
		if apiUser, err = r.apiUser(ctx, r.tenant.ID); err != nil {
			return err
		}
	} else if err := r.setSender(ctx, apiUser); err != nil {
		return err
	}
	if err := r.loadTemplate(ctx, apiUser); err != nil {
		return err
	}
	if fromOwner {
		return r.renderForOwner(ctx, apiUser)
	}
	return r.render(ctx, apiUser)
}

// loadTemplate takes the template's text, as it is
// written now, if the callback brings no text of its own.
func (r *callbackRun) loadTemplate(ctx context.Context, apiUser string) error {
	if !text.IsBlank(r.action.Message) {
		r.action.TemplateID = ""
		return nil
	}
	message, err := r.templateText(ctx, r.tenant, apiUser, r.action.TemplateID)
	r.action.Message = message
	return problemOutcome(err)
}

// render reads the record and fills the text in.
func (r *callbackRun) render(ctx context.Context, apiUser string) (err error) {
	if r.target, err = r.texts.Audience.Target(ctx, r.tenant, apiUser, r.action); err != nil {
		return problemOutcome(err)
	}
	if r.target.Code != "" {
		return &outcome{code: r.target.Code, words: r.target.Reason}
	}
	return nil
}

// renderForOwner reads the record to find its owner. If the text
// names its sender, it renders the text again as the owner.
func (r *callbackRun) renderForOwner(ctx context.Context, apiUser string) error {
	err := r.render(ctx, apiUser)
	var end *outcome
	if err != nil && (!errors.As(err, &end) || r.target.Owner == "") {
		return err
	}
	if err := r.setSender(ctx, r.target.Owner); err != nil {
		return err
	}
	if r.target.UsesSenderFields {
		return r.render(ctx, r.sender.UserID)
	}
	return err
}

// setSender makes a CRM user the sender. The user's
// e-mail must belong to a Dialpad account that may text.
func (r *callbackRun) setSender(ctx context.Context, userID string) error {
	r.sender = batch.Sender{UserID: userID}
	_, account, refusal, err := r.eligible.CheckSender(ctx, r.tenant.ID, userID)
	switch {
	case err != nil:
		return fmt.Errorf("read the sender of an automation: %w", err)
	case refusal != nil && refusal.Code == eligibility.CodeUnreachable:
		return refusal
	case refusal != nil:
		return refusalOutcome(refusal)
	}
	r.sender.DialpadID = account.DialpadID
	return nil
}

// save stores one message and the callback's next state, in one transaction.
func (r *callbackRun) save(ctx context.Context) error {
	var m ledger.Message
	err := r.store.Tx(ctx, func(tx *models.Store) error {
		err := r.update(ctx, tx, ledger.CallbackAccepted, map[string]any{"state": ledger.CallbackSending})
		if err != nil {
			return err
		}
		if m, err = r.texts.Batches.EnqueueAction(ctx, tx, r.tenant, r.sender, r.action, r.target); err != nil {
			return err
		}
		switch m.State {
		case ledger.Queued, ledger.Held:
			return tx.Lanes.MarkDue(ctx, r.tenant.ID, m.LaneID, r.cfg.Now())
		case ledger.Waiting: // the callback completes when the text has gone
			return tx.Lanes.MarkDue(ctx, r.tenant.ID, m.LaneID, *m.DueAt)
		default:
			if err := r.update(ctx, tx, ledger.CallbackSending, messageOutcome(m).columns()); err != nil {
				return err
			}
			return tx.Enqueue(ctx, queue.CompleteCallback{TenantID: r.tenant.ID, CallbackID: r.callback.CallbackID})
		}
	})
	if errors.Is(err, models.ErrLost) {
		return nil // another worker was faster
	}
	if err != nil {
		return err
	}
	if m.State == ledger.Queued || m.State == ledger.Waiting {
		r.cfg.Notify()
		return nil
	}
	return r.store.Batches.Finish(ctx, []string{m.BatchID})
}

func (r *callbackRun) update(ctx context.Context, tx *models.Store, from string, set map[string]any) error {
	return tx.Callbacks.Update(ctx, r.tenant.ID, r.callback.CallbackID, []string{from}, set)
}
