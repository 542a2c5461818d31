package batch

import (
	"time"

	"dialpad-texting/app/apierror"
	"dialpad-texting/models/ledger"
)

// maxUndo is the longest time, in seconds, that a batch waits to be undone.
const maxUndo = 60

// setUndo makes a batch wait for some seconds: its messages are prepared
// and none leaves, so that Cancel still stops all of them. It is no
// schedule, so that the late rule does not apply.
func setUndo(b *ledger.Batch, seconds int, now time.Time) error {
	if seconds == 0 {
		return nil
	}
	if seconds < 0 || seconds > maxUndo || b.Source != ledger.SourceBulk {
		return apierror.Field("undo_seconds", "A bulk can wait up to a minute to be undone.")
	}
	at := now.Add(time.Duration(seconds) * time.Second)
	b.SendAt, b.LateDo = &at, ledger.LateSend
	return nil
}
