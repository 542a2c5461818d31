package models

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm/clause"
)

// Message states. They only move forward.
//
//	waiting ─due→ queued ─claim→ sending ─2xx→ sent ─event→ delivered | undelivered
//	                 │              ├─ refused → failed (Dialpad's words)
//	                 │              ├─ surely not accepted → waiting, later
//	                 │              └─ answer lost or the worker died → uncertain ─event or late answer→ sent | …
//	                 ├─ cancelled   └─ plan, install or connection gone → held
//	skipped: excluded before queueing, with the reason
const (
	Waiting     = "waiting" // queued, but not before DueAt; people see it as queued
	Queued      = "queued"
	Sending     = "sending"
	Sent        = "sent"
	Delivered   = "delivered"
	Undelivered = "undelivered"
	Failed      = "failed"
	Uncertain   = "uncertain"
	Held        = "held"
	Cancelled   = "cancelled"
	Skipped     = "skipped"
)

// UnknownOutcome is what the sender of a text with a lost answer reads.
const UnknownOutcome = "Outcome unknown: check Dialpad before sending again"

// Message is one text to one person; its row is the job. It is durable before the request leaves.
type Message struct {
	ID         string `gorm:"primaryKey"`
	TenantID   string
	BatchID    string
	LaneID     string
	Class      int
	Turn       int64
	UserID     string
	SenderID   string // Dialpad account
	Module     string
	RecordID   string
	ContactID  string
	DealID     string
	Name       string
	Deal       string // title of the deal that names the person, "" for contacts
	ToNumber   string // E.164
	ToKey      string // keyed hash of ToNumber
	FromNumber string // as of the claim
	Text       string // rendered
	Segments   int
	State      string
	DueAt      *time.Time
	QuietZone  string // the recipient's time zone, of a text that waits for the end of quiet hours

	Attempt    int
	Fence      int64
	DialpadID  string
	ErrorCode  string // our word, or Dialpad's raw value
	ErrorText  string // the sentence for the person
	MatchedBy  string // "number" when an event was matched by its pair
	CallbackID string
	Untold     bool   // the CRM's timeline has not heard of the last change
	ResentIn   string // the batch that texts this person again

	ClaimedAt  *time.Time
	AnsweredAt *time.Time
	SentAt     *time.Time
	SettledAt  *time.Time
	CreatedAt  time.Time
	UpdatedAt  time.Time
}

// AddMessages queues a page of messages of one batch in its lane, once per recipient: rows that exist already stay
// as they are. It returns the ids that were added. Skipped ones come in the same call. Call it in a transaction.
func (s *Store) AddMessages(ctx context.Context, l Lane, messages []Message) (map[string]bool, error) {
	if len(messages) == 0 {
		return nil, nil
	}
	if err := s.giveTurns(ctx, l, messages); err != nil {
		return nil, err
	}
	admitted, err := s.admit(ctx, messages)
	if err != nil || len(admitted) == 0 {
		return nil, err
	}
	r := s.q(ctx).Clauses(clause.OnConflict{DoNothing: true}).CreateInBatches(&admitted, 200)
	if r.Error != nil {
		return nil, one(r.Error)
	}
	ids := make([]string, len(admitted))
	for i, m := range admitted {
		ids[i] = m.ID
	}
	if r.RowsAffected == int64(len(admitted)) {
		return setOf(ids), nil
	}
	var have []string
	if err := s.q(ctx).Model(&Message{}).Where("tenant_id = ? AND id IN ?", messages[0].TenantID, ids).Pluck("id", &have).Error; err != nil {
		return nil, err
	}
	return setOf(have), nil
}

// LastDue is when the last of a batch's waiting texts is due, nil when none waits.
func (s *Store) LastDue(ctx context.Context, tenantID, batchID string) (*time.Time, error) {
	var m Message
	err := one(s.q(ctx).Select("due_at").Where("tenant_id = ? AND batch_id = ? AND state = 'waiting'", tenantID, batchID).Order("due_at DESC").Take(&m).Error)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	return m.DueAt, err
}

func setOf(ids []string) map[string]bool {
	set := make(map[string]bool, len(ids))
	for _, id := range ids {
		set[id] = true
	}
	return set
}

// giveTurns numbers the messages that go to the queue now; those that wait get theirs when they are due.
func (s *Store) giveTurns(ctx context.Context, l Lane, messages []Message) error {
	type who struct {
		class  int
		sender string
	}
	n := map[who]int{}
	for _, m := range messages {
		if m.wantsTurn() {
			n[who{m.Class, m.turnKey()}]++
		}
	}
	next := map[who]int64{}
	for w, count := range n {
		first, err := s.nextTurns(ctx, l, w.class, w.sender, count)
		if err != nil {
			return err
		}
		next[w] = first
	}
	for i := range messages {
		if m := &messages[i]; m.wantsTurn() {
			w := who{m.Class, m.turnKey()}
			m.Turn = next[w]
			if m.Class != ClassPerson {
				next[w]++
			}
		}
	}
	return nil
}

