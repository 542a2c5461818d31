package audience_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"dialpad-texting/app/audience"
	"dialpad-texting/integrations/crm"
	. "dialpad-texting/internal/apptest"
	"dialpad-texting/models/ledger"
)

// unsteadyPages fails the first request for each page but the first one.
type unsteadyPages struct {
	Client
	mu     sync.Mutex
	asked  map[string]int
	first  chan struct{} // closed when the first page was answered
	second chan struct{} // closed when the second was asked for
}

func (c *unsteadyPages) ResolveRecords(ctx context.Context, t crm.Tenant, q crm.ResolveQuery) (crm.Records, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.asked[q.Cursor]++; q.Cursor == "" {
		defer close(c.first)
	} else if c.asked[q.Cursor] == 1 {
		if len(c.asked) == 2 {
			close(c.second)
		}
		return crm.Records{}, errors.New("cut off")
	}
	return c.Client.ResolveRecords(ctx, t, q)
}

// storing is a clock that, once the first page was answered, stands until the
// second was asked for: to store a page takes the time.
func (c *unsteadyPages) storing(t *testing.T, now func() time.Time) func() time.Time {
	return func() time.Time {
		select {
		case <-c.first:
			select {
			case <-c.second:
			case <-time.After(time.Minute):
				t.Error("the second page is not asked for while the first is stored")
			}
		default:
		}
		return now()
	}
}

func TestPrepareAsksForTheNextPageWhileItStoresOne(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		seedThousand(w)
		v := w.MustCreate(w.Selection("ana", crm.ModuleContact, ""), "k1", Text(Hi))
		pages := &unsteadyPages{Client: w.CRM, asked: map[string]int{}, first: make(chan struct{}), second: make(chan struct{})}
		x := audience.New(w.DB.Store, pages, w.CRMTemplates, w.Eligible, audience.Config{Now: pages.storing(t, w.Clock.Now)})
		if n, err := x.Prepare(Ctx, "t_9", v.ID); err != nil || n.Pages != len(pages.asked) || n.Pages < 2 {
			t.Errorf("%+v of %d pages, %v", n, len(pages.asked), err)
		}
		for cursor, n := range pages.asked {
			if cursor != "" && n != 2 {
				t.Errorf("the page at %q was asked for %d times: once in advance, and again as that failed", cursor, n)
			}
		}
		checkThousand(w, w.MustView(v.ID))
		if b, err := w.DB.Batches.Get(Ctx, "t_9", "", v.ID); err != nil || b.State != ledger.BatchSending {
			t.Errorf("the batch is %s, %v", b.State, err)
		}
	})
}
