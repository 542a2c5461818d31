package queue

import "github.com/riverqueue/river"

// SyncDirectory reads all Dialpad users of a tenant's company.
type SyncDirectory struct {
	TenantID string `json:"tenant_id" river:"unique"`
}

// Kind implements river.JobArgs.
func (SyncDirectory) Kind() string { return "sync_directory" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (SyncDirectory) InsertOpts() river.InsertOpts { return once(Background) }

// ReadStaleAccounts reads the Dialpad users that a change-log event named.
type ReadStaleAccounts struct {
	TenantID string `json:"tenant_id" river:"unique"`
}

// Kind implements river.JobArgs.
func (ReadStaleAccounts) Kind() string { return "read_stale_accounts" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (ReadStaleAccounts) InsertOpts() river.InsertOpts { return once(Prompt) }

// SyncUsers reads the CRM's users.
type SyncUsers struct {
	TenantID string `json:"tenant_id" river:"unique"`
}

// Kind implements river.JobArgs.
func (SyncUsers) Kind() string { return "sync_users" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (SyncUsers) InsertOpts() river.InsertOpts { return once(Background) }
