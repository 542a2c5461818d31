package ledger

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"dialpad-texting/models/database"
)

// Moment is something that happened to a batch. It holds nothing of its
// recipients, so that an erasure leaves it.
type Moment struct {
	At     time.Time  `json:"at"`
	What   string     `json:"what"`
	By     string     `json:"by,omitempty"`      // name of the CRM user, "" for the app itself
	Reason string     `json:"reason,omitempty"`  // for people
	SendAt *time.Time `json:"send_at,omitempty"` // of MomentScheduled and MomentRescheduled
}

// Values of Moment.What.
const (
	MomentScheduled   = "scheduled"
	MomentRescheduled = "rescheduled"
	MomentEdited      = "edited"
	MomentHeld        = "held"
	MomentPaused      = "paused"
	MomentResumed     = "resumed"
	MomentCancelled   = "cancelled"
)

// maxHistory bounds the stored history of a batch, in bytes. What would
// exceed it is not stored.
const maxHistory = 16_000

// Happened is the value of the column history that adds a moment, for
// the statement that changes the batch.
func Happened(m Moment) any {
	return gorm.Expr("CASE WHEN length(history) < ? THEN history || ? ELSE history END", maxHistory, m.line())
}

// HistoryOf is the history of a batch that is created.
func HistoryOf(m Moment) string { return m.line() }

func (m Moment) line() string {
	m.At = m.At.UTC()
	return database.JSON(m) + "\n"
}

// WasHeld reports whether a batch ever was put on hold.
func (b Batch) WasHeld() bool {
	return slices.ContainsFunc(b.Moments(), func(m Moment) bool { return m.What == MomentHeld })
}

// Moments returns what is stored of a batch's history, oldest first.
func (b Batch) Moments() (out []Moment) {
	for line := range strings.Lines(b.History) {
		var m Moment
		if err := json.Unmarshal([]byte(line), &m); err == nil {
			out = append(out, m)
		}
	}
	return out
}
