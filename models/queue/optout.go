package queue

import "github.com/riverqueue/river"

// ReadOptOuts reads Dialpad's list of opted-out numbers.
type ReadOptOuts struct {
	TenantID string `json:"tenant_id" river:"unique"`
}

// Kind implements river.JobArgs.
func (ReadOptOuts) Kind() string { return "read_opt_outs" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (ReadOptOuts) InsertOpts() river.InsertOpts { return once(Background) }

// SyncOptOut reports to the CRM that a number opted out or in. The number stays
// sealed in the queue.
type SyncOptOut struct {
	TenantID  string `json:"tenant_id"`
	NumberKey string `json:"number_key"`
	Number    string `json:"number"` // sealed
	OptedOut  bool   `json:"opted_out"`
	Source    string `json:"source"`
	// Since is when it changed, in unix nanoseconds: each try reports it under
	// the same id.
	Since int64 `json:"since"`
}

// Kind implements river.JobArgs.
func (SyncOptOut) Kind() string { return "tell_opt_out" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (SyncOptOut) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: Sync} }
