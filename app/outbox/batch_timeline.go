package outbox

import (
	"cmp"
	"slices"
	"time"

	"dialpad-texting/app/batch"
	"dialpad-texting/models/ledger"
)

// momentTexts are the sentences of what happened to a batch; a reason
// follows after a colon.
var momentTexts = map[string]string{
	ledger.MomentScheduled: "Scheduled", ledger.MomentRescheduled: "Rescheduled", ledger.MomentEdited: "Edited",
	ledger.MomentHeld: "Held", ledger.MomentPaused: "Paused", ledger.MomentResumed: "Resumed", ledger.MomentCancelled: "Cancelled",
}

// batchTimeline is what happened to a batch, oldest first.
func batchTimeline(b ledger.Batch, c ledger.Counts, now time.Time) []MomentView {
	by := cmp.Or(b.UserName, b.WorkflowName, b.UserEmail)
	out := []MomentView{{At: b.CreatedAt, What: "created", Text: "Created by " + by, By: by}}
	moments := b.Moments()
	for _, m := range moments {
		out = append(out, momentView(m))
	}
	out = append(out, startMoments(b, c, now)...)
	if len(moments) == 0 { // made before there was a history
		out = append(out, undatedMoments(b)...)
	}
	if b.FinishedAt != nil && b.State == ledger.BatchDone {
		out = append(out, MomentView{At: *b.FinishedAt, What: ledger.BatchDone, Text: "Finished"})
	}
	slices.SortStableFunc(out[1:], func(x, y MomentView) int { return x.At.Compare(y.At) })
	return out
}

func momentView(m ledger.Moment) MomentView {
	v := MomentView{At: m.At, What: m.What, Text: momentTexts[m.What], By: m.By, Reason: m.Reason, SendAt: m.SendAt}
	if m.SendAt != nil {
		v.Text += " for " + m.SendAt.Format(time.RFC3339)
	}
	if m.By != "" {
		v.Text += " by " + m.By
	}
	if m.Reason != "" {
		v.Text += ": " + m.Reason
	}
	return v
}

// startMoments are when a batch was prepared and when its first text
// could leave: a scheduled one is prepared some minutes before.
func startMoments(b ledger.Batch, c ledger.Counts, now time.Time) []MomentView {
	if b.StartedAt == nil {
		return nil
	}
	started := MomentView{At: *b.StartedAt, What: "started", Text: "Started"}
	if b.SendAt == nil || !b.SendAt.After(*b.StartedAt) {
		return []MomentView{started}
	}
	out := []MomentView{{At: *b.StartedAt, What: "prepared", Text: "Made ready"}}
	left := c.Sending + c.Sent + c.Delivered + c.Undelivered + c.Failed + c.Uncertain
	if started.At = *b.SendAt; !started.At.After(now) && (left > 0 || batch.IsRunning(b)) {
		out = append(out, started)
	}
	return out
}

// undatedMoments are what the columns say of a batch without a history.
func undatedMoments(b ledger.Batch) (out []MomentView) {
	if b.HeldAt != nil && b.State == ledger.BatchHeld {
		out = append(out, momentView(ledger.Moment{At: *b.HeldAt, What: ledger.MomentHeld, Reason: b.HeldReason}))
	}
	if b.FinishedAt != nil && b.State == ledger.BatchCancelled {
		out = append(out, momentView(ledger.Moment{At: *b.FinishedAt, What: ledger.MomentCancelled, Reason: b.HeldReason}))
	}
	return out
}
