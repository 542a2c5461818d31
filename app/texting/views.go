package texting

import (
	"context"
	"slices"
	"time"

	"dialpad-texting/app/compose"
	"dialpad-texting/app/market"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// BatchView is a batch as contract section 6 answers it. Counts always add up to their total.
type BatchView struct {
	ID         string         `json:"id"`
	Source     string         `json:"source"`
	State      string         `json:"state"`
	CreatedAt  time.Time      `json:"created_at"`
	SendAt     *time.Time     `json:"send_at"`
	FinishedAt *time.Time     `json:"finished_at"`
	ETA        *time.Time     `json:"eta"`
	Counts     ledger.Counts  `json:"counts"`
	Module     string         `json:"module"`
	By         PersonView     `json:"by"`
	Sender     string         `json:"sender_email"` // whose Dialpad account sends, "" with automations: each of their texts has its own
	To         *RecipientView `json:"to"`           // the one recipient of a one-to-one
	ToField    string         `json:"to_field"`
	Text       string         `json:"text"` // with its merge fields
	Schedule   *Schedule      `json:"schedule"`
	QuietHours *QuietHours    `json:"quiet_hours,omitempty"` // of the tenant, with one batch alone that can be given another time
	MoveQuiet  bool           `json:"move_quiet"`            // what would arrive in them waits for their end
	Late       *Late          `json:"late"`
	Reason     *string        `json:"reason"`               // why it is held or cancelled, or what preparing waits for
	HeldCode   *string        `json:"held_code"`            // Reason in a word, of what is held or was cancelled by itself
	Warning    *string        `json:"warning"`              // why it will fail if nothing changes
	Exclude    []string       `json:"exclude,omitempty"`    // records left out while it waits
	Version    int64          `json:"version"`              // for an edit, which must not undo another
	Resendable *Resendable    `json:"resendable,omitempty"` // of one batch alone
	Workflow   *WorkflowView  `json:"workflow"`
	Timeline   []MomentView   `json:"timeline,omitempty"`
}

// Resendable is how many people of a batch Resend would text again, by state.
type Resendable struct {
	Failed    int `json:"failed"`
	Uncertain int `json:"uncertain"`
}

// PersonView is a CRM user.
type PersonView struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
}

// RecipientView is a person texted.
type RecipientView struct {
	Name    string `json:"name"`
	Deal    string `json:"deal,omitempty"`
	Display string `json:"display"`
}

// WorkflowView is the automation a batch came from.
type WorkflowView struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// MomentView is one thing that happened.
type MomentView struct {
	At    time.Time `json:"at"`
	What  string    `json:"what,omitempty"`
	State string    `json:"state,omitempty"`
	Text  string    `json:"text"`
}

// Late says what to do when the time has passed by more than AfterMinutes: hold, drop or send.
type Late struct {
	AfterMinutes int    `json:"after_minutes"`
	Do           string `json:"do"`
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
	ErrorCode string     `json:"error_code"` // Dialpad's raw value, or our word
	ErrorText string     `json:"error_text"`
	SentAt    *time.Time `json:"sent_at"`
	DueAt     *time.Time `json:"due_at,omitempty"` // what it waits for
}

func messageView(m ledger.Message) MessageView {
	number := numberOf(m)
	var due *time.Time
	if m.State == ledger.Waiting {
		due = m.DueAt
	}
	return MessageView{DueAt: due, ID: m.ID, RecordID: m.RecordID, Name: m.Name, Deal: m.Deal, To: number, Display: display(number), Text: m.Text,
		State: publicState(m.State), ErrorCode: m.ErrorCode, ErrorText: m.ErrorText, SentAt: m.SentAt}
}

// numberOf is a text's number, "" where it was erased.
func numberOf(m ledger.Message) string {
	if m.Erased() {
		return ""
	}
	return m.ToNumber
}

func display(number string) string {
	if number == "" {
		return ""
	}
	return compose.Display(number)
}

// publicState folds the states that only we tell apart.
func publicState(state string) string {
	if state == ledger.Waiting {
		return ledger.Queued
	}
	return state
}

// view describes a batch, with its counts.
func (x *Texting) view(ctx context.Context, a Asker, b ledger.Batch) (BatchView, error) {
	list, err := x.views(ctx, a, []ledger.Batch{b})
	if err != nil {
		return BatchView{}, err
	}
	v := list[0]
	if v.Resendable, err = x.resendable(ctx, b, v.Counts); err != nil {
		return BatchView{}, err
	}
	if v.Timeline = timeline(b); b.StartedAt == nil && v.Schedule != nil {
		v.QuietHours = quietHours(a.Tenant)
	}
	return v, nil
}

func (x *Texting) views(ctx context.Context, a Asker, batches []ledger.Batch) ([]BatchView, error) {
	ids := make([]string, len(batches))
	for i, b := range batches {
		ids[i] = b.ID
	}
	counts, err := x.store.Messages.CountByBatch(ctx, a.Tenant.ID, ids)
	if err != nil {
		return nil, err
	}
	var present pace
	if slices.ContainsFunc(batches, moving) {
		if present, err = x.pace(ctx, a.Tenant); err != nil {
			return nil, err
		}
	}
	out := make([]BatchView, len(batches))
	for i, b := range batches {
		out[i] = x.batchView(b, addUp(b, counts[b.ID]), present)
		if err := x.untilMorning(ctx, b, &out[i]); err != nil {
			return nil, err
		}
	}
	return out, x.fillRecipients(ctx, a, batches, out)
}

