package audience

import (
	"context"

	"dialpad-texting/app/compose"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// audienceSpec is the part of a batch that decides recipients and
// texts.
type audienceSpec struct {
	tenant    models.Tenant
	userID    string
	source    string
	module    string
	recordIDs []string
	selection string
	excluded  map[string]bool // record ids
	toNumber  string          // one-to-one, as clicked
	toField   string
	elseField string // "" for none
	template  compose.Template
}

func specOf(t models.Tenant, b ledger.Batch) (audienceSpec, error) {
	tpl, err := compose.Parse(b.Message)
	return audienceSpec{tenant: t, userID: b.UserID, source: b.Source, module: b.Module, recordIDs: b.RecordIDs, selection: b.Selection,
		excluded: IDSet(b.Excluded), toNumber: b.ToNumber, toField: b.ToField, elseField: b.ElseField, template: tpl}, err
}

// DefaultPhoneField is the field that a bulk's numbers come from by
// default.
const DefaultPhoneField = "mobile"

// PhoneLabel is what the CRM calls a phone field, "" where it does not
// say.
func (x *Audience) PhoneLabel(ctx context.Context, t models.Tenant, module, field string) string {
	if field == "" {
		return ""
	}
	phones, err := x.templates.PhoneFields(ctx, t, module)
	if err != nil {
		x.cfg.Log.Warn("reading phone fields failed", "tenant", t.ID, "err", err)
	}
	for _, p := range phones {
		if p.Key == field {
			return p.Label
		}
	}
	return ""
}

// UniqueIDs removes ids that are named again: the CRM would answer them
// twice.
func UniqueIDs(ids []string) []string {
	seen := map[string]bool{}
	var out []string
	for _, id := range ids {
		if !seen[id] {
			seen[id], out = true, append(out, id)
		}
	}
	return out
}

// IDSet returns ids as a set.
func IDSet(ids []string) map[string]bool {
	out := make(map[string]bool, len(ids))
	for _, id := range ids {
		out[id] = true
	}
	return out
}

// templateNamePages bounds how many pages of templates are read for
// their names.
const templateNamePages = 5

// TemplateNames returns the names of the templates that a CRM user may
// use, by id: as many as the first pages have.
func (x *Audience) TemplateNames(ctx context.Context, t models.Tenant, userID string) map[string]string {
	names, cursor := map[string]string{}, ""
	for range templateNamePages {
		p, err := x.templates.List(ctx, t, userID, "", cursor)
		if err != nil {
			x.cfg.Log.Warn("reading template names failed", "tenant", t.ID, "err", err)
			return names
		}
		for _, v := range p.Templates {
			names[v.ID] = v.Name
		}
		if cursor = p.Next; cursor == "" {
			break
		}
	}
	return names
}
