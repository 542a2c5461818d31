package timeline

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"golang.org/x/sync/errgroup"

	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
)

// syncReplies sends up to a page of a tenant's answers that the timeline lacks
// and returns how many it sent. It skips those that the CRM fails at, and tries
// them in a later round.
func (s *Syncer) syncReplies(ctx context.Context, to crm.Tenant) (synced int, err error) {
	page, err := s.pendingReplies(ctx, to.ID)
	if err != nil || len(page) == 0 {
		return 0, err
	}
	var sent [pageSize]bool
	var failed [pageSize]error
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(concurrency)
	for i, r := range page {
		g.Go(func() error {
			err := s.syncReply(gctx, to, r)
			if isReplyFault(err) {
				failed[i] = err
				return nil
			}
			sent[i] = err == nil
			return err
		})
	}
	outage := g.Wait()
	n, err := s.markRepliesSent(ctx, to.ID, page, sent[:])
	if err := errors.Join(outage, err); err != nil {
		return n, err
	}
	return n, s.postponeReplies(page, failed[:], n == 0)
}

// pendingReplies returns up to a page of answers, without those that wait.
func (s *Syncer) pendingReplies(ctx context.Context, tenantID string) ([]models.Reply, error) {
	var out []models.Reply
	for last := (models.Reply{}); ; {
		page, err := s.store.Replies.Pending(ctx, tenantID, last, pageSize)
		if err != nil || len(page) == 0 {
			return out, err
		}
		last = page[len(page)-1]
		for _, r := range page {
			if !s.backoff.isWaiting(r.ID) && len(out) < pageSize {
				out = append(out, r)
			}
		}
		if len(out) == pageSize {
			return out, nil
		}
	}
}

func (s *Syncer) markRepliesSent(ctx context.Context, tenantID string, page []models.Reply, sent []bool) (int, error) {
	var done []models.Reply
	for i, r := range page {
		if sent[i] {
			done = append(done, r)
			s.backoff.succeeded(r.ID)
		}
	}
	if len(done) == 0 {
		return 0, nil
	}
	marking, cancel := context.WithTimeout(context.WithoutCancel(ctx), markTimeout)
	defer cancel()
	return len(done), s.store.Replies.MarkSynced(marking, tenantID, done)
}

// postponeReplies lets the answers wait that the CRM failed at. If it failed at
// several and took none, the fault is the CRM's: they do not wait.
func (s *Syncer) postponeReplies(page []models.Reply, failed []error, tookNone bool) error {
	var last error
	n := 0
	for _, err := range failed {
		if err != nil {
			n++
			last = err
		}
	}
	if n > concurrency && tookNone {
		return last
	}
	for i, r := range page {
		if failed[i] != nil {
			s.backoff.failed(r.ID)
		}
	}
	return nil
}

// isReplyFault reports whether an error may concern this answer alone. A CRM
// that does not know answers yet refuses each of them: its texts go on.
func isReplyFault(err error) bool {
	var e *crm.Error
	if !errors.As(err, &e) || isMessageFault(err) {
		return isMessageFault(err)
	}
	passing := []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusRequestTimeout, http.StatusTooManyRequests}
	return e.Status >= 400 && e.Status < 500 && !slices.Contains(passing, e.Status)
}

// syncReply sends one answer's activity. It returns nil also where the CRM
// rejects it for good.
func (s *Syncer) syncReply(ctx context.Context, to crm.Tenant, r models.Reply) error {
	id := "act_" + r.ID
	if r.Body != "" {
		id += "_text" // which may have come after the answer was written once
	}
	err := s.crm.UpsertActivity(ctx, to, id, crm.Activity{MessageID: r.ID, ReplyTo: r.MessageID, ContactID: r.ContactID, DealID: r.DealID,
		UserID: r.UserID, From: r.FromNumber, To: r.ToNumber, Body: r.Body, Status: "received", SentAt: &r.WrittenAt, Source: "reply", BatchID: r.BatchID})
	var e *crm.Error
	if errors.As(err, &e) && slices.Contains(finalStatuses, e.Status) {
		return nil
	}
	return err
}
