package ledger

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm/clause"

	"dialpad-texting/models/database"
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

// Message is one text to one person. Its row is the job: it is durable before
// the request leaves.
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

	Attempt         int
	Fence           int64
	DialpadID       string
	ErrorCode       string // our word, or Dialpad's raw value
	ErrorText       string // the sentence for the person
	MatchedBy       string // "number" when an event was matched by its pair
	CallbackID      string
	TimelinePending bool   // the last change is not in the CRM's timeline yet
	ResentIn        string // the batch that texts this person again

	ClaimedAt  *time.Time
	AnsweredAt *time.Time
	SentAt     *time.Time
	SettledAt  *time.Time
	CreatedAt  time.Time
	UpdatedAt  time.Time
}

// Add stores a page of messages of one batch, once per recipient, and returns
// the ids that are stored: rows that exist already stay as they are. Skipped
// recipients come in the same call. Call it in a transaction.
func (s Messages) Add(ctx context.Context, l Lane, messages []Message) (map[string]bool, error) {
	if len(messages) == 0 {
		return nil, nil
	}
	if err := s.l.Lanes.assignTurns(ctx, l, messages); err != nil {
		return nil, err
	}
	admitted, err := s.addRecipients(ctx, messages)
	if err != nil || len(admitted) == 0 {
		return nil, err
	}
	r := s.l.q(ctx).Clauses(clause.OnConflict{DoNothing: true}).CreateInBatches(&admitted, 200)
	if r.Error != nil {
		return nil, database.Translate(r.Error)
	}
	ids := make([]string, len(admitted))
	for i, m := range admitted {
		ids[i] = m.ID
	}
	if r.RowsAffected == int64(len(admitted)) {
		return setOf(ids), nil
	}
	var have []string
	if err := s.l.q(ctx).Model(&Message{}).Where("tenant_id = ? AND id IN ?", messages[0].TenantID, ids).Pluck("id", &have).Error; err != nil {
		return nil, err
	}
	return setOf(have), nil
}

// Get returns a message of the tenant; a userID restricts it to that user's.
func (s Messages) Get(ctx context.Context, tenantID, userID, id string) (Message, error) {
	var m Message
	q := s.l.q(ctx).Where("tenant_id = ? AND id = ?", tenantID, id)
	if userID != "" {
		q = q.Where("user_id = ?", userID)
	}
	return m, database.Translate(q.Take(&m).Error)
}

// List pages a batch's messages in the order they were prepared, from after
// one's id on. No states means all.
func (s Messages) List(ctx context.Context, tenantID, batchID string, states []string, after string, limit int) ([]Message, error) {
	q := s.l.q(ctx).Where("messages.tenant_id = ?", tenantID)
	if len(states) > 0 {
		q = q.Where("messages.batch_id = ? AND messages.id > ? AND messages.state IN ?", batchID, after, states).Order("messages.id")
	} else {
		q = q.Joins("JOIN recipients r ON r.message_id = messages.id").Where("r.batch_id = ? AND r.message_id > ?", batchID, after).Order("r.message_id")
	}
	var out []Message
	return out, q.Limit(limit).Find(&out).Error
}

// LastDue returns when the last of a batch's waiting texts is due, nil when
// none waits.
func (s Messages) LastDue(ctx context.Context, tenantID, batchID string) (*time.Time, error) {
	var m Message
	err := database.Translate(s.l.q(ctx).Select("due_at").Where("tenant_id = ? AND batch_id = ? AND state = 'waiting'", tenantID, batchID).Order("due_at DESC").Take(&m).Error)
	if errors.Is(err, database.ErrNotFound) {
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

// AcceptedByDialpad tells whether Dialpad answered that it took the text. One
// that only an event confirms has no such answer: it counts as sent since the
// request left.
func (m Message) AcceptedByDialpad() bool {
	switch m.State {
	case Sent, Delivered:
		return true
	case Undelivered:
		return m.SentAt != nil && m.ClaimedAt != nil && m.SentAt.After(*m.ClaimedAt)
	}
	return false
}
