package texting

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"

	"dialpad-texting/app/compose"
	"dialpad-texting/app/market"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// ContextView is what a popup shows before anything is written.
type ContextView struct {
	ID          string      `json:"id"` // the same ctx has the same id: where a draft is found again
	Mode        string      `json:"mode"`
	Module      string      `json:"module"`
	Count       int         `json:"count"`
	To          *ToView     `json:"to"` // null in bulk
	From        FromView    `json:"from"`
	PhoneFields []PhoneView `json:"phone_fields"`
	Fields      []FieldView `json:"fields"`
	TimeZone    string      `json:"time_zone"`
	QuietHours  *QuietHours `json:"quiet_hours"`
	OptOutLine  string      `json:"opt_out_line"`
	Limits      LimitsView  `json:"limits"`
	State       *StateView  `json:"state"`
	Running     []BatchView `json:"running,omitempty"` // with bulks: the asker's own that are under way, newest first
}

// ToView is the one person.
type ToView struct {
	Name       string       `json:"name"`
	Number     string       `json:"number"` // E.164, or as clicked where it can't be read
	Display    string       `json:"display"`
	FieldLabel string       `json:"field_label"`
	RecordID   string       `json:"record_id"`
	OptedOut   bool         `json:"opted_out"`
	TimeZone   *string      `json:"time_zone"`
	Problem    *ProblemView `json:"problem"`
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

// QuietHours are wall times, "20:00" to "08:00".
type QuietHours struct {
	From string `json:"from"`
	To   string `json:"to"`
}

func quietHours(t models.Tenant) *QuietHours {
	if t.QuietFrom == "" {
		return nil
	}
	return &QuietHours{From: t.QuietFrom, To: t.QuietTo}
}

// LimitsView are the composer's limits.
type LimitsView struct {
	MaxChars                int `json:"max_chars"`
	TransactionalNoticeOver int `json:"transactional_notice_over"`
}

// Context describes the popup. It answers also when texting is not possible, and then State says why.
func (x *Texting) Context(ctx context.Context, a Asker) (ContextView, error) {
	if a.Ctx == nil {
		return ContextView{}, problem("bad_request", "This page is about nobody: open the popup from a record.")
	}
	v := ContextView{ID: ctxID(a.Ctx), Mode: a.Ctx.Mode, Module: a.Ctx.Module, Count: max(len(a.Ctx.RecordIDs), a.Ctx.Count),
		From: FromView{Email: a.Email, Name: a.Name}, TimeZone: firstOf(a.TimeZone, a.Tenant.TimeZone), OptOutLine: a.Tenant.OptOutLine,
		PhoneFields: []PhoneView{}, Fields: []FieldView{}, Limits: LimitsView{MaxChars: compose.MaxCharacters, TransactionalNoticeOver: 50}}
	v.QuietHours = quietHours(a.Tenant)
	account, refusal, err := x.market.UserMay(ctx, a.Tenant.ID, a.Email)
	if err != nil {
		return v, err
	}
	if v.State = stateView(refusal); refusal == nil {
		number, shown := account.Number, display(account.Number)
		v.From.Number, v.From.Display = &number, &shown
	}
	if a.Ctx.Mode == "one" {
		to := bareTo(a)
		v.To = &to
	}
	if a.Ctx.Mode == "bulk" {
		if v.Running, err = x.running(ctx, a); err != nil {
			return v, err
		}
	}
	if v.State != nil {
		return v, nil // nothing more is shown, and the CRM need not be asked
	}
	return v, x.fillContext(ctx, a, &v)
}

const (
	lookedThrough = 10 // newest bulks of a person
	runningShown  = 3
)

// running are the bulks of the asker's that were begun and are not over: who closed the popup, or lost it with the page,
// finds them there before sending the same once more.
func (x *Texting) running(ctx context.Context, a Asker) ([]BatchView, error) {
	list, err := x.store.Batches.List(ctx, a.Tenant.ID, ledger.BatchFilter{UserID: a.UserID, Source: ledger.SourceBulk}, "", lookedThrough)
	if err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(list, func(b ledger.Batch) bool { return b.Ended() || b.State == ledger.BatchScheduled })
	return x.views(ctx, a, list[:min(len(list), runningShown)])
}

// fillContext reads fields and the person from the CRM. When it does not answer the popup still opens: a text without
// variables needs neither.
func (x *Texting) fillContext(ctx context.Context, a Asker, v *ContextView) error {
	list, err := x.fieldsOf(ctx, a.Tenant, a.Ctx.Module)
	if err != nil {
		x.log.Warn("the CRM's fields could not be read", "tenant", a.Tenant.ID, "err", err)
		return nil
	}
	for _, p := range list.Phones {
		v.PhoneFields = append(v.PhoneFields, PhoneView{p.Key, p.Label})
	}
	var record *crm.Record
	if a.Ctx.Mode == "one" {
		if record, err = x.fillTo(ctx, a, v.To, list.Phones); err != nil {
			return err
		}
	}
	for _, f := range list.Fields {
		view := FieldView{Key: f.Key, Label: f.Label, Module: moduleOf(f.Key)}
		if record != nil {
			value := record.Fields[f.Key]
			view.Value = &value
		}
		v.Fields = append(v.Fields, view)
	}
	return nil
}

func bareTo(a Asker) ToView {
	to := ToView{Number: a.Ctx.ToNumber, Display: a.Ctx.ToNumber, RecordID: a.Ctx.RecordIDs[0]}
	number, err := compose.E164(a.Ctx.ToNumber, a.Tenant.Country)
	if err != nil {
		var r compose.Reason
		if errors.As(err, &r) {
			to.Problem = &ProblemView{r.Code(), r.Sentence()}
		}
		return to
	}
	to.Number, to.Display = number, compose.Display(number)
	return to
}

func (x *Texting) fillTo(ctx context.Context, a Asker, to *ToView, phones []crm.PhoneField) (*crm.Record, error) {
	records, err := x.crm.ResolveRecords(ctx, crmTenant(a.Tenant), crm.ResolveQuery{UserID: a.UserID, Module: a.Ctx.Module, IDs: a.Ctx.RecordIDs})
	if err != nil {
		x.log.Warn("the CRM's record could not be read", "tenant", a.Tenant.ID, "err", err)
		return nil, nil
	}
	switch {
	case len(records.Missing) > 0:
		to.Problem = &ProblemView{codeMissing, wordsMissing}
	case len(records.Forbidden) > 0:
		to.Problem = &ProblemView{codeForbidden, wordsForbidden}
	}
	if len(records.Records) == 0 {
		return nil, nil
	}
	r := records.Records[0]
	to.Name, _ = whoIs(r)
	to.TimeZone = optional(r.TimeZone)
	for _, p := range phones {
		if n, err := compose.E164(r.Phones[p.Key], a.Tenant.Country); err == nil && n == to.Number {
			to.FieldLabel = p.Label
			break
		}
	}
	suppressed := false
	if to.Problem == nil {
		if suppressed, err = x.store.Suppressions.Contains(ctx, a.Tenant.ID, to.Number); err != nil {
			return nil, err
		}
	}
	if to.OptedOut = r.OptedOut || suppressed; to.OptedOut {
		to.Problem = &ProblemView{codeOptedOut, wordsOptedOut}
	}
	return &r, nil
}

func stateView(r *market.Refusal) *StateView {
	if r == nil {
		return nil
	}
	v := &StateView{Code: r.Code, Message: r.Message, Link: r.Link}
	if r.Code == market.CodeNoAccount { // other reasons are the admin's
		v.Reason = r.Reason
	}
	return v
}

// ctxID names a ctx without telling it.
func ctxID(c *crm.Ctx) string {
	body, err := json.Marshal(c)
	if err != nil {
		panic(err) // our own type always marshals
	}
	sum := sha256.Sum256(body)
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

func moduleOf(key string) string {
	for i := range key {
		if key[i] == '.' {
			return key[:i]
		}
	}
	return ""
}

func ignoreNotFound(err error) error {
	if errors.Is(err, models.ErrNotFound) {
		return nil
	}
	return err
}
