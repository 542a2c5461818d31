package install

import (
	"time"

	"dialpad-texting/app/eligibility"
)

// Status is all that the app page shows, as GET /apps/dialpad/status answers
// it. Times are UTC.
type Status struct {
	PlanOK      bool                 `json:"plan_ok"`
	Installed   bool                 `json:"installed"`
	Connected   bool                 `json:"connected"` // directory and subscriptions are in place
	State       *eligibility.Refusal `json:"state"`
	Role        string               `json:"role"`
	Plan        StatusPlan           `json:"plan"`
	Plans       []StatusPlan         `json:"plans"`
	InstalledBy string               `json:"installed_by,omitempty"`
	Connection  *StatusConnection    `json:"connection"`
	Attempt     *StatusAttempt       `json:"attempt"`
	Settings    StatusSettings       `json:"settings"`
	Queue       StatusQueue          `json:"queue"`
	Warnings    []string             `json:"warnings"` // which schedules will fail if nothing changes, soonest first
	Held        []string             `json:"held"`     // why texts are on hold, each reason once, newest first
	You         StatusYou            `json:"you"`
}

// StatusYou says whether the person who asks may text, and if not why.
type StatusYou struct {
	Able   bool   `json:"able"`
	Email  string `json:"email"`
	Number string `json:"number"` // to text from, for people; "" without one
	Code   string `json:"code"`   // of the refusal; no_number is an account without one
	Reason string `json:"reason"`
}

// StatusPlan is a plan by its key.
type StatusPlan struct {
	Key             string `json:"key"`
	Name            string `json:"name"`
	IncludesDialpad bool   `json:"includes_dialpad"`
}

// StatusConnection is the connection, connected or broken.
type StatusConnection struct {
	Company        string    `json:"company"`
	ConnectedBy    string    `json:"connected_by"`
	ConnectedAt    time.Time `json:"connected_at"`
	State          string    `json:"state"`
	Reason         string    `json:"reason,omitempty"` // why it is broken, for the admin
	RatePerMinute  int       `json:"rate_per_minute"`
	Reserve        int       `json:"reserve"`
	UsedLastMinute int64     `json:"used_last_minute"`
	// Allowed is how many texts a minute may go out now: the rate without
	// the reserve, or what Dialpad was seen to take.
	Allowed        int                 `json:"allowed_per_minute"`
	LearnedRate    *float64            `json:"learned_rate"`  // texts a minute that Dialpad was seen to take, null when it never said it was too much
	LimitedAt      *time.Time          `json:"limited_at"`    // when Dialpad last said it was too much
	LimitedWords   string              `json:"limited_words"` // in its words
	LastEventAt    *time.Time          `json:"last_event_at"`
	LastCheckedAt  *time.Time          `json:"last_checked_at"` // the grant and the subscriptions
	DirectoryAt    *time.Time          `json:"directory_at"`    // the people
	TokenExpiresAt *time.Time          `json:"token_expires_at"`
	Subscriptions  StatusSubscriptions `json:"subscriptions"`
}

// StatusSubscriptions says which events Dialpad sends us, and which it
// refused.
type StatusSubscriptions struct {
	SMS       bool   `json:"sms"`
	ChangeLog bool   `json:"change_log"`
	Note      string `json:"note"`
}

// StatusAttempt is the newest connect attempt of the last ten minutes.
type StatusAttempt struct {
	Step      string    `json:"step"`
	Code      string    `json:"code"`
	Message   string    `json:"message"`
	StartedAt time.Time `json:"started_at"`
}

// StatusQueue counts what waits (texts), what is scheduled and held
// (batches), and the last hour.
type StatusQueue struct {
	Waiting        int64 `json:"waiting"`
	Scheduled      int   `json:"scheduled"`
	Held           int   `json:"held"`
	SentLastHour   int   `json:"sent_last_hour"`
	FailedLastHour int   `json:"failed_last_hour"`
	Uncertain      int   `json:"uncertain"`
}
