package batch

import (
	"context"

	"dialpad-texting/app/access"
	"dialpad-texting/app/apierror"
	"dialpad-texting/app/audience"
	"dialpad-texting/app/compose"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/internal/phone"
	"dialpad-texting/models/ledger"
)

// TestRequest asks for a text to a number of the asker's own, filled in as
// for one of the session's records.
type TestRequest struct {
	Message  string `json:"message" max:"text"`
	To       string `json:"to"`
	RecordID string `json:"record_id,omitempty"` // of a bulk
}

// Tests sends people their own texts.
type Tests struct{ *Batches }

// Send sends the asker a text as somebody else would get it, once per
// user and idempotency key. It goes the way of all texts, but stands in no
// timeline and in no figures.
func (x Tests) Send(ctx context.Context, a access.Asker, key string, r TestRequest) (ledger.Batch, error) {
	if a.Target == nil {
		return ledger.Batch{}, apierror.NoRecords()
	}
	b := draft(a, key, Request{Message: r.Message})
	var err error
	if b.BodyHash, err = x.store.Tenants.RequestHash(ctx, b.TenantID, audience.RequestHash(a.Target, r)); err != nil {
		return ledger.Batch{}, err
	}
	if old, found, err := x.byKey(ctx, a, key, b.BodyHash); err != nil || found {
		return old, err
	}
	if err := x.validateTest(ctx, a, r, &b); err != nil {
		return ledger.Batch{}, err
	}
	recipient, err := x.audience.ResolveSingle(ctx, a.Tenant, b)
	if err != nil {
		return ledger.Batch{}, err
	}
	if recipient == nil {
		return ledger.Batch{}, apierror.CRMUnreachable(nil)
	}
	asTest(&b, recipient, a.Name)
	stored, created, err := x.insert(ctx, b, recipient)
	if err != nil {
		return ledger.Batch{}, err
	}
	if !created { // the same key was faster
		return stored, sameRequest(stored, b.BodyHash)
	}
	x.cfg.Notify()
	return stored, nil
}

// validateTest checks sender, text, number and record, and completes the
// draft, which then names the one record and the asker's number.
func (x Tests) validateTest(ctx context.Context, a access.Asker, r TestRequest, b *ledger.Batch) error {
	user, account, refusal, err := x.eligibility.CheckSender(ctx, a.Tenant.ID, a.UserID)
	if err != nil {
		return err
	}
	if refusal != nil {
		return refusal
	}
	tpl, err := checkText(ctx, x.templates, a.Tenant, *b, r.Message)
	if err != nil {
		return err
	}
	now := x.now()
	b.State, b.StartedAt = ledger.BatchPreparing, &now
	b.SenderID, b.SenderEmail, b.Message = account.DialpadID, user.Email, tpl.String()
	if b.ToNumber, err = compose.E164(r.To, a.Tenant.Country); err != nil {
		return apierror.Text(err)
	}
	if phone.Canonical(b.ToNumber) == phone.Canonical(account.Number) {
		return apierror.Field("to", "Dialpad can't text a number from itself. Use another number of yours.")
	}
	return setTestRecord(a, r, b)
}

// setTestRecord names the record whose values the text has.
func setTestRecord(a access.Asker, r TestRequest, b *ledger.Batch) error {
	b.Expected, b.Selection, b.ToField = 1, "", ""
	if a.Target.Mode == crm.ModeOne {
		if theirs, err := compose.E164(a.Target.ToNumber, a.Tenant.Country); err == nil && phone.Canonical(theirs) == phone.Canonical(b.ToNumber) {
			return apierror.Field("to", "This is the number of the person you are texting. Use a number of yours.")
		}
		return nil
	}
	if r.RecordID == "" || a.Target.Selection == "" && !audience.IDSet(a.Target.RecordIDs)[r.RecordID] {
		return apierror.Field("record_id", "Choose somebody who will get this text.")
	}
	b.RecordIDs = []string{r.RecordID}
	return nil
}

// asTest makes a rendered text a test: its number is the asker's. The batch
// names the contact, so that an erasure finds what the text says of that
// person.
func asTest(b *ledger.Batch, r *audience.Recipient, asker string) {
	b.Source, b.Class, b.DeferInQuietHours, b.LateDo = ledger.SourceTest, ledger.ClassOneToOne, false, ledger.LateDrop
	b.Module, b.RecordIDs = crm.ModuleContact, []string{r.ContactID}
	*r = audience.Recipient{Number: r.Number, NumberKey: r.NumberKey, Name: asker, Text: r.Text, Segments: r.Segments}
}

// isTest is for what is neither resent nor duplicated.
func isTest(b ledger.Batch) bool { return b.Source == ledger.SourceTest }
