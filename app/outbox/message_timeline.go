package outbox

import (
	"cmp"
	"fmt"
	"sort"

	"dialpad-texting/models/ledger"
)

// messageTimeline is a message's life in order of time.
func messageTimeline(m ledger.Message, b ledger.Batch, attempts []AttemptView, events []EventView, answers []Answer) []MomentView {
	out := []MomentView{{At: b.CreatedAt, State: "created", Text: "Asked for by " + cmp.Or(b.UserName, b.UserEmail, b.WorkflowName)},
		checked(m)}
	for _, t := range attempts {
		if t.ClaimedAt != nil {
			out = append(out, MomentView{At: *t.ClaimedAt, State: ledger.Sending,
				Text: fmt.Sprintf("Attempt %d: plan, connection, sender and opt-outs checked", t.Attempt)})
		}
		if t.AnsweredAt != nil {
			out = append(out, MomentView{At: *t.AnsweredAt, State: t.Outcome, Text: answerText(t)})
		}
	}
	for _, e := range events {
		out = append(out, MomentView{At: e.ReceivedAt, State: e.Status, Text: "Dialpad said: " + cmp.Or(e.Result, e.Status)})
	}
	for _, answer := range answers {
		out = append(out, MomentView{At: answer.At, State: replied, Text: "Replied"})
	}
	if m.SettledAt != nil && m.AnsweredAt == nil && (m.Attempt > 0 || m.State != ledger.Failed) {
		out = append(out, MomentView{At: *m.SettledAt, State: m.State, Text: cmp.Or(m.ErrorText, m.State)})
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].At.Before(out[j].At) })
	return out
}

// checked is the outcome for the record: number, opt-outs, merge fields.
func checked(m ledger.Message) MomentView {
	if m.State == ledger.Skipped || m.State == ledger.Failed && m.Attempt == 0 {
		return MomentView{At: m.CreatedAt, State: m.State, Text: "Checked: " + m.ErrorText}
	}
	return MomentView{At: m.CreatedAt, State: ledger.Queued, Text: "Number, opt-outs and merge fields checked; filled in and queued"}
}

func answerText(t AttemptView) string {
	if t.ErrorText != "" {
		return t.ErrorText
	}
	return "Dialpad took the text"
}
