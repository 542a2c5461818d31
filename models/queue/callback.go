package queue

import "github.com/riverqueue/river"

// ProcessCallback turns an automation call into a message.
type ProcessCallback struct {
	TenantID   string `json:"tenant_id"`
	CallbackID string `json:"callback_id" river:"unique"`
}

// Kind implements river.JobArgs.
func (ProcessCallback) Kind() string { return "execute_callback" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (ProcessCallback) InsertOpts() river.InsertOpts { return once(Automation) }

// CompleteCallback reports an automation's outcome to the CRM.
type CompleteCallback struct {
	TenantID   string `json:"tenant_id"`
	CallbackID string `json:"callback_id" river:"unique"`
}

// Kind implements river.JobArgs.
func (CompleteCallback) Kind() string { return "complete_callback" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (CompleteCallback) InsertOpts() river.InsertOpts { return once(Sync) }
