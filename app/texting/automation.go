package texting

import (
	"context"
	"strings"
	"time"

	"dialpad-texting/app/compose"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// Action is one call of an automation: a text to one record.
type Action struct {
	CallbackID, MessageID    string
	CalledAt                 time.Time
	WorkflowID, WorkflowName string
	Module, RecordID         string
	ToField                  string
	TemplateID, Message      string // Message is the text; TemplateID says where it came from
}

// Target is an action's record with the text that would go out, or the reason why none will. The zero value with a
// reason is a record that nobody looked at.
type Target struct {
	recipient
	Owner    string // the record's owner, a CRM user id
	OfSender bool   // the text holds fields of the sender: it must be filled in for that user
	Code     string // why no text goes out, "" when one does
	Reason   string // the same for people
}

const (
	wordsOptedOutAction  = "Text Unsubscribed"
	wordsForbiddenAction = "The sender may not see this record"
	wordsRefusedAction   = "Salesmate does not give this record"
)

// Target reads an action's record as a CRM user sees it and fills the text in. A text that can't be used is *Problem,
// and so is a CRM that does not answer (crm_unreachable).
func (x *Texting) Target(ctx context.Context, t models.Tenant, userID string, a Action) (Target, error) {
	tpl, err := x.check(ctx, t, a.Module, a.Message)
	if err != nil {
		return Target{}, err
	}
	p, err := x.recipients(ctx, wish{tenant: t, userID: userID, source: ledger.SourceAutomation, module: a.Module,
		recordIDs: []string{a.RecordID}, toField: a.ToField, template: tpl}, "")
	r := recipient{code: codeMissing, reason: wordsMissing}
	switch {
	case crm.KindOf(err) == crm.Refused: // asking again would bring the same answer
		r.leaveOut(codeRefused, wordsRefusedAction)
	case err != nil:
		return Target{}, err
	case len(p.recipients) == 1:
		r = p.recipients[0]
	}
	return targetOf(r, tpl), nil
}

func targetOf(r recipient, tpl compose.Template) Target {
	switch r.code {
	case codeOptedOut:
		r.reason = wordsOptedOutAction
	case codeForbidden:
		r.reason = wordsForbiddenAction
	}
	out := Target{recipient: r, Owner: r.record.Owner, Code: r.code, Reason: r.reason}
	for _, f := range tpl.Fields() {
		out.OfSender = out.OfSender || strings.HasPrefix(f, "User.")
	}
	return out
}

// Sender is who an action's text goes out from.
type Sender struct{ UserID, DialpadID string }

// Enqueue puts an action's text into its workflow's batch of the day, or only the row that says why none goes out, and
// returns that row. Call it in a transaction, once for each action; wake the row's lane last if it was queued, else
// look whether the batch is finished once the transaction is.
func (x *Texting) Enqueue(ctx context.Context, tx *models.Store, t models.Tenant, s Sender, a Action, to Target) (ledger.Message, error) {
	b, err := tx.Batches.OpenForWorkflow(ctx, x.workflowBatch(t, a), a.CalledAt)
	if err != nil {
		return ledger.Message{}, err
	}
	m := x.actionMessage(b, s, a, to)
	lane := ledger.Lane{}
	if m.State == ledger.Queued || m.State == ledger.Held {
		c, err := tx.Connections.Get(ctx, t.ID)
		if err != nil {
			return m, err
		}
		if lane, err = tx.Lanes.Get(ctx, t.ID, c.CompanyID); err != nil {
			return m, err
		}
	}
	m.LaneID = lane.ID
	added, err := tx.Messages.Add(ctx, lane, []ledger.Message{m})
	if err == nil && !added[m.ID] {
		err = models.ErrConflict
	}
	return m, err
}

// workflowBatch is the batch of a workflow's day, in the tenant's zone. It belongs to nobody: admins see it.
func (x *Texting) workflowBatch(t models.Tenant, a Action) ledger.Batch {
	now := x.now().UTC()
	return ledger.Batch{ID: models.NewID(), TenantID: t.ID, Source: ledger.SourceAutomation, Class: ledger.ClassAutomation,
		WorkflowID: a.WorkflowID, WorkflowName: a.WorkflowName, Module: a.Module, ToField: a.ToField, Message: a.Message,
		TemplateID: a.TemplateID, IdempotencyKey: "workflow:" + a.WorkflowID + ":" + day(a.CalledAt, t.TimeZone),
		State: ledger.BatchSending, Prepared: true, Expected: 1, StartedAt: &now}
}

func day(at time.Time, zone string) string {
	loc, err := time.LoadLocation(zone)
	if err != nil {
		loc = time.UTC
	}
	return at.In(loc).Format(time.DateOnly)
}

func (x *Texting) actionMessage(b ledger.Batch, s Sender, a Action, to Target) ledger.Message {
	now := x.now().UTC()
	m := ledger.Message{ID: a.MessageID, TenantID: b.TenantID, BatchID: b.ID, Class: b.Class, CallbackID: a.CallbackID,
		UserID: s.UserID, SenderID: s.DialpadID, Module: a.Module, RecordID: a.RecordID, ContactID: to.contactID, DealID: to.dealID,
		Name: to.name, Deal: to.deal, ToNumber: to.number, ToKey: to.key, Text: to.text, Segments: to.segments.Segments, State: ledger.Queued, TimelinePending: true}
	switch {
	case b.State == ledger.BatchCancelled:
		m.State, m.ErrorCode, m.ErrorText, m.SettledAt = ledger.Cancelled, "cancelled", b.HeldReason, &now
	case to.code != "":
		m.State, m.ErrorCode, m.ErrorText, m.Text = ledger.Skipped, to.Code, to.Reason, ""
	case to.Code != "":
		m.State, m.ErrorCode, m.ErrorText, m.SettledAt = ledger.Failed, to.Code, to.Reason, &now
	case b.State == ledger.BatchPaused || b.State == ledger.BatchHeld:
		m.State, m.ErrorCode, m.ErrorText = ledger.Held, b.State, b.HeldReason
	}
	m.TimelinePending = m.ContactID != "" && m.State != ledger.Skipped
	return m
}

// PhoneFields lists the phone fields of a module.
func (x *Texting) PhoneFields(ctx context.Context, t models.Tenant, module string) ([]crm.PhoneField, error) {
	list, err := x.fieldsOf(ctx, t, module)
	return list.Phones, err
}

// TemplatesFor lists the templates that a CRM user may use.
func (x *Texting) TemplatesFor(ctx context.Context, t models.Tenant, userID, q, cursor string) (crm.TemplatePage, error) {
	p, err := x.crm.Templates(ctx, crmTenant(t), userID, q, cursor)
	if err != nil {
		return p, crmProblem(err)
	}
	return p, nil
}

// TemplateFor finds one template that a CRM user may use; *Problem not_found where there is none.
func (x *Texting) TemplateFor(ctx context.Context, t models.Tenant, userID, id string) (crm.Template, error) {
	return x.template(ctx, t, userID, id)
}
