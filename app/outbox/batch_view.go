package outbox

import (
	"cmp"
	"context"
	"slices"
	"time"

	"dialpad-texting/app/access"
	"dialpad-texting/app/audience"
	"dialpad-texting/app/batch"
	"dialpad-texting/app/walltime"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// BatchView is a batch as contract section 6 answers it. Counts always
// add up to their total.
type BatchView struct {
	ID         string             `json:"id"`
	Source     string             `json:"source"`
	State      string             `json:"state"`
	CreatedAt  time.Time          `json:"created_at"`
	SendAt     *time.Time         `json:"send_at"`
	FinishedAt *time.Time         `json:"finished_at"`
	ETA        *time.Time         `json:"eta"`
	Counts     ledger.Counts      `json:"counts"`
	Replied    int64              `json:"replied"` // people who answered
	Answers    int64              `json:"answers"` // their texts
	Module     string             `json:"module"`
	By         PersonView         `json:"by"`
	Sender     string             `json:"sender_email"` // whose Dialpad account sends, "" with automations: each text has its own
	To         *RecipientView     `json:"to"`           // the one recipient of a one-to-one
	ToField    string             `json:"to_field"`
	ElseField  string             `json:"else_field"` // where to_field has no usable number
	Text       string             `json:"text"`       // with its merge fields
	Schedule   *walltime.Schedule `json:"schedule"`
	QuietHours *models.QuietHours `json:"quiet_hours,omitempty"` // of one batch alone that can be given another time
	MoveQuiet  bool               `json:"move_quiet"`            // what would arrive in quiet hours waits for their end
	Late       *batch.Late        `json:"late"`
	Reason     *string            `json:"reason"`               // why it is held or cancelled, or what preparing waits for
	HeldCode   *string            `json:"held_code"`            // of what is held, or was cancelled by the app
	Warning    *string            `json:"warning"`              // why it will fail if nothing changes
	Exclude    []string           `json:"exclude,omitempty"`    // records that an edit left out
	Version    int64              `json:"version"`              // for an edit, which must not undo another
	Resendable *batch.Resendable  `json:"resendable,omitempty"` // of one batch alone
	Workflow   *WorkflowView      `json:"workflow"`
	Resumable  bool               `json:"resumable"` // it is held, and the tenant may text now
	Wait       *WaitView          `json:"wait"`      // what its texts wait for while it is under way
	Timeline   []MomentView       `json:"timeline,omitempty"`
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
	At     time.Time  `json:"at"`
	What   string     `json:"what,omitempty"`
	State  string     `json:"state,omitempty"`
	Text   string     `json:"text"`
	By     string     `json:"by,omitempty"`
	Reason string     `json:"reason,omitempty"`
	SendAt *time.Time `json:"send_at,omitempty"`
}

// views describes batches, with their figures and names.
func (x *Outbox) views(ctx context.Context, a access.Asker, batches []ledger.Batch) ([]BatchView, error) {
	ids := make([]string, len(batches))
	for i, b := range batches {
		ids[i] = b.ID
	}
	counts, err := x.store.Counters.ByBatch(ctx, a.Tenant.ID, ids)
	if err != nil {
		return nil, err
	}
	replied, err := x.store.Replies.CountByBatch(ctx, a.Tenant.ID, ids)
	if err != nil {
		return nil, err
	}
	var rate audience.SendRate
	if slices.ContainsFunc(batches, batch.IsRunning) {
		if rate, err = audience.RateOf(ctx, x.store, a.Tenant); err != nil {
			return nil, err
		}
	}
	able := false
	if slices.ContainsFunc(batches, isHeld) {
		if able, err = x.batches.Held.MayText(ctx, a.Tenant.ID); err != nil {
			return nil, err
		}
	}
	out := make([]BatchView, len(batches))
	for i, b := range batches {
		out[i] = batchView(b)
		out[i].Resumable = able && isHeld(b)
		out[i].Counts, out[i].Replied, out[i].Answers = totals(b, counts[b.ID]), replied[b.ID].People, replied[b.ID].Texts
		if out[i].ETA, err = x.eta(ctx, b, out[i].Counts, rate); err != nil {
			return nil, err
		}
	}
	if err := x.fillRecipients(ctx, a, batches, out); err != nil {
		return nil, err
	}
	for i, b := range batches {
		if out[i].Wait == nil && batch.IsRunning(b) && out[i].Counts.Queued > 0 {
			out[i].Wait = laneWait(rate)
		}
		if v := &out[i]; v.Wait != nil && v.ETA != nil && v.ETA.Before(v.Wait.Until) {
			v.ETA = &v.Wait.Until
		}
	}
	return out, nil
}

func isHeld(b ledger.Batch) bool { return b.State == ledger.BatchHeld }

// batchView is what a batch's row alone says.
func batchView(b ledger.Batch) BatchView {
	v := BatchView{ID: b.ID, Source: b.Source, State: b.State, CreatedAt: b.CreatedAt, SendAt: b.SendAt, FinishedAt: b.FinishedAt,
		Module: b.Module, By: PersonView{ID: b.UserID, Name: b.UserName, Email: b.UserEmail}, Sender: b.SenderEmail,
		ToField: b.ToField, ElseField: b.ElseField, Text: b.Message,
		Reason: optional(cmp.Or(b.HeldReason, b.PrepareNote)), HeldCode: optional(b.HeldCode), MoveQuiet: b.DeferInQuietHours, Exclude: b.Excluded, Version: b.Version}
	if !b.Ended() {
		v.Warning = optional(b.Warning)
	}
	if v.Schedule = batch.ScheduleOf(b); v.Schedule != nil {
		v.Late = &batch.Late{AfterMinutes: b.LateMinutes, Do: b.LateDo}
	}
	if b.Source == ledger.SourceAutomation {
		v.Workflow = &WorkflowView{ID: b.WorkflowID, Name: b.WorkflowName}
	}
	return v
}

// optional is nil for "".
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