// untilMorning puts the end of a batch off until those texts are due that wait for the end of quiet hours.
func (x *Texting) untilMorning(ctx context.Context, b ledger.Batch, v *BatchView) error {
	if v.ETA == nil || !b.MoveQuiet {
		return nil
	}
	last, err := x.store.Messages.LastDue(ctx, b.TenantID, b.ID)
	if last != nil && last.After(*v.ETA) {
		v.ETA = last
	}
	return err
}

func moving(b ledger.Batch) bool {
	return b.State == ledger.BatchPreparing || b.State == ledger.BatchSending
}

// pace is how fast a tenant's texts go at present, and how many wait already; 0 a minute is unlimited.
type pace struct {
	perMinute int
	waiting   int64
}

func (x *Texting) pace(ctx context.Context, t models.Tenant) (pace, error) {
	p := pace{perMinute: t.Allowed()}
	c, err := x.store.Connections.Get(ctx, t.ID)
	if err != nil {
		return p, ignoreNotFound(err)
	}
	l, err := x.store.Lanes.Get(ctx, t.ID, c.CompanyID)
	if err != nil {
		return p, ignoreNotFound(err)
	}
	if learned := int(l.LearnedRate); learned > 0 && (p.perMinute == 0 || learned < p.perMinute) {
		p.perMinute = learned
	}
	p.waiting, err = x.store.Messages.CountQueued(ctx, t.ID, c.CompanyID)
	return p, err
}

// gone is when the last of n texts will have gone.
func (p pace) gone(now time.Time, n int64) time.Time {
	if p.perMinute == 0 {
		return now.UTC()
	}
	return now.Add(time.Duration(n) * time.Minute / time.Duration(p.perMinute)).UTC()
}

// addUp fills in the recipients that have no row yet, and lets all that has not left yet stand where the batch does: its
// rows follow a moment later.
func addUp(b ledger.Batch, c ledger.Counts) ledger.Counts {
	left := c.Queued + c.Held
	if !b.Prepared {
		left += max(0, b.Expected-c.Sum())
	}
	if c.Sum() == 0 { // those left out have no rows either
		c.Skipped += len(b.Excluded)
		left -= len(b.Excluded)
	}
	c.Queued, c.Held = 0, 0
	switch {
	case b.State == ledger.BatchCancelled && b.HeldCode == ledger.HeldExpired:
		c.Failed += left
	case b.State == ledger.BatchCancelled:
		c.Cancelled += left
	case b.State == ledger.BatchHeld:
		c.Held = left
	default:
		c.Queued = left
	}
	c.Total = c.Sum()
	return c
}

func (x *Texting) batchView(b ledger.Batch, c ledger.Counts, p pace) BatchView {
	v := BatchView{ID: b.ID, Source: b.Source, State: b.State, CreatedAt: b.CreatedAt, SendAt: b.SendAt, FinishedAt: b.FinishedAt,
		Counts: c, Module: b.Module, By: PersonView{ID: b.UserID, Name: b.UserName, Email: b.UserEmail}, Sender: b.SenderEmail, ToField: b.ToField, Text: b.Message,
		Reason: optional(firstOf(b.HeldReason, b.PrepareNote)), HeldCode: optional(b.HeldCode), Exclude: b.Excluded, Version: b.Version}
	if !b.Ended() {
		v.Warning = optional(b.Warning)
	}
	if b.LocalTime != "" {
		v.Schedule = &Schedule{Local: b.LocalTime, TimeZone: b.TimeZone, Offset: b.UTCOffset}
		v.Late = &Late{AfterMinutes: b.LateMinutes, Do: b.LateDo}
		v.MoveQuiet = b.MoveQuiet
	}
	if b.Source == ledger.SourceAutomation {
		v.Workflow = &WorkflowView{ID: b.WorkflowID, Name: b.WorkflowName}
	}
	if left := int64(c.Queued + c.Sending); left > 0 && moving(b) {
		from := x.now()
		if b.SendAt != nil && b.SendAt.After(from) {
			from = *b.SendAt
		}
		eta := p.gone(from, max(p.waiting, left))
		v.ETA = &eta
	}
	return v
}

func (x *Texting) onlyRecipient(ctx context.Context, b ledger.Batch) (*RecipientView, error) {
	list, err := x.store.Messages.List(ctx, b.TenantID, b.ID, nil, "", 1)
	if err != nil {
		return nil, err
	}
	if len(list) == 1 {
		return &RecipientView{Name: list[0].Name, Deal: list[0].Deal, Display: display(numberOf(list[0]))}, nil
	}
	return &RecipientView{Display: display(b.ToNumber)}, nil
}

func timeline(b ledger.Batch) []MomentView {
	out := []MomentView{{At: b.CreatedAt, What: "created", Text: "Created by " + firstOf(b.UserName, b.WorkflowName, b.UserEmail)}}
	if b.StartedAt != nil {
		out = append(out, MomentView{At: *b.StartedAt, What: "started", Text: "Started"})
	}
	if b.HeldAt != nil && b.State == ledger.BatchHeld {
		out = append(out, MomentView{At: *b.HeldAt, What: "held", Text: "Held: " + b.HeldReason})
	}
	if b.FinishedAt != nil {
		text := map[string]string{ledger.BatchDone: "Finished", ledger.BatchCancelled: "Cancelled"}[b.State]
		out = append(out, MomentView{At: *b.FinishedAt, What: b.State, Text: text})
	}
	return out
}

// StateView says why somebody may not text, as {code, message, link}.
type StateView struct {
	Code    string       `json:"code"`
	Message string       `json:"message"`
	Link    *market.Link `json:"link"`
	Reason  string       `json:"reason,omitempty"` // a closer sentence, where there is one
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
