package batch

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"dialpad-texting/models/ledger"
)

const (
	warningsPage        = 500
	warningsConcurrency = 16 // tenants checked at once
	// warningsTimeout bounds the check of one tenant's schedules of a page: the
	// CRM may be asked for its users, and may hang.
	warningsTimeout = 15 * time.Second
)

// warningRound is one check of many tenants' schedules. A tenant whose check
// fails is left to the next round, and stops no other.
type warningRound struct {
	s       *Scheduler
	tenants map[string]*tenantSchedules

	mu     sync.Mutex
	counts WarningCounts
	err    error
}

// tenantSchedules is what a round knows of one tenant.
type tenantSchedules struct {
	senders senderStates
	failed  bool
}

// warnPages checks pages of schedules, each after the batch with an id.
func (s *Scheduler) warnPages(ctx context.Context, pageAfter func(after string) ([]ledger.Batch, error)) (WarningCounts, error) {
	r := &warningRound{s: s, tenants: map[string]*tenantSchedules{}}
	for after := ""; ; {
		page, err := pageAfter(after)
		if err != nil {
			return r.counts, errors.Join(r.err, err)
		}
		r.checkPage(ctx, page)
		if len(page) < warningsPage {
			return r.counts, r.err
		}
		after = page[len(page)-1].ID
	}
}

// checkPage checks a page, tenant by tenant.
func (r *warningRound) checkPage(ctx context.Context, page []ledger.Batch) {
	byTenant := map[string][]ledger.Batch{}
	for _, b := range page {
		byTenant[b.TenantID] = append(byTenant[b.TenantID], b)
	}
	var g errgroup.Group
	g.SetLimit(warningsConcurrency)
	for id, batches := range byTenant {
		t := r.tenants[id]
		if t == nil {
			t = &tenantSchedules{senders: senderStates{}}
			r.tenants[id] = t
		}
		if t.failed {
			continue
		}
		g.Go(func() error {
			r.checkTenant(ctx, t, batches)
			return nil
		})
	}
	_ = g.Wait()
}

func (r *warningRound) checkTenant(ctx context.Context, t *tenantSchedules, batches []ledger.Batch) {
	ctx, cancel := context.WithTimeout(ctx, warningsTimeout)
	defer cancel()
	var n WarningCounts
	var err error
	for _, b := range batches {
		if err = r.s.warn(ctx, b, t.senders, &n); err != nil {
			t.failed, err = true, fmt.Errorf("check the schedules of %s: %w", b.TenantID, err)
			break
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts.add(n)
	r.err = errors.Join(r.err, err)
}

func (n *WarningCounts) add(o WarningCounts) {
	n.Warned += o.Warned
	n.Cleared += o.Cleared
	n.Moved += o.Moved
	n.Refreshed += o.Refreshed
}
