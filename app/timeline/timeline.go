// Package timeline shows the CRM what became of each text: it upserts one
// activity for each message. An update may come late but is never lost.
package timeline

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"dialpad-texting/app/crmtenant"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// CRM stores the activities that its timeline shows.
type CRM interface {
	UpsertActivity(ctx context.Context, t crm.Tenant, id string, a crm.Activity) error
}

// Syncer brings the CRM's timeline up to date.
// One per process. Safe for concurrent use.
type Syncer struct {
	store   *models.Store
	crm     CRM
	backoff backoff
}

// New returns a Syncer.
func New(store *models.Store, c CRM) *Syncer {
	return &Syncer{store: store, crm: c, backoff: backoff{now: store.Now, failing: map[string]failure{}}}
}

const (
	pageSize    = 100
	concurrency = 8 // requests at once
	// settleTime is how long a message must be unchanged before it is sent:
	// queued, sent and delivered within that time make one request.
	settleTime = 2 * time.Second
	// markTimeout bounds the query that marks a page as sent.
	markTimeout = 5 * time.Second
)

// SyncPending sends a tenant's pending changes and answers, and returns how
// many it sent. It skips a message that the CRM fails at and
// tries it in a later round. An error means that the CRM should
// be asked later. What was sent before it is not sent again.
func (s *Syncer) SyncPending(ctx context.Context, tenantID string) (synced int, err error) {
	tenant, err := s.store.Tenants.Get(ctx, tenantID)
	if err != nil {
		return 0, err
	}
	to, before := crmtenant.Of(tenant), s.store.Now().Add(-settleTime)
	synced, refused := s.syncReplies(ctx, to)
	for last := (ledger.Message{}); ; {
		page, err := s.store.Timelines.Pending(ctx, tenantID, before, last, pageSize)
		if err != nil || len(page) == 0 {
			return synced, errors.Join(err, refused)
		}
		n, err := s.syncPage(ctx, to, page)
		synced += n
		if err != nil {
			return synced, err
		}
		last = page[len(page)-1]
	}
}

// syncPage sends one page and marks what was sent. If the CRM fails at more than
// concurrency messages and takes none, the fault is the CRM's, not the messages'.
func (s *Syncer) syncPage(ctx context.Context, to crm.Tenant, page []ledger.Message) (int, error) {
	sources, err := s.sources(ctx, to.ID, page)
	if err != nil {
		return 0, err
	}
	var sent [pageSize]bool
	var failed [pageSize]error
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(concurrency)
	for i, m := range page {
		if s.backoff.isWaiting(m.ID) {
			continue
		}
		g.Go(func() error {
			err := s.sync(gctx, to, m, sources[m.BatchID])
			if isMessageFault(err) {
				failed[i] = err
				return nil
			}
			sent[i] = err == nil
			return err
		})
	}
	outage := g.Wait()
	n, err := s.markSent(ctx, to.ID, page, sent[:])
	if err := errors.Join(outage, err); err != nil {
		return n, err
	}
	return n, s.postpone(page, failed[:], n == 0)
}

// markSent marks the sent messages of a page, also if ctx has ended meanwhile:
// they would be sent again.
func (s *Syncer) markSent(ctx context.Context, tenantID string, page []ledger.Message, sent []bool) (int, error) {
	var done []ledger.Message
	for i, m := range page {
		if sent[i] {
			done = append(done, m)
			s.backoff.succeeded(m.ID)
		}
	}
	if len(done) == 0 {
		return 0, nil
	}
	marking, cancel := context.WithTimeout(context.WithoutCancel(ctx), markTimeout)
	defer cancel()
	return len(done), s.store.Timelines.MarkSynced(marking, tenantID, done)
}

// postpone lets the messages wait that the CRM failed at. If
// it failed at several and took none, it returns the error.
func (s *Syncer) postpone(page []ledger.Message, failed []error, tookNone bool) error {
	n := 0
	for i, err := range failed {
		if err == nil {
			continue
		}
		n++
		s.backoff.failed(page[i].ID)
		if n > concurrency && tookNone {
			return err
		}
	}
	return nil
}

// isMessageFault reports whether an error may concern this message alone:
// the CRM answered 500 or unreadably.
func isMessageFault(err error) bool {
	var e *crm.Error
	return errors.As(err, &e) && (e.Status == http.StatusInternalServerError || e.Kind == crm.Garbage)
}

// sources returns the source of each batch of the page, by batch id.
func (s *Syncer) sources(ctx context.Context, tenantID string, page []ledger.Message) (map[string]string, error) {
	ids := map[string]bool{}
	for _, m := range page {
		ids[m.BatchID] = true
	}
	return s.store.Batches.Sources(ctx, tenantID, slices.Collect(maps.Keys(ids)))
}

// sync sends one message's activity. It returns nil also where the CRM
// rejects it for good.
func (s *Syncer) sync(ctx context.Context, to crm.Tenant, m ledger.Message, source string) error {
	if m.Erased() || source == ledger.SourceTest {
		return nil // its person was erased, or wrote it
	}
	a := crm.Activity{MessageID: m.ID, ContactID: m.ContactID, DealID: m.DealID, UserID: m.UserID,
		From: m.FromNumber, To: m.ToNumber, Body: m.Text, Status: ledger.PublicState(m.State), Error: m.ErrorText,
		SentAt: m.SentAt, Source: source, BatchID: m.BatchID}
	// The same change sent twice has the same
	// id, so the CRM may drop the second.
	id := "act_" + m.ID + "_" + m.UpdatedAt.UTC().Format(time.RFC3339Nano)
	err := s.crm.UpsertActivity(ctx, to, id, a)
	var e *crm.Error
	if errors.As(err, &e) && slices.Contains(finalStatuses, e.Status) {
		return nil
	}
	return err
}

// finalStatuses reject a message for good, for example because its
// record is gone. 401 and 403 are not among them: they occur
// while a secret is rotated.
var finalStatuses = []int{http.StatusNotFound, http.StatusGone, http.StatusUnprocessableEntity}
