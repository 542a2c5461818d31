package outbox

import (
	"context"
	"slices"
	"strings"
	"time"

	"dialpad-texting/app/access"
	"dialpad-texting/app/apierror"
	"dialpad-texting/app/compose"
	"dialpad-texting/internal/text"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// MessagesView is one page of a batch's messages.
type MessagesView struct {
	Messages []MessageView `json:"messages"`
	Next     *string       `json:"next"`
}

// MessageView is a message as contract section 6 answers it.
type MessageView struct {
	ID        string     `json:"id"`
	RecordID  string     `json:"record_id"`
	Name      string     `json:"name"`
	Deal      string     `json:"deal,omitempty"` // the title of the deal that names the person
	To        string     `json:"to"`
	Display   string     `json:"display"`
	Text      string     `json:"text"`
	State     string     `json:"state"`
	ErrorCode string     `json:"error_code"` // Dialpad's raw value, or ours
	ErrorText string     `json:"error_text"`
	SentAt    *time.Time `json:"sent_at"`
	Replies   []Answer   `json:"replies,omitempty"`
	DueAt     *time.Time `json:"due_at,omitempty"` // of one that waits for its time
}

// Answer is what a person wrote back.
type Answer struct {
	At      time.Time `json:"at"`
	Text    *string   `json:"text"` // null where Dialpad gives no content
	Picture bool      `json:"picture"`
}

const messagesPage = 100

// replied selects the messages that were answered.
const replied = "replied"

// Messages pages a batch's messages; state "" is all, "replied" those that
// were answered, and q selects by name or number. A scheduled bulk has none
// yet: Messages answers with its forecast.
func (x *Outbox) Messages(ctx context.Context, a access.Asker, id, state, q, cursor string) (MessagesView, error) {
	b, err := x.store.Batches.Get(ctx, a.Tenant.ID, a.VisibleUserID(), id)
	if err != nil {
		return MessagesView{}, apierror.NotFound(err)
	}
	stored, err := storedStates(state)
	if err != nil {
		return MessagesView{}, err
	}
	if b.State == ledger.BatchScheduled && b.Source == ledger.SourceBulk {
		return x.forecast(ctx, a, b, state, q, cursor)
	}
	var list []ledger.Message
	var next string
	if state == replied {
		list, next, err = answered(ctx, x.store, a.Tenant.ID, id, cursor)
	} else {
		list, next, err = x.listMessages(ctx, a.Tenant.ID, id, stored, q, cursor)
	}
	if err != nil {
		return MessagesView{}, err
	}
	v := MessagesView{Messages: []MessageView{}, Next: optional(next)}
	for _, m := range list {
		v.Messages = append(v.Messages, ViewMessage(m))
	}
	return v, x.fillReplies(ctx, b, v.Messages)
}

// answered reads one page of the messages that were answered, and after which
// id the next one goes on.
func answered(ctx context.Context, store *models.Store, tenantID, id, after string) ([]ledger.Message, string, error) {
	ids, err := store.Replies.Answered(ctx, tenantID, id, after, messagesPage+1)
	if err != nil || len(ids) == 0 {
		return nil, "", err
	}
	next := ""
	if len(ids) > messagesPage {
		ids, next = ids[:messagesPage], ids[messagesPage-1]
	}
	list, err := store.Messages.ByIDs(ctx, tenantID, ids)
	return list, next, err
}

// maxReplies bounds how many answers a page of messages has.
const maxReplies = 1000

// fillReplies adds what was answered to messages of a batch.
func (x *Outbox) fillReplies(ctx context.Context, b ledger.Batch, messages []MessageView) error {
	ids := make([]string, len(messages))
	for i, m := range messages {
		ids[i] = m.ID
	}
	list, err := x.store.Replies.ByMessages(ctx, b.TenantID, b.ID, ids, maxReplies)
	for _, r := range list {
		if i := slices.Index(ids, r.MessageID); i >= 0 {
			messages[i].Replies = append(messages[i].Replies, Answer{At: r.WrittenAt, Text: optional(r.Body), Picture: r.Picture})
		}
	}
	return err
}

// listMessages reads one page of messages, and after which id the next one goes
// on.
func (x *Outbox) listMessages(ctx context.Context, tenantID, id string, states []string, q, after string) ([]ledger.Message, string, error) {
	if !text.IsBlank(q) {
		return x.store.Messages.Search(ctx, tenantID, id, states, q, after, messagesPage)
	}
	list, err := x.store.Messages.List(ctx, tenantID, id, states, after, messagesPage+1)
	if len(list) <= messagesPage {
		return list, "", err
	}
	return list[:messagesPage], list[messagesPage-1].ID, err
}

// maxSearchedPages bounds how many of the CRM's pages one answer of a
// search among the people of a scheduled bulk reads.
const maxSearchedPages = 10

// forecast pages who would get a scheduled bulk if it began now. Its
// messages have no ids; an edit excludes people by their record.
func (x *Outbox) forecast(ctx context.Context, a access.Asker, b ledger.Batch, state, q, cursor string) (v MessagesView, err error) {
	for range maxSearchedPages {
		if v, err = x.forecastPage(ctx, a, b, state, q, cursor); err != nil || len(v.Messages) > 0 || v.Next == nil || text.IsBlank(q) {
			break
		}
		cursor = *v.Next
	}
	return v, err
}

func (x *Outbox) forecastPage(ctx context.Context, a access.Asker, b ledger.Batch, state, q, cursor string) (MessagesView, error) {
	p, err := x.audience.Forecast(ctx, a.Tenant, b, cursor)
	if err != nil {
		return MessagesView{}, err
	}
	v := MessagesView{Messages: []MessageView{}, Next: optional(p.Next)}
	folded, digits := text.Fold(q), ledger.SearchedDigits(q)
	for _, r := range p.Recipients {
		if !strings.Contains(text.Fold(r.Name), folded) && (digits == "" || !strings.Contains(r.Number, digits)) {
			continue
		}
		m := MessageView{RecordID: r.RecordID, Name: r.Name, Deal: r.Deal, To: r.Number, Display: compose.Display(r.Number),
			Text: r.Text, State: ledger.Queued}
		if r.Code != "" {
			m.State, m.ErrorCode, m.ErrorText, m.Text = ledger.Skipped, r.Code, r.Reason, ""
		}
		if state == "" || state == m.State {
			v.Messages = append(v.Messages, m)
		}
	}
	return v, nil
}

// storedStates are the stored states of a state as people see it; nil
// is all.
func storedStates(state string) ([]string, error) {
	switch state {
	case "":
		return nil, nil
	case replied:
		return nil, nil
	case ledger.Queued:
		return []string{ledger.Queued, ledger.Waiting}, nil
	}
	known := []string{ledger.Sending, ledger.Sent, ledger.Delivered, ledger.Undelivered, ledger.Failed, ledger.Uncertain,
		ledger.Held, ledger.Cancelled, ledger.Skipped}
	if !slices.Contains(known, state) {
		return nil, apierror.Field("state", "There is no such state.")
	}
	return []string{state}, nil
}

// ViewMessage describes a message.
func ViewMessage(m ledger.Message) MessageView {
	number := numberOf(m)
	var due *time.Time
	if m.State == ledger.Waiting {
		due = m.DueAt
	}
	return MessageView{DueAt: due, ID: m.ID, RecordID: m.RecordID, Name: m.Name, Deal: m.Deal, To: number,
		Display: compose.Display(number), Text: m.Text, State: ledger.PublicState(m.State), ErrorCode: m.ErrorCode, ErrorText: m.ErrorText, SentAt: m.SentAt}
}

// numberOf is a message's number, "" where it was erased.
func numberOf(m ledger.Message) string {
	if m.Erased() {
		return ""
	}
	return m.ToNumber
}
