package models

import (
	"cmp"
	"context"
	"slices"
)

// ResendFrom names the texts of a batch whose people are texted again: those in some states, but for some error codes.
type ResendFrom struct {
	TenantID, BatchID string
	States, Without   []string
}

// again is the condition for texts of people who may be texted again.
const again = `messages.tenant_id = @tenant AND messages.batch_id = @batch AND messages.state IN @states
	AND messages.error_code NOT IN @without AND messages.to_number NOT LIKE 'erased:%'`

// untaken is the condition for texts that were not sent again yet: each is once. One whose new batch was cancelled before
// it had a text for that person may be, since there is nothing else to send it again from.
const untaken = `(resent_in = '' OR EXISTS (
	SELECT 1 FROM batches b WHERE b.tenant_id = @tenant AND b.id = messages.resent_in AND b.state = 'cancelled' AND NOT EXISTS (
		SELECT 1 FROM recipients n WHERE n.batch_id = b.id AND n.module = messages.module AND n.record_id = messages.record_id)))`

// TakeForResend marks the texts as sent again in another batch and returns the records that they were for, in their order;
// of two at once one takes each text. Call it in the transaction that makes that batch.
func (s *Store) TakeForResend(ctx context.Context, f ResendFrom, in string) (recordIDs []string, err error) {
	if _, err := s.BatchForUpdate(ctx, f.TenantID, f.BatchID); err != nil {
		return nil, err
	}
	var taken []Message
	err = s.q(ctx).Raw(`UPDATE messages SET resent_in = @in WHERE `+again+` AND `+untaken+` RETURNING id, record_id`, f.values(in)).Find(&taken).Error
	slices.SortFunc(taken, func(a, b Message) int { return cmp.Compare(a.ID, b.ID) })
	for _, m := range taken {
		recordIDs = append(recordIDs, m.RecordID)
	}
	return recordIDs, err
}

// CountForResend is how many texts of each state TakeForResend would take; states with none are left out.
func (s *Store) CountForResend(ctx context.Context, f ResendFrom) (map[string]int, error) {
	var found []struct {
		State string
		N     int
	}
	err := s.q(ctx).Raw(`SELECT state, count(*) AS n FROM messages WHERE `+again+` AND `+untaken+` GROUP BY state`, f.values("")).Find(&found).Error
	out := map[string]int{}
	for _, one := range found {
		out[one.State] = one.N
	}
	return out, err
}

// Resent tells whether one of the texts was sent again already.
func (s *Store) Resent(ctx context.Context, f ResendFrom) (bool, error) {
	var n int64
	err := s.q(ctx).Raw(`SELECT count(*) FROM (SELECT 1 FROM messages WHERE `+again+` AND resent_in <> '' LIMIT 1) AS one`, f.values("")).Scan(&n).Error
	return n > 0, err
}

func (f ResendFrom) values(in string) map[string]any {
	return map[string]any{"tenant": f.TenantID, "batch": f.BatchID, "states": f.States, "without": f.Without, "in": in}
}
