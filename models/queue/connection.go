package queue

import "github.com/riverqueue/river"

// FinishConnect reads the directory and makes the subscriptions after a grant was
// stored. It is unique by grant: the job of the one before may still count as
// running.
type FinishConnect struct {
	TenantID    string `json:"tenant_id" river:"unique"`
	ConnectedAt int64  `json:"connected_at" river:"unique"` // unix milliseconds
}

// Kind implements river.JobArgs.
func (FinishConnect) Kind() string { return "finish_connect" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (FinishConnect) InsertOpts() river.InsertOpts { return once(Prompt) }

// CheckConnection checks that the grant and our subscriptions are still valid.
type CheckConnection struct {
	TenantID string `json:"tenant_id" river:"unique"`
}

// Kind implements river.JobArgs.
func (CheckConnection) Kind() string { return "check_connection" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (CheckConnection) InsertOpts() river.InsertOpts {
	return once(Prompt) /* somebody may be waiting */
}

// CleanGrant deletes our webhook and subscriptions at Dialpad and revokes a grant
// that was replaced or refused.
type CleanGrant struct {
	TenantID  string `json:"tenant_id"`
	AttemptID string `json:"attempt_id" river:"unique"`
}

// Kind implements river.JobArgs.
func (CleanGrant) Kind() string { return "clean_grant" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (CleanGrant) InsertOpts() river.InsertOpts { return retryForAWeek(Background) }

// RemoveApp deletes the webhook, subscriptions and grant of an uninstalled
// app, unless it was installed again since.
type RemoveApp struct {
	TenantID    string `json:"tenant_id" river:"unique"`
	InstalledAt int64  `json:"installed_at" river:"unique"` // unix milliseconds
}

// Kind implements river.JobArgs.
func (RemoveApp) Kind() string { return "remove_app" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (RemoveApp) InsertOpts() river.InsertOpts { return once(Prompt) }
