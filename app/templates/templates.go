// Package templates reads what a text can be written with: the CRM's
// templates and its modules' fields; and checks a text against those
// fields.
package templates

import (
	"context"
	"time"

	"dialpad-texting/app/apierror"
	"dialpad-texting/app/crmtenant"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/internal/faircache"
	"dialpad-texting/models"
)

// CRM lists fields and templates.
type CRM interface {
	Fields(ctx context.Context, t crm.Tenant, module string) (crm.FieldList, error)
	Templates(ctx context.Context, t crm.Tenant, userID, q, cursor string) (crm.TemplatePage, error)
}

// Templates reads fields and templates. Safe for concurrent use.
type Templates struct {
	crm    CRM
	now    func() time.Time
	fields *faircache.Cache[string, cachedFields] // by module
}

// New returns a Templates.
func New(c CRM, now func() time.Time) *Templates {
	return &Templates{crm: c, now: now, fields: faircache.New[string, cachedFields](fieldsLimits, 0, now)}
}

// List returns one page of the templates that a CRM user may use.
func (x *Templates) List(ctx context.Context, t models.Tenant, userID, q, cursor string) (crm.TemplatePage, error) {
	p, err := x.crm.Templates(ctx, crmtenant.Of(t), userID, q, cursor)
	if err != nil {
		return p, apierror.CRMUnreachable(err)
	}
	return p, nil
}

// maxPages bounds the search for one template.
const maxPages = 100

// Find returns one template that a CRM user may use; *apierror.Error
// not_found where there is none.
func (x *Templates) Find(ctx context.Context, t models.Tenant, userID, id string) (crm.Template, error) {
	cursor := ""
	for range maxPages {
		p, err := x.List(ctx, t, userID, "", cursor)
		if err != nil {
			return crm.Template{}, err
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
	return crm.Template{}, apierror.New(apierror.CodeNotFound, "That template no longer exists.")
}
