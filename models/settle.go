package models

import (
	"context"
	"time"

	"github.com/riverqueue/river"
)

// Outcome is how one attempt ended.
type Outcome struct {
	ID        string     `json:"id"`
	Attempt   int        `json:"attempt"`
	State     string     `json:"state"` // sent, failed, uncertain, held; waiting: surely not accepted, again at DueAt
	DialpadID string     `json:"dialpad_id"`
	Code      string     `json:"code"`
	Text      string     `json:"text"`
	DueAt     *time.Time `json:"-"`
	Due       string     `json:"due"` // DueAt as the database writes it
}

// timeFormat is how the SQLite driver writes a time (its "sqlite" format, in UTC); Postgres reads it too.
const timeFormat = "2006-01-02 15:04:05.999999999-07:00"

// Settled is a message that an outcome moved.
type Settled struct{ ID, TenantID, BatchID, CallbackID, State string }

// Settle applies many outcomes in one statement. States only move forward: an outcome counts for its own attempt
// while that is sending; a late answer may still turn uncertain into sent or failed, and never back into the queue.
// What it moved is returned; timeline, automation and batch follow in the same transaction.
func (s *Store) Settle(ctx context.Context, outcomes []Outcome) ([]Settled, error) {
	if len(outcomes) == 0 {
		return nil, nil
	}
	var moved []Settled
	err := s.Tx(ctx, func(tx *Store) error {
		if err := tx.rememberAttempts(ctx, outcomes); err != nil {
			return err
		}
		var err error
		if moved, err = tx.applyOutcomes(ctx, outcomes); err != nil {
			return err
		}
		return tx.afterSettle(ctx, moved)
	})
	if err == nil {
		err = s.finishAfter(ctx, moved)
	}
	return moved, err
}

// finishAfter ends batches once their last messages are committed. Inside the transaction two writers would each see
// the other's message still open, and neither would end the batch.
func (s *Store) finishAfter(ctx context.Context, moved []Settled) error {
	batches := map[string]bool{}
	for _, m := range moved {
		if m.State != Waiting && m.State != Held {
			batches[m.BatchID] = true
		}
	}
	if len(batches) == 0 {
		return nil
	}
	return s.FinishBatches(ctx, keys(batches))
}

func (s *Store) applyOutcomes(ctx context.Context, outcomes []Outcome) ([]Settled, error) {
	from := `json_to_recordset(CAST(@outcomes AS json)) AS o(id text, attempt int, state text, dialpad_id text, code text, text text, due text)`
	if s.Embedded() {
		from = `(SELECT json_extract(value, '$.id') AS id, json_extract(value, '$.attempt') AS attempt, json_extract(value, '$.state') AS state,
			json_extract(value, '$.dialpad_id') AS dialpad_id, json_extract(value, '$.code') AS code, json_extract(value, '$.text') AS text, json_extract(value, '$.due') AS due FROM json_each(@outcomes)) AS o`
	}
	for i := range outcomes {
		if d := outcomes[i].DueAt; d != nil {
			outcomes[i].Due = d.UTC().Format(timeFormat)
		}
	}
	var moved []Settled
	err := s.q(ctx).Raw(`UPDATE messages SET state = o.state, error_code = o.code, error_text = o.text,
		dialpad_id = CASE WHEN o.dialpad_id <> '' THEN o.dialpad_id ELSE messages.dialpad_id END,
		answered_at = @now, updated_at = @now, untold = true,
		sent_at = CASE WHEN o.state = 'sent' THEN `+s.moment("@now")+` ELSE messages.sent_at END,
		settled_at = CASE WHEN o.state IN ('sent', 'failed', 'uncertain') THEN `+s.moment("@now")+` ELSE NULL END,
		due_at = CASE WHEN o.state = 'waiting' THEN `+s.moment("nullif(o.due, '')")+` ELSE NULL END
		FROM `+from+` WHERE messages.id = o.id AND messages.attempt = o.attempt
		AND (messages.state = 'sending' OR messages.state = 'uncertain' AND o.state IN ('sent', 'failed'))
		RETURNING messages.id, messages.tenant_id, messages.batch_id, messages.callback_id, messages.state`,
		map[string]any{"outcomes": toJSON(outcomes), "now": s.Now()}).Scan(&moved).Error
	return moved, err
}

// rememberAttempts keeps the attempts that go back to the queue: the next one will overwrite them in the message.
func (s *Store) rememberAttempts(ctx context.Context, outcomes []Outcome) error {
	for _, o := range outcomes {
		if o.State != Waiting && o.State != Held {
			continue
		}
		if err := s.q(ctx).Exec(`INSERT INTO attempts (message_id, tenant_id, attempt, claimed_at, answered_at, outcome, error_code, error_text)
			SELECT id, tenant_id, attempt, claimed_at, ?, ?, ?, ? FROM messages WHERE id = ? AND attempt = ? AND state = 'sending'
			ON CONFLICT DO NOTHING`, s.Now(), o.State, o.Code, o.Text, o.ID, o.Attempt).Error; err != nil {
			return err
		}
	}
	return nil
}

// afterSettle queues what follows from moved messages: the CRM's timeline and the automation's completion.
func (s *Store) afterSettle(ctx context.Context, moved []Settled) error {
	if len(moved) == 0 {
		return nil
	}
	tenants := map[string]bool{}
	var jobs []river.JobArgs
	for _, m := range moved {
		tenants[m.TenantID] = true
		// An unknown outcome waits for its event; a job now would only be in the way of the one that the event brings.
		if m.CallbackID != "" && m.State != Waiting && m.State != Held && m.State != Uncertain {
			jobs = append(jobs, CompleteCallback{TenantID: m.TenantID, CallbackID: m.CallbackID})
		}
	}
	for t := range tenants {
		jobs = append(jobs, TellActivities{TenantID: t})
	}
	return s.Enqueue(ctx, jobs...)
}

// FollowUp does for messages that were moved by other hands what Settle does for its own.
func (s *Store) FollowUp(ctx context.Context, moved []Settled) error {
	return s.afterSettle(ctx, moved)
}

func keys(m map[string]bool) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	return out
}
