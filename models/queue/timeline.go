package queue

import "github.com/riverqueue/river"

// SyncTimeline writes the state of a tenant's messages to the CRM's timeline.
type SyncTimeline struct {
	TenantID string `json:"tenant_id" river:"unique"`
}

// Kind implements river.JobArgs.
func (SyncTimeline) Kind() string { return "tell_activities" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (SyncTimeline) InsertOpts() river.InsertOpts { return once(Sync) }
