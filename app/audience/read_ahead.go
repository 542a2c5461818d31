package audience

import (
	"context"
	"reflect"

	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
)

// readRecords reads one page of records, as Audience.Records does.
type readRecords func(ctx context.Context, t models.Tenant, q crm.ResolveQuery) (crm.Records, error)

// readAhead reads records one page ahead: while a page is stored, the CRM is
// asked for the next. For one goroutine.
type readAhead struct {
	read readRecords
	next *pendingPage // nil where none was asked for
}

// pendingPage is a page that was asked for.
type pendingPage struct {
	query  crm.ResolveQuery
	answer chan pageAnswer // gets one
}

type pageAnswer struct {
	records crm.Records
	err     error
}

// start asks for a page in the background, until ctx ends.
func (r *readAhead) start(ctx context.Context, t models.Tenant, q crm.ResolveQuery) {
	page := &pendingPage{query: q, answer: make(chan pageAnswer, 1)}
	r.next = page
	go func() {
		records, err := r.read(ctx, t, q)
		page.answer <- pageAnswer{records, err}
	}()
}

// records returns the page that start asked for, or reads it now if that was
// another one or failed.
func (r *readAhead) records(ctx context.Context, t models.Tenant, q crm.ResolveQuery) (crm.Records, error) {
	page := r.next
	r.next = nil
	if page == nil || !reflect.DeepEqual(page.query, q) {
		return r.read(ctx, t, q)
	}
	select {
	case a := <-page.answer:
		if a.err == nil {
			return a.records, nil
		}
		return r.read(ctx, t, q)
	case <-ctx.Done():
		return crm.Records{}, ctx.Err()
	}
}
