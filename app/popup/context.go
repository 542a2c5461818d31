package popup

import (
	"context"
	"errors"
	"strings"
	"time"

	"dialpad-texting/app/access"
	"dialpad-texting/app/apierror"
	"dialpad-texting/app/audience"
	"dialpad-texting/app/compose"
	"dialpad-texting/app/eligibility"
	"dialpad-texting/app/hours"
	"dialpad-texting/app/optout"
	"dialpad-texting/app/outbox"
	"dialpad-texting/app/walltime"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/internal/phone"
	"dialpad-texting/models"
)

// ContextView is what a popup shows before anything is written.
type ContextView struct {
	ID          string             `json:"id"` // the same ctx has the same id
	Mode        string             `json:"mode"`
	Module      string             `json:"module"`
	Count       int                `json:"count"`
	To          *ToView            `json:"to"` // null in bulk
	From        FromView           `json:"from"`
	PhoneFields []PhoneView        `json:"phone_fields"`
	Fields      []FieldView        `json:"fields"`
	TimeZone    string             `json:"time_zone"`
	TenantZone  *string            `json:"tenant_time_zone"`
	QuietHours  *models.QuietHours `json:"quiet_hours"`
	OptOutLine  string             `json:"opt_out_line"`
	Limits      LimitsView         `json:"limits"`
	State       *StateView         `json:"state"`
	Running     []outbox.BatchView `json:"running,omitempty"` // in bulk: the asker's own, newest first
	Draft       *Draft             `json:"draft"`             // what the asker was writing here; null for nothing
	Preferences Preferences        `json:"preferences"`
}

// ToView is the recipient of a one-to-one text.
type ToView struct {
	Name       string             `json:"name"`
	Number     string             `json:"number"` // E.164, or as clicked where it can't be read
	Display    string             `json:"display"`
	FieldLabel string             `json:"field_label"`
	RecordID   string             `json:"record_id"`
	OptedOut   bool               `json:"opted_out"`
	Review     *optout.ReviewView `json:"review"` // a text that may mean an opt-out
	TimeZone   *string            `json:"time_zone"`
	Problem    *ProblemView       `json:"problem"`
	LastText   *LastTextView      `json:"last_text"` // of the last days, whoever sent it
}

// LastTextView is who last texted a number, and when.
type LastTextView struct {
	By   string    `json:"by"` // a person, or an automation
	Mine bool      `json:"mine"`
	At   time.Time `json:"at"`
}

// ProblemView is why a text can't go to somebody.
type ProblemView struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// FromView is the sender; Number is null without an account.
type FromView struct {
	Email   string  `json:"email"`
	Number  *string `json:"number"`
	Display *string `json:"display"`
	Name    string  `json:"name"`
}

// PhoneView is a phone field.
type PhoneView struct {
	Key   string `json:"key"`
	Label string `json:"label"`
}

// FieldView is a merge field, with its value for the one person.
type FieldView struct {
	Key    string  `json:"key"`
	Label  string  `json:"label"`
	Module string  `json:"module"`
	Value  *string `json:"value,omitempty"`
}

// LimitsView are the composer's limits.
type LimitsView struct {
	MaxChars                int `json:"max_chars"`
	TransactionalNoticeOver int `json:"transactional_notice_over"`
	ConfirmOver             int `json:"confirm_over"` // a bulk to more people is asked about first
}

// StateView says why somebody may not text.
type StateView struct {
	Code    string            `json:"code"`
	Message string            `json:"message"`
	Link    *eligibility.Link `json:"link"`
	Reason  string            `json:"reason,omitempty"` // a closer sentence, if any
	// NoNumber is true for an active account that lacks only a number.
	NoNumber bool `json:"no_number,omitempty"`
}

// noticeOver is from how many recipients on the popup asks for a
// transactional text.
const noticeOver = 50

// Context describes the popup. Where the asker may not text, State says
// why.
func (x *Popup) Context(ctx context.Context, a access.Asker) (ContextView, error) {
	if a.Target == nil {
		return ContextView{}, apierror.NoRecords()
	}
	v := ContextView{ID: contextID(a.Target), Mode: a.Target.Mode, Module: a.Target.Module, Count: max(len(a.Target.RecordIDs), a.Target.Count),
		From: FromView{Email: a.Email, Name: a.Name}, OptOutLine: a.Tenant.OptOutLine,
		PhoneFields: []PhoneView{}, Fields: []FieldView{}, QuietHours: a.Tenant.QuietHours(),
		Limits: LimitsView{MaxChars: compose.MaxCharacters, TransactionalNoticeOver: noticeOver, ConfirmOver: a.Tenant.ConfirmOver}}
	v.TimeZone, _ = walltime.Zone(a.TimeZone, a.Tenant.TimeZone)
	if zone, own := walltime.Zone(a.Tenant.TimeZone); own {
		v.TenantZone = &zone
	}
	if err := x.fillStored(ctx, a, &v); err != nil {
		return v, err
	}
	_, account, refusal, err := x.eligibility.CheckSender(ctx, a.Tenant.ID, a.UserID)
	if err != nil {
		return v, err
	}
	if v.State = stateOf(refusal); refusal != nil {
		v.State.NoNumber = refusal.Code == eligibility.CodeNoAccount && account.LacksNumber()
	} else {
		number, display := account.Number, compose.Display(account.Number)
		v.From.Number, v.From.Display = &number, &display
	}
	switch a.Target.Mode {
	case crm.ModeOne:
		v.To = clickedNumber(a)
		if err := x.fillLastText(ctx, a, v.To); err != nil {
			return v, err
		}
	case crm.ModeBulk:
		if v.Running, err = x.outbox.Running(ctx, a); err != nil {
			return v, err
		}
	}
	if v.State != nil {
		return v, nil // the popup shows no more, so the CRM need not be asked
	}
	return v, x.fill(ctx, a, &v)
}

