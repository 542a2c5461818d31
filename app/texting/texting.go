// Package texting turns a wish to text into messages: preview, queue, prepare, schedule, pause, cancel, report.
//
//	Create ─now→ preparing ─pages of 200→ sending ─(delivery)→ done
//	   └─at a time→ scheduled ─two minutes before→ preparing, and nothing leaves early
//
// Preview and preparing are the same code (recipients.go); the preview leaves out the writes.
package texting

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"dialpad-texting/app/compose"
	"dialpad-texting/app/eligibility"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
)

// CRM is what texting reads from the CRM.
type CRM interface {
	ResolveRecords(ctx context.Context, t crm.Tenant, q crm.ResolveQuery) (crm.Records, error)
	Fields(ctx context.Context, t crm.Tenant, module string) (crm.FieldList, error)
	Templates(ctx context.Context, t crm.Tenant, userID, q, cursor string) (crm.TemplatePage, error)
}

// Eligibility says who may text.
type Eligibility interface {
	CheckTenant(ctx context.Context, tenantID string) (*eligibility.Refusal, error)
	CheckUser(ctx context.Context, tenantID, email string) (models.Account, *eligibility.Refusal, error)
}

// Config is what a Texting needs beside its neighbours.
type Config struct {
	Now  func() time.Time
	Log  *slog.Logger
	Wake func() // called after queueing, so that a worker in the same process looks at once; may be nil

	// OptOuts reads Dialpad's opt-out list again if it is not fresh, before a bulk is prepared; may be nil.
	OptOuts func(ctx context.Context, tenantID string) error
}

// Texting is the capability; one per process.
type Texting struct {
	store    *models.Store
	crm      CRM
	eligible Eligibility
	now      func() time.Time
	log      *slog.Logger
	wake     func()
	fresh    func(ctx context.Context, tenantID string) error

	fields   fieldCache
	previews previewCache
	named    nameCache
}

// New returns a Texting.
func New(store *models.Store, c CRM, eligible Eligibility, cfg Config) *Texting {
	x := &Texting{store: store, crm: c, eligible: eligible, now: cfg.Now, log: cfg.Log, wake: cfg.Wake, fresh: cfg.OptOuts}
	if x.now == nil {
		x.now = time.Now
	}
	if x.log == nil {
		x.log = slog.New(slog.DiscardHandler)
	}
	if x.wake == nil {
		x.wake = func() {}
	}
	if x.fresh == nil {
		x.fresh = func(context.Context, string) error { return nil }
	}
	return x
}

// Asker is who asks, as the session says.
type Asker struct {
	Tenant   models.Tenant
	UserID   string
	Email    string
	Name     string
	Role     string
	TimeZone string
	Locale   string
	Ctx      *crm.Ctx // whom a popup is about; nil on pages
}

// Admin tells whether the asker sees everybody's texts.
func (a Asker) Admin() bool { return a.Role == "admin" }

// scope is the user that the asker's queries are restricted to, "" for none.
func (a Asker) scope() string {
	if a.Admin() {
		return ""
	}
	return a.UserID
}

func crmTenant(t models.Tenant) crm.Tenant {
	return crm.Tenant{ID: t.ID, Linkname: t.Linkname, Name: t.Name, Plan: t.Plan, TimeZone: t.TimeZone}
}

// Problem is a refusal with a code for programs, a sentence for the person and the cause for the operator.
type Problem struct {
	Code    string
	Message string
	Details map[string]any
	Err     error
}

func (p *Problem) Error() string {
	if p.Err != nil {
		return p.Code + ": " + p.Err.Error()
	}
	return p.Code
}

// Unwrap gives the cause.
func (p *Problem) Unwrap() error { return p.Err }

func problem(code, message string) *Problem { return &Problem{Code: code, Message: message} }

var errNotFound = problem("not_found", "There is no such text.")

// found turns the store's word into the person's.
func found(err error) error {
	if errors.Is(err, models.ErrNotFound) {
		return errNotFound
	}
	return err
}

// lost is for a change that came too late.
func lost(err error, message string) error {
	if errors.Is(err, models.ErrLost) {
		return problem("state_conflict", message)
	}
	return err
}

// crmProblem is for a CRM that did not answer, or not with what the contract says.
func crmProblem(err error) error {
	return &Problem{Code: "crm_unreachable", Message: "Salesmate is not answering. Try again in a few minutes.", Err: err}
}

// recordsProblem is for records that the CRM did not give. It may refuse them, as for a selection that it forgot: that
// is no outage.
func recordsProblem(err error) error {
	if crm.KindOf(err) == crm.Refused {
		return &Problem{Code: codeRefused, Message: wordsRefused, Err: err}
	}
	return crmProblem(err)
}

// textProblem tells what is wrong with a text.
func textProblem(err error) error {
	var r compose.Reason
	if !errors.As(err, &r) {
		return err
	}
	p := &Problem{Code: r.Code(), Message: r.Sentence(), Err: err, Details: map[string]any{}}
	var unknown *compose.UnknownFieldError
	if errors.As(err, &unknown) {
		p.Details["field"], p.Details["offset"] = unknown.Field, unknown.Offset
	}
	var parse *compose.ParseError
	if errors.As(err, &parse) {
		p.Details["offset"] = parse.Offset
	}
	return p
}

// fieldCache remembers a module's fields for a minute: they are asked for at each keystroke's preview.
type fieldCache struct {
	mu   sync.Mutex
	list map[string]cachedFields
}

type cachedFields struct {
	crm.FieldList
	until time.Time
}

const fieldsKept = time.Minute

func (x *Texting) fieldsOf(ctx context.Context, t models.Tenant, module string) (crm.FieldList, error) {
	key, now := t.ID+"\x00"+module, x.now()
	x.fields.mu.Lock()
	got, ok := x.fields.list[key]
	x.fields.mu.Unlock()
	if ok && now.Before(got.until) {
		return got.FieldList, nil
	}
	list, err := x.crm.Fields(ctx, crmTenant(t), module)
	if err != nil && ok {
		return got.FieldList, nil // while the CRM is down, the fields of a while ago are better than no text
	}
	if err != nil {
		return crm.FieldList{}, crmProblem(err)
	}
	x.fields.mu.Lock()
	defer x.fields.mu.Unlock()
	if x.fields.list == nil || len(x.fields.list) > 10_000 {
		x.fields.list = map[string]cachedFields{}
	}
	x.fields.list[key] = cachedFields{list, now.Add(fieldsKept)}
	return list, nil
}

// check parses a text and refuses fields that the CRM does not have. A text without fields asks the CRM nothing.
func (x *Texting) check(ctx context.Context, t models.Tenant, module, text string) (compose.Template, error) {
	tpl, err := compose.Parse(text)
	if err != nil {
		return tpl, textProblem(err)
	}
	if tpl.String() == "" {
		return tpl, textProblem(compose.ErrNoText)
	}
	if len(tpl.Fields()) == 0 {
		if _, err := tpl.Render(nil); err != nil {
			return tpl, textProblem(err)
		}
		return tpl, nil
	}
	list, err := x.fieldsOf(ctx, t, module)
	if err != nil {
		return tpl, err
	}
	known := make([]string, len(list.Fields))
	for i, f := range list.Fields {
		known[i] = f.Key
	}
	if err := tpl.Check(known); err != nil {
		return tpl, textProblem(err)
	}
	return tpl, nil
}
