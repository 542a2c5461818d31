package templates

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"dialpad-texting/app/apierror"
	"dialpad-texting/app/compose"
	"dialpad-texting/app/crmtenant"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/internal/faircache"
	"dialpad-texting/internal/text"
	"dialpad-texting/models"
)

const fieldsTTL = time.Minute // every keystroke's preview asks for them

// fieldsLimits hold 1,000 tenants' lists of 32 KiB.
var fieldsLimits = faircache.Limits{User: 4 << 20, Tenant: 4 << 20, Total: 32 << 20}

// cachedFields stay usable past their time: see Fields.
type cachedFields struct {
	crm.FieldList
	expires time.Time
}

// bytes is about what the lists take.
func (c cachedFields) bytes() int {
	n := 0
	for _, f := range c.Fields {
		n += 48 + len(f.Key) + len(f.Label) + len(f.Type)
	}
	for _, p := range c.Phones {
		n += 32 + len(p.Key) + len(p.Label)
	}
	return n
}

// Fields returns a module's merge and phone fields, cached for a
// minute. While the CRM fails it returns older ones: better than no
// text at all.
func (x *Templates) Fields(ctx context.Context, t models.Tenant, module string) (crm.FieldList, error) {
	owner, now := faircache.Owner{Tenant: t.ID}, x.now()
	cached, ok := x.fields.Get(owner, module)
	if ok && now.Before(cached.expires) {
		return cached.FieldList, nil
	}
	list, err := x.crm.Fields(ctx, crmtenant.Of(t), module)
	if err != nil && ok {
		return cached.FieldList, nil
	}
	if err != nil {
		return crm.FieldList{}, apierror.CRMUnreachable(err)
	}
	cached = cachedFields{list, now.Add(fieldsTTL)}
	x.fields.Put(owner, module, cached, cached.bytes())
	return list, nil
}

// PhoneFields lists the phone fields of a module.
func (x *Templates) PhoneFields(ctx context.Context, t models.Tenant, module string) ([]crm.PhoneField, error) {
	list, err := x.Fields(ctx, t, module)
	return list.Phones, err
}

// CheckPhoneField refuses a phone field that the module does not have. name is
// the request's field that it came in.
func (x *Templates) CheckPhoneField(ctx context.Context, t models.Tenant, module, name, field string) error {
	phones, err := x.PhoneFields(ctx, t, module)
	if err != nil {
		return err
	}
	for _, p := range phones {
		if p.Key == field {
			return nil
		}
	}
	return apierror.Field(name, fmt.Sprintf("There is no phone field %s.", strconv.Quote(field)))
}

// CheckBulkText is CheckText for a bulk, whose texts end with the
// tenant's opt-out line.
func (x *Templates) CheckBulkText(ctx context.Context, t models.Tenant, module, written string) (compose.Template, error) {
	tpl, err := x.CheckText(ctx, t, module, written)
	if err == nil && tpl.TooLongWith(t.OptOutLine) {
		err = apierror.Text(compose.ErrLineTooLong)
	}
	return tpl, err
}

// CheckText parses a text and refuses fields that the module does not
// have. A text without fields asks the CRM nothing.
func (x *Templates) CheckText(ctx context.Context, t models.Tenant, module, written string) (compose.Template, error) {
	tpl, err := compose.Parse(written)
	if err != nil {
		return tpl, apierror.Text(err)
	}
	switch {
	case text.IsBlank(tpl.String()):
		return tpl, apierror.Text(compose.ErrNoText)
	case compose.HasGap(tpl.String()):
		return tpl, apierror.Text(compose.ErrGap)
	}
	if len(tpl.Fields()) == 0 {
		_, err := tpl.Render(nil)
		return tpl, apierror.Text(err)
	}
	list, err := x.Fields(ctx, t, module)
	if err != nil {
		return tpl, err
	}
	known := make([]string, len(list.Fields))
	for i, f := range list.Fields {
		known[i] = f.Key
	}
	return tpl, apierror.Text(tpl.Check(known))
}
