package batch

import (
	"time"

	"dialpad-texting/models"
)

// Scheduler does what time brings to batches: it starts scheduled ones,
// warns of those that will fail, and ends what was held too long. Each
// method is one round; loops are the caller's.
type Scheduler struct {
	store       *models.Store
	eligibility Eligibility
	clock       func() time.Time
}

// now is the time in UTC, as it is stored.
func (s *Scheduler) now() time.Time { return s.clock().UTC() }
