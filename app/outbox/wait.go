package outbox

import (
	"time"

	"dialpad-texting/app/audience"
	"dialpad-texting/app/batch"
	"dialpad-texting/app/eligibility"
	"dialpad-texting/models/ledger"
)

// WaitView is what a text that is under way waits for, and until when.
type WaitView struct {
	Code   string    `json:"code"`
	Reason string    `json:"reason"`
	Until  time.Time `json:"until"`
}

// waitReasons are the sentences by the code of a waiting message.
var waitReasons = map[string]string{
	ledger.CodeRateLimited:      "Dialpad asks us to wait",
	eligibility.CodeUnreachable: "Dialpad is not answering",
	ledger.CodeQuiet:            "It is outside texting hours there",
}

// laneWait is what all texts of a tenant wait for, nil for nothing but
// their turn.
func laneWait(rate audience.SendRate) *WaitView {
	if rate.LimitedUntil == nil {
		return nil
	}
	return &WaitView{Code: ledger.CodeRateLimited, Reason: waitReasons[ledger.CodeRateLimited], Until: rate.LimitedUntil.UTC()}
}

// messageWait is what one message waits for by itself, nil for nothing.
func (x *Outbox) messageWait(b ledger.Batch, m ledger.Message) *WaitView {
	reason := waitReasons[m.ErrorCode]
	if m.State != ledger.Waiting || m.DueAt == nil || reason == "" || !batch.IsRunning(b) || !m.DueAt.After(x.now()) {
		return nil
	}
	return &WaitView{Code: m.ErrorCode, Reason: reason, Until: m.DueAt.UTC()}
}