// wantsTurn: a text that was taken back from the wire keeps the turn it had.
func (m Message) wantsTurn() bool { return m.State == Queued && m.Turn == 0 }

// turnKey is who takes turns: senders among bulks, workflows (one batch each) among automations.
func (m Message) turnKey() string {
	if m.Class == ClassAutomation {
		return m.BatchID
	}
	return m.SenderID
}

// PromoteDue queues up to n waiting messages of a lane whose time has come, and returns when the next one is due.
func (s *Store) PromoteDue(ctx context.Context, l Lane, n int) (promoted int, next *time.Time, err error) {
	err = s.Tx(ctx, func(tx *Store) error {
		due, err := tx.due(ctx, l, n)
		if err != nil {
			return err
		}
		promoted = len(due)
		now, err := tx.LaneOf(ctx, l.TenantID, l.ID) // its turns went on since it was leased
		if err != nil {
			return err
		}
		if err := tx.queueAgain(ctx, now, due); err != nil {
			return err
		}
		next, err = tx.nextDue(ctx, l)
		return err
	})
	return promoted, next, err
}

func (s *Store) nextDue(ctx context.Context, l Lane) (*time.Time, error) {
	var first []Message
	err := s.q(ctx).Select("due_at").Where("lane_id = ? AND tenant_id = ? AND state = 'waiting'", l.ID, l.TenantID).
		Order("due_at").Limit(1).Find(&first).Error
	if len(first) == 1 {
		return first[0].DueAt, err
	}
	return nil, err
}

// due are waiting messages whose time has come. What is too late by its batch's rule comes too, but its batch is stopped:
// none of it is claimed.
func (s *Store) due(ctx context.Context, l Lane, n int) ([]Message, error) {
	var due []Message
	now := s.Now()
	err := s.q(ctx).Select("id", "class", "sender_id", "batch_id", "turn", "due_at").
		Where("lane_id = ? AND tenant_id = ? AND state = 'waiting' AND due_at <= ?", l.ID, l.TenantID, now).
		Order("due_at, id").Limit(n).Find(&due).Error
	if err == nil && len(due) > 0 && now.Sub(*due[0].DueAt) > lateLook {
		err = s.judgeOverdue(ctx, l)
	}
	return due, err
}

// queueAgain gives messages their turns and puts them into the queue.
func (s *Store) queueAgain(ctx context.Context, l Lane, messages []Message) error {
	if len(messages) == 0 {
		return nil
	}
	for i := range messages {
		messages[i].State = Queued
	}
	if err := s.giveTurns(ctx, l, messages); err != nil {
		return err
	}
	turns := make([]turnRow, len(messages))
	for i, m := range messages {
		turns[i] = turnRow{ID: m.ID, Turn: m.Turn}
	}
	from := "json_to_recordset(CAST(? AS json)) AS o(id text, turn bigint)"
	if s.Embedded() {
		from = "(SELECT json_extract(value, '$.id') AS id, json_extract(value, '$.turn') AS turn FROM json_each(?)) AS o"
	}
	return s.q(ctx).Exec(`UPDATE messages SET state = 'queued', turn = o.turn, due_at = NULL, updated_at = ? FROM `+from+`
		WHERE messages.id = o.id AND messages.state IN ('waiting', 'held')`, s.Now(), toJSON(turns)).Error
}

type turnRow struct {
	ID   string `json:"id"`
	Turn int64  `json:"turn"`
}

// Message returns a message of the tenant; userID restricts it to that user's, "" to none.
func (s *Store) Message(ctx context.Context, tenantID, userID, id string) (Message, error) {
	var m Message
	q := s.q(ctx).Where("tenant_id = ? AND id = ?", tenantID, id)
	if userID != "" {
		q = q.Where("user_id = ?", userID)
	}
	return m, one(q.Take(&m).Error)
}

// Messages pages a batch's messages in the order they were prepared; states empty means all.
func (s *Store) Messages(ctx context.Context, tenantID, batchID string, states []string, after string, limit int) ([]Message, error) {
	q := s.q(ctx).Where("messages.tenant_id = ?", tenantID)
	if len(states) > 0 {
		q = q.Where("messages.batch_id = ? AND messages.id > ? AND messages.state IN ?", batchID, after, states).Order("messages.id")
	} else {
		q = q.Joins("JOIN recipients r ON r.message_id = messages.id").Where("r.batch_id = ? AND r.message_id > ?", batchID, after).Order("r.message_id")
	}
	var out []Message
	return out, q.Limit(limit).Find(&out).Error
}
