package ledger

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"gorm.io/gorm/clause"

	"dialpad-texting/models/database"
)

// Message states. They only move forward.
//
//	waiting ─due→ queued ─claim→ sending ─2xx→ sent ─event→ delivered | undelivered
//	                 │              ├─ refused → failed
//	                 │              ├─ not accepted, may be retried → waiting
//	                 │              ├─ no response, or the worker died → uncertain ─event or late response→ sent | …
//	                 │              ├─ the worker died before the request → queued
//	                 ├─ cancelled   └─ no plan, app or connection → held
//	skipped: excluded before it was queued
const (
	Waiting     = "waiting" // queued at DueAt; shown to people as queued
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

// PublicState returns a state as people and the CRM see it: waiting is
// queued to them.
func PublicState(state string) string {
	if state == Waiting {
		return Queued
	}
	return state
}

// CodeCancelled is the ErrorCode of a message cancelled with its batch.
const CodeCancelled = "cancelled"

// UnknownOutcome is the ErrorText of an uncertain message.
const UnknownOutcome = "Outcome unknown: check Dialpad before sending again"

// Message is one text to one recipient. Its row is the job to send it.
type Message struct {
	ID         string `gorm:"primaryKey"`
	TenantID   string
	BatchID    string
	LaneID     string
	Class      int
	Turn       int64
	UserID     string
	SenderID   string // id of the Dialpad account
	Module     string
	RecordID   string
	ContactID  string
	DealID     string
	Name       string
	SearchName string // Name as text.Fold returns it; "" with older ones of bulks
	Deal       string // title of the deal whose person is texted, "" for none
	ToNumber   string // E.164
	ToKey      string // keyed hash of ToNumber
	FromNumber string // E.164, the sender's number at the claim
	Text       string // with merge fields filled in
	Segments   int
	State      string
	DueAt      *time.Time
	QuietZone  string     // recipient's time zone, "" if quiet hours do not apply
	QuietAt    *time.Time // when the recipient's next quiet hours begin: not claimed from then

	Attempt         int
	Fence           int64
	Posted          *bool // while sending: whether its request may have begun
	DialpadID       string
	ErrorCode       string // ours, or Dialpad's as it sent it
	ErrorText       string // for people
	PreviousState   string // before State, for the figures
	MatchedBy       string // "number" if an event was matched by the two numbers
	CallbackID      string // of an automation's message
	TimelinePending bool   // the last change is not in the CRM's timeline yet
	ResentIn        string // batch that texts this recipient again

	ClaimedAt  *time.Time
	AnsweredAt *time.Time
	SentAt     *time.Time
	SettledAt  *time.Time
	CreatedAt  time.Time
	UpdatedAt  time.Time
}

// Add stores messages of one batch, once per recipient and per number,
// and returns the ids of those that are stored now or were before.
// Stored rows are not changed. Call it in a transaction.
func (s Messages) Add(ctx context.Context, l Lane, messages []Message) (map[string]bool, error) {
	if len(messages) == 0 {
		return nil, nil
	}
	if err := s.l.Lanes.assignTurns(ctx, l, messages); err != nil {
		return nil, err
	}
	admitted, allNew, err := s.addRecipients(ctx, messages)
	if err != nil || len(admitted) == 0 {
		return nil, err
	}
	before := map[string]bool{}
	if !allNew {
		if before, err = s.stored(ctx, admitted); err != nil {
			return nil, err
		}
	}
	r := s.l.q(ctx).Clauses(clause.OnConflict{DoNothing: true}).CreateInBatches(&admitted, 200)
	if r.Error != nil {
		return nil, database.Translate(r.Error)
	}
	stored := setOf(idsOfMessages(admitted))
	if r.RowsAffected < int64(len(admitted)) {
		if stored, err = s.stored(ctx, admitted); err != nil {
			return nil, err
		}
	}
	return stored, s.l.Counters.countAdded(ctx, slices.DeleteFunc(admitted, func(m Message) bool { return before[m.ID] || !stored[m.ID] }))
}

// stored returns the ids of those of the messages that are stored.
func (s Messages) stored(ctx context.Context, messages []Message) (map[string]bool, error) {
	var ids []string
	err := s.l.q(ctx).Model(&Message{}).Where("tenant_id = ? AND id IN ?", messages[0].TenantID, idsOfMessages(messages)).Pluck("id", &ids).Error
	return setOf(ids), err
}

func idsOfMessages(messages []Message) []string {
	ids := make([]string, len(messages))
	for i, m := range messages {
		ids[i] = m.ID
	}
	return ids
}

// Get returns a message, or ErrNotFound. A userID other than ""
// restricts it to that user's.
func (s Messages) Get(ctx context.Context, tenantID, userID, id string) (Message, error) {
	var m Message
	q := ofUser(s.l.q(ctx).Where("tenant_id = ? AND id = ?", tenantID, id), userID)
	return m, database.Translate(q.Take(&m).Error)
}

// List pages a batch's messages in the given states, or in all for
// none, in the order of preparing. after is the id of the last message
// of the page before, "" for the first page.
func (s Messages) List(ctx context.Context, tenantID, batchID string, states []string, after string, limit int) ([]Message, error) {
	if len(states) > 0 {
		return s.listByState(ctx, tenantID, batchID, states, after, limit)
	}
	var out []Message
	return out, s.l.q(ctx).Joins("JOIN recipients r ON r.message_id = messages.id").
		Where("messages.tenant_id = ? AND r.batch_id = ? AND r.message_id > ?", tenantID, batchID, after).
		Order("r.message_id").Limit(limit).Find(&out).Error
}

// listByState reads a page of each state, in the order of the index, and
// merges them.
func (s Messages) listByState(ctx context.Context, tenantID, batchID string, states []string, after string, limit int) (out []Message, err error) {
	for _, state := range states {
		var page []Message
		if err := s.l.q(ctx).Where("tenant_id = ? AND batch_id = ? AND state = ? AND id > ?", tenantID, batchID, state, after).
			Order("id").Limit(limit).Find(&page).Error; err != nil {
			return nil, err
		}
		out = append(out, page...)
	}
	slices.SortFunc(out, func(a, b Message) int { return cmp.Compare(a.ID, b.ID) })
	return out[:min(limit, len(out))], nil
}

// OneToOnes returns the message of each of the one-to-one batches, by
// batch id; a batch that is not prepared has none. These are two queries: in
// one, Postgres would expect many and read all messages.
func (s Messages) OneToOnes(ctx context.Context, tenantID string, batchIDs []string) (map[string]Message, error) {
	var ids []string
	if err := s.l.q(ctx).Model(&Recipient{}).Where("tenant_id = ? AND batch_id IN ?", tenantID, batchIDs).Pluck("message_id", &ids).Error; err != nil || len(ids) == 0 {
		return nil, err
	}
	var list []Message
	err := s.l.q(ctx).Where("tenant_id = ? AND id IN ?", tenantID, ids).Find(&list).Error
	out := make(map[string]Message, len(list))
	for _, m := range list {
		out[m.BatchID] = m
	}
	return out, err
}

// LastDue returns when the last waiting message of a batch is due, nil
// for none.
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

// AcceptedByDialpad reports whether Dialpad accepted the text. For an
// undelivered one that is known only if there was a response: without
// one, SentAt equals ClaimedAt.
func (m Message) AcceptedByDialpad() bool {
	switch m.State {
	case Sent, Delivered:
		return true
	case Undelivered:
		return m.SentAt != nil && m.ClaimedAt != nil && m.SentAt.After(*m.ClaimedAt)
	}
	return false
}

// ByIDs returns a tenant's messages with some ids, in the order of the ids.
func (s Messages) ByIDs(ctx context.Context, tenantID string, ids []string) ([]Message, error) {
	var out []Message
	return out, s.l.q(ctx).Where("tenant_id = ? AND id IN ?", tenantID, ids).Order("id").Find(&out).Error
}

// LastSentTo returns the message that Dialpad last accepted for a number,
// by its keyed hashes, not before since; or ErrNotFound.
func (s Messages) LastSentTo(ctx context.Context, tenantID string, numberKeys []string, since time.Time) (Message, error) {
	var m Message
	return m, database.Translate(s.l.q(ctx).Where("tenant_id = ? AND id IN (?) AND state IN ? AND sent_at >= ?", tenantID,
		s.idsByRecipient(ctx, tenantID, "number_key IN ? AND number_key <> ''", numberKeys), []string{Sent, Delivered}, since.UTC()).Order("sent_at DESC").Take(&m).Error)
}
