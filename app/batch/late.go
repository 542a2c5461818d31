package batch

import (
	"dialpad-texting/app/apierror"
	"dialpad-texting/models/ledger"
)

// Late is the late rule: what to do when the schedule's time has passed
// by more than AfterMinutes. Do is hold, drop or send.
// ledger.Batch.IsLate and LateStop apply it.
type Late struct {
	AfterMinutes int    `json:"after_minutes"`
	Do           string `json:"do"`
}

const (
	defaultLateMinutes = 60
	maxLateMinutes     = 7 * 24 * 60
)

// setLate sets a batch's late rule; nil leaves it as it is.
func setLate(b *ledger.Batch, l *Late) error {
	if l == nil {
		return nil
	}
	switch l.Do {
	case ledger.LateHold, ledger.LateDrop, ledger.LateSend:
	default:
		return apierror.Field("late.do", "A late text can be held, dropped or sent.")
	}
	if l.AfterMinutes < 1 || l.AfterMinutes > maxLateMinutes {
		return apierror.Field("late.after_minutes", "Late begins between one minute and seven days after the time.")
	}
	b.LateMinutes, b.LateDo = l.AfterMinutes, l.Do
	return nil
}
