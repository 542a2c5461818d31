package timeline

import (
	"context"
	"errors"
	"slices"

	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
)

// syncReplies sends a tenant's answers that the timeline lacks and returns how
// many it sent. One that the CRM fails at is tried in a later round.
func (s *Syncer) syncReplies(ctx context.Context, to crm.Tenant) (synced int, err error) {
	pending, err := s.store.Replies.Pending(ctx, to.ID, pageSize)
	if err != nil {
		return 0, err
	}
	var done []models.Reply
	for _, r := range pending {
		if s.backoff.isWaiting(r.ID) {
			continue
		}
		err = s.syncReply(ctx, to, r)
		if isMessageFault(err) {
			s.backoff.failed(r.ID)
			err = nil
			continue
		}
		if err != nil {
			break
		}
		s.backoff.succeeded(r.ID)
		done = append(done, r)
	}
	if len(done) == 0 {
		return 0, err
	}
	marking, cancel := context.WithTimeout(context.WithoutCancel(ctx), markTimeout)
	defer cancel()
	return len(done), errors.Join(err, s.store.Replies.MarkSynced(marking, to.ID, done))
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