func stateOf(r *eligibility.Refusal) *StateView {
	if r == nil {
		return nil
	}
	v := &StateView{Code: r.Code, Message: r.Message, Link: r.Link}
	if r.Code == eligibility.CodeNoAccount { // other reasons are for admins only
		v.Reason = r.Reason
	}
	return v
}

// clickedNumber is a recipient known by the number alone.
func clickedNumber(a access.Asker) *ToView {
	to := &ToView{Number: a.Target.ToNumber, Display: a.Target.ToNumber, RecordID: a.Target.RecordIDs[0]}
	number, err := compose.ParseNumber(a.Target.ToNumber, a.Tenant.Country)
	if err != nil {
		var r compose.Reason
		if errors.As(err, &r) {
			to.Problem = &ProblemView{r.Code(), r.Sentence()}
		}
		return to
	}
	to.Number, to.Display = number.E164, compose.Display(number.E164)
	if number.Extension != "" {
		to.Display += " ext. " + number.Extension
	}
	return to
}

// fill adds fields and the person from the CRM. When the CRM does not
// answer the popup still opens: a text without merge fields needs
// neither.
func (x *Popup) fill(ctx context.Context, a access.Asker, v *ContextView) error {
	list, err := x.templates.Fields(ctx, a.Tenant, a.Target.Module)
	if err != nil {
		x.log.Warn("reading fields for the popup failed", "tenant", a.Tenant.ID, "err", err)
		return nil
	}
	for _, p := range list.Phones {
		v.PhoneFields = append(v.PhoneFields, PhoneView{p.Key, p.Label})
	}
	var record *crm.Record
	if a.Target.Mode == crm.ModeOne {
		if record, err = x.fillPerson(ctx, a, v.To, list.Phones); err != nil {
			return err
		}
	}
	for _, f := range list.Fields {
		view := FieldView{Key: f.Key, Label: f.Label}
		if module, _, ok := strings.Cut(f.Key, "."); ok {
			view.Module = module
		}
		if record != nil {
			value := record.Fields[f.Key]
			view.Value = &value
		}
		v.Fields = append(v.Fields, view)
	}
	return nil
}

// fillPerson adds what the record says of the person, and returns the
// record; nil where the CRM gives none.
func (x *Popup) fillPerson(ctx context.Context, a access.Asker, to *ToView, phones []crm.PhoneField) (*crm.Record, error) {
	records, err := x.records(ctx, a)
	if err != nil {
		x.log.Warn("reading the popup's record failed", "tenant", a.Tenant.ID, "err", err)
		return nil, nil
	}
	switch {
	case len(records.Missing) > 0:
		to.Problem = &ProblemView{audience.CodeMissing, audience.ReasonMissing}
	case len(records.Forbidden) > 0:
		to.Problem = &ProblemView{audience.CodeForbidden, audience.ReasonForbidden}
	}
	if len(records.Records) == 0 {
		return nil, nil
	}
	r := records.Records[0]
	to.Name, _ = audience.PersonOf(r)
	if zone := hours.ReadZone(r.TimeZone); strings.Contains(zone, "/") { // browsers know no offsets
		to.TimeZone = &zone
	}
	for _, p := range phones {
		if n, err := compose.E164(r.Phones[p.Key], a.Tenant.Country); err == nil && phone.Canonical(n) == phone.Canonical(to.Number) {
			to.FieldLabel = p.Label
			break
		}
	}
	suppressed := false
	if to.Problem == nil {
		if suppressed, err = x.store.Suppressions.Contains(ctx, a.Tenant.ID, to.Number); err != nil {
			return nil, err
		}
		if to.Review, err = optout.ReviewOf(ctx, x.store, a.Tenant.ID, to.Number); err != nil {
			return nil, err
		}
	}
	if to.OptedOut = r.OptedOut || suppressed; to.OptedOut {
		to.Problem = &ProblemView{audience.CodeOptedOut, optout.Message}
	}
	return &r, nil
}
