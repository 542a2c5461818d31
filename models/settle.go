package models

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/riverqueue/river"
	"gorm.io/gorm"
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

	CallbackID string `json:"-"` // of an automation's text
}

// timeFormat is how the SQLite driver writes a time (its "sqlite" format, in UTC); Postgres reads it too.
const timeFormat = "2006-01-02 15:04:05.999999999-07:00"

// Settled is a message that an outcome moved.
type Settled struct{ ID, TenantID, BatchID, CallbackID, State string }

// Settle applies many outcomes in one statement. States only move forward: an outcome counts for its own attempt
// while that is sending; a late answer may still turn uncertain into sent or failed, and never back into the queue.
// What it moved is returned, for FollowUp. Only what a lone statement can't do takes a transaction: attempts that go
// back to the queue are kept, and an automation's completion is queued exactly when its text is settled.
func (s *Store) Settle(ctx context.Context, outcomes []Outcome) (moved []Settled, err error) {
	if len(outcomes) == 0 {
		return nil, nil
	}
	for i := range outcomes {
		outcomes[i].clean()
	}
	if !slices.ContainsFunc(outcomes, Outcome.needsMore) {
		return s.applyOutcomes(ctx, outcomes)
	}
	err = s.Tx(ctx, func(tx *Store) error {
		if err := tx.rememberAttempts(ctx, outcomes); err != nil {
			return err
		}
		if moved, err = tx.applyOutcomes(ctx, outcomes); err != nil {
			return err
		}
		return tx.complete(ctx, moved)
	})
	return moved, err
}

// RefusedData tells that the database understood a statement and refuses its values (SQLSTATE classes 22 and 23): the same
// values will be refused again.
func RefusedData(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return strings.HasPrefix(pg.Code, "22") || strings.HasPrefix(pg.Code, "23")
	}
	return errors.Is(err, gorm.ErrCheckConstraintViolated) || errors.Is(err, gorm.ErrForeignKeyViolated) || errors.Is(err, gorm.ErrDuplicatedKey)
}

func (o Outcome) needsMore() bool { return o.CallbackID != "" || o.State == Waiting || o.State == Held }

// FollowUp does what follows from settled messages and may come a little later: the CRM's timeline hears of them, and
// batches end whose last message this was. Never inside the transaction that settled them: two of those would each
// see the other's message still open, and neither would end the batch. What a crash leaves out, Sweep finds.
func (s *Store) FollowUp(ctx context.Context, moved []Settled) error {
	tenants, batches, back := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, m := range moved {
		tenants[m.TenantID] = true
		if m.State == Waiting || m.State == Held {
			back[m.BatchID] = true
		} else {
			batches[m.BatchID] = true
		}
	}
	jobs, err := s.cancelledMeanwhile(ctx, keys(back))
	if err != nil {
		return err
	}
	for t := range tenants {
		jobs = append(jobs, TellActivities{TenantID: t})
	}
	if err := s.Enqueue(ctx, jobs...); err != nil || len(batches) == 0 {
		return err
	}
	return s.FinishBatches(ctx, keys(batches))
}

// cancelledMeanwhile are the jobs for batches that were cancelled while texts of theirs were on the wire, and have come
// back.
func (s *Store) cancelledMeanwhile(ctx context.Context, batchIDs []string) (jobs []river.JobArgs, err error) {
	if len(batchIDs) == 0 {
		return nil, nil
	}
	var over []Batch
	err = s.q(ctx).Select("id", "tenant_id").Where("id IN ? AND state = ?", batchIDs, BatchCancelled).Find(&over).Error
	for _, b := range over {
		jobs = append(jobs, MoveBatch{TenantID: b.TenantID, BatchID: b.ID})
	}
	return jobs, err
}

