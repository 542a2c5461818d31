package queue

import "github.com/riverqueue/river"

// SyncTimeline is a job of an older version: the timeline is written in rounds
// now. Its kind is kept for jobs that are stored still.
type SyncTimeline struct {
	TenantID string `json:"tenant_id" river:"unique"`
}

// Kind implements river.JobArgs.
func (SyncTimeline) Kind() string { return "tell_activities" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (SyncTimeline) InsertOpts() river.InsertOpts { return once(Sync) }

// SyncWaiting writes to the CRM's timeline that a text without a message yet
// was put on hold, and what became of it then. It is not unique, as
// PrepareBatch.
type SyncWaiting struct {
	TenantID string `json:"tenant_id"`
	BatchID  string `json:"batch_id"`
}

// Kind implements river.JobArgs.
func (SyncWaiting) Kind() string { return "sync_waiting" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (SyncWaiting) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: Sync} }
