package queue

import "github.com/riverqueue/river"

// ProcessEvent applies one stored Dialpad event.
type ProcessEvent struct {
	TenantID string `json:"tenant_id"`
	EventID  string `json:"event_id" river:"unique"`
}

// Kind implements river.JobArgs.
func (ProcessEvent) Kind() string { return "process_event" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (ProcessEvent) InsertOpts() river.InsertOpts { return once(Prompt) }