func (s *Store) applyOutcomes(ctx context.Context, outcomes []Outcome) ([]Settled, error) {
	var moved []Settled
	// Who was erased while the text was on the wire gets no second attempt: there is no number left to send it to.
	err := s.q(ctx).Raw(`UPDATE messages SET state = CASE WHEN o.state IN ('waiting', 'held') AND messages.to_number LIKE 'erased:%' THEN 'cancelled' ELSE o.state END, error_code = o.code, error_text = o.text,
		dialpad_id = CASE WHEN o.dialpad_id <> '' THEN o.dialpad_id ELSE messages.dialpad_id END,
		answered_at = @now, updated_at = @now, untold = true,
		sent_at = CASE WHEN o.state = 'sent' THEN `+s.moment("@now")+` ELSE messages.sent_at END,
		settled_at = CASE WHEN o.state IN ('sent', 'failed', 'uncertain') THEN `+s.moment("@now")+` ELSE NULL END,
		due_at = CASE WHEN o.state = 'waiting' THEN `+s.moment("nullif(o.due, '')")+` ELSE NULL END
		FROM `+s.outcomeRows()+` WHERE messages.id = o.id AND messages.attempt = o.attempt
		AND (messages.state = 'sending' OR messages.state = 'uncertain' AND o.state IN ('sent', 'failed'))
		RETURNING messages.id, messages.tenant_id, messages.batch_id, messages.callback_id, messages.state`,
		map[string]any{"outcomes": toJSON(outcomes), "now": s.Now()}).Find(&moved).Error // not Scan, which writes the statement out for a log
	return moved, err
}

// clean writes an outcome as the database takes it. Postgres refuses a NUL in a text, and one in Dialpad's words would keep
// its whole group from being written.
func (o *Outcome) clean() {
	for _, words := range []*string{&o.Text, &o.Code, &o.DialpadID} {
		*words = strings.ReplaceAll(*words, "\x00", "")
	}
	if o.DueAt != nil {
		o.Due = o.DueAt.UTC().Format(timeFormat)
	}
}

// outcomeRows is the parameter @outcomes as rows.
func (s *Store) outcomeRows() string {
	if !s.Embedded() {
		return `json_to_recordset(CAST(@outcomes AS json)) AS o(id text, attempt int, state text, dialpad_id text, code text, text text, due text)`
	}
	return `(SELECT json_extract(value, '$.id') AS id, json_extract(value, '$.attempt') AS attempt, json_extract(value, '$.state') AS state,
		json_extract(value, '$.dialpad_id') AS dialpad_id, json_extract(value, '$.code') AS code, json_extract(value, '$.text') AS text, json_extract(value, '$.due') AS due FROM json_each(@outcomes)) AS o`
}

// rememberAttempts keeps the attempts that go back to the queue: the next one will overwrite them in the message.
func (s *Store) rememberAttempts(ctx context.Context, outcomes []Outcome) error {
	return s.q(ctx).Exec(`INSERT INTO attempts (message_id, tenant_id, attempt, claimed_at, answered_at, outcome, error_code, error_text)
		SELECT m.id, m.tenant_id, m.attempt, m.claimed_at, `+s.moment("@now")+`, o.state, o.code, o.text
		FROM `+s.outcomeRows()+` JOIN messages m ON m.id = o.id AND m.attempt = o.attempt AND m.state = 'sending'
		WHERE o.state IN ('waiting', 'held') ON CONFLICT DO NOTHING`, map[string]any{"outcomes": toJSON(outcomes), "now": s.Now()}).Error
}

// complete queues the completions of automations whose text has come to its end. An unknown outcome waits for its
// event; a job now would only be in the way of the one that the event brings.
func (s *Store) complete(ctx context.Context, moved []Settled) error {
	var jobs []river.JobArgs
	for _, m := range moved {
		if m.CallbackID != "" && m.State != Waiting && m.State != Held && m.State != Uncertain {
			jobs = append(jobs, CompleteCallback{TenantID: m.TenantID, CallbackID: m.CallbackID})
		}
	}
	return s.Enqueue(ctx, jobs...)
}

func keys(m map[string]bool) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	return out
}
