package audience

import (
	"context"
	"errors"
	"time"

	"dialpad-texting/app/apierror"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// singleTimeout bounds what a person waits for the CRM.
const singleTimeout = 5 * time.Second

// ResolveSingle resolves the recipient of a one-to-one, so that what
// can't go is refused at once. It returns nil while the CRM does not
// answer: the text is not lost, it waits in state preparing.
func (x *Audience) ResolveSingle(ctx context.Context, t models.Tenant, b ledger.Batch) (*Recipient, error) {
	s, err := specOf(t, b)
	if err != nil {
		return nil, apierror.Text(err)
	}
	ctx, cancel := context.WithTimeout(ctx, singleTimeout)
	defer cancel()
	p, err := x.recipients(ctx, s, "")
	var e *apierror.Error
	if errors.As(err, &e) && e.Code == apierror.CodeCRMUnreachable {
		x.cfg.Log.Warn("one-to-one waits for the crm", "tenant", t.ID, "batch", b.ID, "err", err)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if len(p.Recipients) != 1 {
		return nil, apierror.New(apierror.CodeNotFound, ReasonMissing)
	}
	r := p.Recipients[0]
	if r.Code != "" {
		return nil, &apierror.Error{Code: r.Code, Message: r.Reason, Details: map[string]any{"field": r.Field}}
	}
	return &r, nil
}

// Forecast returns one page of who would get a scheduled batch if it
// began now.
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
