package texting

import (
	"context"
	"errors"

	"dialpad-texting/app/compose"
	"dialpad-texting/app/crmtenant"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
)

// TemplatesView is one page of the CRM's templates.
type TemplatesView struct {
	Templates []TemplateView `json:"templates"`
	Next      *string        `json:"next"`
}

// TemplateView is a template as kept in the CRM.
type TemplateView struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Folder string `json:"folder"`
	Body   string `json:"body"`
}

// RenderView is a template's text: one to one with the values in, in bulk as it is written. Problems name the fields
// that stayed empty.
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

// Templates lists the templates that the asker may use.
func (x *Texting) Templates(ctx context.Context, a Asker, q, cursor string) (TemplatesView, error) {
	p, err := x.crm.Templates(ctx, crmtenant.Of(a.Tenant), a.UserID, q, cursor)
	if err != nil {
		return TemplatesView{}, crmProblem(err)
	}
	v := TemplatesView{Templates: make([]TemplateView, len(p.Templates)), Next: optional(p.Next)}
	for i, t := range p.Templates {
		v.Templates[i] = TemplateView(t)
	}
	return v, nil
}

// Render fills a template in for the popup's one person.
func (x *Texting) Render(ctx context.Context, a Asker, templateID string) (RenderView, error) {
	if a.Ctx == nil {
		return RenderView{}, problem("bad_request", "This page is about nobody: open the popup from a record.")
	}
	body, err := x.templateBody(ctx, a, templateID)
	if err != nil {
		return RenderView{}, err
	}
	v := RenderView{Text: body, Problems: []FieldIssue{}}
	tpl, err := x.check(ctx, a.Tenant, a.Ctx.Module, body)
	if err != nil || a.Ctx.Mode != "one" || len(tpl.Fields()) == 0 {
		return v, err
	}
	records, err := x.crm.ResolveRecords(ctx, crmtenant.Of(a.Tenant), crm.ResolveQuery{UserID: a.UserID, Module: a.Ctx.Module, IDs: a.Ctx.RecordIDs})
	if err != nil {
		return v, crmProblem(err)
	}
	if len(records.Records) == 0 {
		return v, problem("not_found", wordsMissing)
	}
	v.Text, v.Problems = fillIn(tpl, records.Records[0])
	return v, nil
}

// fillIn puts the values in; a field that is empty stays as it is written, for the person to replace.
func fillIn(tpl compose.Template, r crm.Record) (string, []FieldIssue) {
	issues := []FieldIssue{}
	values := make(map[string]string, len(r.Fields))
	for k, v := range r.Fields {
		values[k] = v
	}
	for range compose.MaxFields + 1 {
		text, err := tpl.Render(values)
		if err == nil {
			return text, issues
		}
		var empty *compose.EmptyFieldError
		if !errors.As(err, &empty) {
			var reason compose.Reason
			if errors.As(err, &reason) {
				issues = append(issues, FieldIssue{Code: reason.Code(), Message: reason.Sentence()})
			}
			break
		}
		name, _ := whoIs(r)
		issues = append(issues, FieldIssue{Field: empty.Field, Code: "empty", Message: empty.Sentence() + " for " + firstOf(name, "this person")})
		values[empty.Field] = emptyMark
	}
	return tpl.String(), issues
}

// emptyMark stands where a value is missing: it can't be overlooked, and no braces reach a customer.
const emptyMark = "____"

func (x *Texting) templateBody(ctx context.Context, a Asker, id string) (string, error) {
	found, err := x.template(ctx, a.Tenant, a.UserID, id)
	return found.Body, err
}

func (x *Texting) template(ctx context.Context, t models.Tenant, userID, id string) (crm.Template, error) {
	cursor := ""
	for range 100 {
		p, err := x.crm.Templates(ctx, crmtenant.Of(t), userID, "", cursor)
		if err != nil {
			return crm.Template{}, crmProblem(err)
		}
		for _, v := range p.Templates {
			if v.ID == id {
				return v, nil
			}
		}
		if cursor = p.Next; cursor == "" {
			break
		}
	}
	return crm.Template{}, problem("not_found", "That template no longer exists.")
}
