package outbox

import (
	"context"
	"time"

	"dialpad-texting/app/access"
	"dialpad-texting/app/apierror"
	"dialpad-texting/app/audience"
	"dialpad-texting/app/batch"
	"dialpad-texting/app/compose"
	"dialpad-texting/app/walltime"
	"dialpad-texting/models/ledger"
)

// ReceiptView is everything about one message: who asked, what was
// rendered from what, each attempt, each event.
type ReceiptView struct {
	Message  ReceiptMessage `json:"message"`
	Request  ReceiptRequest `json:"request"`
	Attempts []AttemptView  `json:"attempts"`
	Events   []EventView    `json:"events"`
	Timeline []MomentView   `json:"timeline"`
	Wait     *WaitView      `json:"wait"`
}

// ReceiptMessage is the message with what only its receipt shows.
type ReceiptMessage struct {
	MessageView
	From      string `json:"from"`
	BatchID   string `json:"batch_id"`
	Source    string `json:"source"`
	Segments  int    `json:"segments"`
	Encoding  string `json:"encoding"`
	DialpadID string `json:"dialpad_id"`
	MatchedBy string `json:"matched_by"` // how an event found it: "id", "number" or ""
}

// ReceiptRequest is what was asked, by whom.
type ReceiptRequest struct {
	By        PersonView         `json:"by"`
	Sender    string             `json:"sender"` // e-mail whose Dialpad account sends
	Text      string             `json:"text"`   // with its merge fields
	ToField   string             `json:"to_field"`
	ToLabel   string             `json:"to_label"` // of ToField in the CRM, "" where it is not known
	CreatedAt time.Time          `json:"created_at"`
	Schedule  *walltime.Schedule `json:"schedule"`
}

// AttemptView is one request to Dialpad.
type AttemptView struct {
	Attempt    int        `json:"attempt"`
	ClaimedAt  *time.Time `json:"claimed_at"`
	AnsweredAt *time.Time `json:"answered_at"`
	Outcome    string     `json:"outcome"`
	ErrorCode  string     `json:"error_code"`
	ErrorText  string     `json:"error_text"`
}

// EventView is one event of Dialpad about the message.
type EventView struct {
	ReceivedAt time.Time  `json:"received_at"`
	EventAt    *time.Time `json:"event_at"`
	Status     string     `json:"status"`
	Result     string     `json:"result"`
}

// Receipt returns everything about one message.
func (x *Outbox) Receipt(ctx context.Context, a access.Asker, id string) (ReceiptView, error) {
	m, err := x.store.Messages.Get(ctx, a.Tenant.ID, a.VisibleUserID(), id)
	if err != nil {
		return ReceiptView{}, apierror.NotFound(err)
	}
	b, err := x.store.Batches.Get(ctx, a.Tenant.ID, "", m.BatchID)
	if err != nil {
		return ReceiptView{}, apierror.NotFound(err)
	}
	attempts, err := x.store.Messages.Attempts(ctx, a.Tenant.ID, id)
	if err != nil {
		return ReceiptView{}, err
	}
	events, err := x.store.Events.ByMessage(ctx, a.Tenant.ID, id)
	if err != nil {
		return ReceiptView{}, err
	}
	sender, err := x.senderEmail(ctx, m, b)
	if err != nil {
		return ReceiptView{}, err
	}
	v := ReceiptView{Message: receiptMessage(m, b, len(events)), Request: ReceiptRequest{By: PersonView{b.UserID, b.UserName, b.UserEmail},
		Sender: sender, Text: b.Message, ToField: b.ToField, CreatedAt: b.CreatedAt, Schedule: batch.ScheduleOf(b)},
		Attempts: attemptViews(m, attempts), Events: []EventView{}}
	for _, e := range events {
		v.Events = append(v.Events, EventView{e.ReceivedAt, e.EventAt, e.Status, e.Result})
	}
	one := []MessageView{v.Message.MessageView}
	if err := x.fillReplies(ctx, b, one); err != nil {
		return v, err
	}
	v.Message.Replies = one[0].Replies
	v.Timeline = messageTimeline(m, b, v.Attempts, v.Events, v.Message.Replies)
	asking, cancel := context.WithTimeout(ctx, namesTimeout)
	defer cancel()
	v.Request.ToLabel = x.audience.PhoneLabel(asking, a.Tenant, b.Module, b.ToField)
	v.Wait, err = x.receiptWait(ctx, a, b, m)
	return v, err
}

// receiptWait is what a message waits for: by itself, or with all of
// its tenant's texts.
func (x *Outbox) receiptWait(ctx context.Context, a access.Asker, b ledger.Batch, m ledger.Message) (*WaitView, error) {
	if w := x.messageWait(b, m); w != nil || ledger.PublicState(m.State) != ledger.Queued || !batch.IsRunning(b) {
		return w, nil
	}
	rate, err := audience.RateOf(ctx, x.store, a.Tenant)
	return laneWait(rate), err
}

// senderEmail is whose Dialpad account a message goes out from. Each
// message of an automation has a sender of its own.
func (x *Outbox) senderEmail(ctx context.Context, m ledger.Message, b ledger.Batch) (string, error) {
	if b.SenderEmail != "" {
		return b.SenderEmail, nil
	}
	account, err := x.store.Accounts.Get(ctx, m.TenantID, m.SenderID)
	if err == nil && account.Email != "" {
		return account.Email, nil
	}
	if apierror.IgnoreNotFound(err) != nil || m.UserID == "" {
		return "", apierror.IgnoreNotFound(err)
	}
	u, err := x.store.Users.Get(ctx, m.TenantID, m.UserID)
	return u.Email, apierror.IgnoreNotFound(err)
}

func receiptMessage(m ledger.Message, b ledger.Batch, events int) ReceiptMessage {
	matched := m.MatchedBy
	if matched == "" && events > 0 {
		matched = "id"
	}
	return ReceiptMessage{MessageView: ViewMessage(m), From: m.FromNumber, BatchID: m.BatchID, Source: b.Source, Segments: m.Segments,
		Encoding: string(compose.Count(m.Text).Encoding), DialpadID: m.DialpadID, MatchedBy: matched}
}

// attemptViews are the earlier attempts, and the last one, which the
// message's own row has.
func attemptViews(m ledger.Message, earlier []ledger.Attempt) []AttemptView {
	out := []AttemptView{}
	for _, r := range earlier {
		out = append(out, AttemptView{r.Attempt, r.ClaimedAt, r.AnsweredAt, r.Outcome, r.ErrorCode, r.ErrorText})
	}
	last := 0
	if len(earlier) > 0 {
		last = earlier[len(earlier)-1].Attempt
	}
	// One that is queued was claimed, and given back before its request.
	if m.Attempt > last && m.State != ledger.Queued && m.State != ledger.Waiting {
		out = append(out, lastAttempt(m))
	}
	return out
}

// lastAttempt is how the last request ended, not what Dialpad's events
// said of its message later.
func lastAttempt(m ledger.Message) AttemptView {
	v := AttemptView{m.Attempt, m.ClaimedAt, m.AnsweredAt, ledger.PublicState(m.State), m.ErrorCode, m.ErrorText}
	switch {
	case m.MatchedBy == "number":
		v.Outcome, v.ErrorCode, v.ErrorText = ledger.Uncertain, "", "No answer came: it was not known whether Dialpad took the text"
	case m.DialpadID != "":
		v.Outcome, v.ErrorCode, v.ErrorText = ledger.Sent, "", ""
	}
	return v
}
