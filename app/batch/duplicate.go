package batch

import (
	"context"
	"slices"

	"dialpad-texting/app/access"
	"dialpad-texting/app/apierror"
	"dialpad-texting/app/audience"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// maxDuplicated bounds the people of a batch that is duplicated.
const maxDuplicated = 10_000

// Duplicate makes a new batch for the people of an old one, with the
// text, the time and the rules of r; an empty text is the old one's. All
// is read and checked anew, as Create does for the asker.
func (x *Batches) Duplicate(ctx context.Context, a access.Asker, id, key string, r Request) (ledger.Batch, error) {
	b, err := x.visible(ctx, a, id)
	if err != nil {
		return b, err
	}
	if b.Source == ledger.SourceAutomation || isTest(b) || b.Message == "" {
		return b, apierror.Conflict("This can't be duplicated.")
	}
	if r.Message == "" {
		r.Message, r.TemplateID = b.Message, b.TemplateID
	}
	if a.Target, err = targetOf(ctx, x.store, b); err != nil {
		return b, err
	}
	if r.ToField == "" {
		r.ToField, r.ElseField = b.ToField, b.ElseField
	}
	if r.Exclude == nil {
		r.Exclude = stillAmong(a.Target, b.Excluded)
	}
	return x.Create(ctx, a, key, r)
}

// stillAmong returns the ids that a target names. A selection of the CRM's
// names none, so that all may be among its people.
func stillAmong(target *crm.LaunchTarget, ids []string) []string {
	if target.Selection != "" {
		return ids
	}
	named := audience.IDSet(target.RecordIDs)
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !named[id] })
}

// targetOf is a batch's people as a launch names them.
func targetOf(ctx context.Context, store *models.Store, b ledger.Batch) (*crm.LaunchTarget, error) {
	target := &crm.LaunchTarget{Mode: crm.ModeOne, Module: b.Module, RecordIDs: b.RecordIDs, ToNumber: b.ToNumber}
	if b.Source == ledger.SourceOneToOne {
		return target, nil
	}
	target.Mode, target.Selection, target.Count, target.ToNumber = crm.ModeBulk, b.Selection, b.Expected, ""
	if b.Selection == "" || !b.Prepared {
		return target, nil
	}
	// The CRM may have forgotten the selection.
	ids, err := store.Messages.RecordIDs(ctx, b.TenantID, b.ID, maxDuplicated+1)
	if err != nil {
		return nil, err
	}
	if len(ids) > maxDuplicated {
		return nil, apierror.Conflict("This bulk is too large to be duplicated. Choose its people in Salesmate again.")
	}
	target.Selection, target.RecordIDs, target.Count = "", ids, len(ids)
	return target, nil
}
