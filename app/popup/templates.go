package popup

import (
	"cmp"
	"context"
	"errors"

	"dialpad-texting/app/access"
	"dialpad-texting/app/apierror"
	"dialpad-texting/app/audience"
	"dialpad-texting/app/compose"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/internal/text"
)

// TemplatesView is one page of the CRM's templates.
type TemplatesView struct {
	Templates []TemplateView `json:"templates"`
	Next      *string        `json:"next"`
}

// TemplateView is a template as stored in the CRM.
type TemplateView struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Folder string `json:"folder"`
	Body   string `json:"body"`
}

// Templates lists the templates that the asker may use.
func (x *Popup) Templates(ctx context.Context, a access.Asker, q, cursor string) (TemplatesView, error) {
	p, err := x.templates.List(ctx, a.Tenant, a.UserID, q, cursor)
	if err != nil {
		return TemplatesView{}, err
	}
	v := TemplatesView{Templates: make([]TemplateView, len(p.Templates))}
	for i, t := range p.Templates {
		v.Templates[i] = TemplateView(t)
	}
	if p.Next != "" {
		v.Next = &p.Next
	}
	return v, nil
}

// RenderView is a template's text: one-to-one with the values in, in
// bulk as it is written. Problems name the fields that stayed empty.
type RenderView struct {
	Text     string       `json:"text"`
	Problems []FieldIssue `json:"problems"`
}

// FieldIssue is a field that could not be filled in.
type FieldIssue struct {
	Field   string `json:"field"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Render fills a template in for the popup's one person.
func (x *Popup) Render(ctx context.Context, a access.Asker, templateID string) (RenderView, error) {
	if a.Target == nil {
		return RenderView{}, apierror.NoRecords()
	}
	template, err := x.templates.Find(ctx, a.Tenant, a.UserID, templateID)
	if err != nil {
		return RenderView{}, err
	}
	v := RenderView{Text: template.Body, Problems: []FieldIssue{}}
	tpl, err := x.templates.CheckText(ctx, a.Tenant, a.Target.Module, template.Body)
	if err != nil || a.Target.Mode != crm.ModeOne || len(tpl.Fields()) == 0 {
		return v, err
	}
	records, err := x.records(ctx, a)
	if err != nil {
		return v, apierror.CRMUnreachable(err)
	}
	if len(records.Records) == 0 {
		return v, apierror.New(apierror.CodeNotFound, audience.ReasonMissing)
	}
	v.Text, v.Problems = fillIn(tpl, records.Records[0], x.labels(ctx, a))
	return v, nil
}

// labels returns the names of merge fields as people know them, as far
// as they can be read.
func (x *Popup) labels(ctx context.Context, a access.Asker) map[string]string {
	list, err := x.templates.Fields(ctx, a.Tenant, a.Target.Module)
	if err != nil {
		x.log.Warn("reading fields for a template failed", "tenant", a.Tenant.ID, "err", err)
	}
	labels := make(map[string]string, len(list.Fields))
	for _, f := range list.Fields {
		labels[f.Key] = f.Label
	}
	return labels
}

// fillIn puts the values in, and a gap where one is missing: the person
// fills it in before they send.
func fillIn(tpl compose.Template, r crm.Record, labels map[string]string) (string, []FieldIssue) {
	filled, empty, err := tpl.Fill(r.Fields, func(field string) string { return cmp.Or(text.Trim(labels[field]), field) })
	name, _ := audience.PersonOf(r)
	issues := []FieldIssue{}
	for _, field := range empty {
		issues = append(issues, FieldIssue{Field: field, Code: "empty",
			Message: (&compose.EmptyFieldError{Field: field}).Sentence() + " for " + cmp.Or(name, "this person")})
	}
	var reason compose.Reason
	if errors.As(err, &reason) {
		return tpl.String(), append(issues, FieldIssue{Code: reason.Code(), Message: reason.Sentence()})
	}
	return filled, issues
}
