package audience

import (
	"context"

	"dialpad-texting/app/apierror"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// Forecast returns one page of who would get a batch that is not
// prepared, if it began now.
func (x *Audience) Forecast(ctx context.Context, t models.Tenant, b ledger.Batch, cursor string) (Page, error) {
	s, err := specOf(t, b)
	if err != nil {
		return Page{}, apierror.Text(err)
	}
	if _, _, err := s.query(cursor); err != nil {
		e := apierror.Field("cursor", "There is no such page.")
		e.Err = err
		return Page{}, e
	}
	p, err := x.recipients(ctx, s, cursor)
	if err != nil {
		return Page{}, err
	}
	excludeDuplicates(p.Recipients)
	return p, nil
}

// CountForecast counts who of a scheduled bulk would be left out if it
// began now, and stores the number. A batch that is changed meanwhile
// has another job.
func (x *Audience) CountForecast(ctx context.Context, tenantID, batchID string) error {
	b, err := x.store.Batches.Get(ctx, tenantID, "", batchID)
	if err != nil || b.State != ledger.BatchScheduled {
		return apierror.IgnoreNotFound(err)
	}
	t, err := x.store.Tenants.Get(ctx, tenantID)
	if err != nil {
		return err
	}
	spec, err := specOf(t, b)
	if err != nil {
		return nil //nolint:nilerr // impossible: it was checked when it was written
	}
	numbers, seen, skipped := newDuplicates(0), cursorSet{}, 0
	for cursor := ""; ; {
		p, err := x.recipients(ctx, spec, cursor)
		if err == nil {
			err = seen.check(p.Next)
		}
		if err != nil {
			return err
		}
		seen.add(p.Next)
		numbers.exclude(p.Recipients)
		for _, r := range p.Recipients {
			if r.checkText(); r.Code != "" {
				skipped++
			}
		}
		if cursor = p.Next; cursor == "" {
			return x.store.SetExpectedSkipped(ctx, b, skipped)
		}
	}
}
