package models

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"gorm.io/gorm"
)

// The jobs around the texts. Each is idempotent and may run again after a crash; a text is never a job.
type (
	// FinishConnect reads the directory and makes the subscriptions after a grant was stored: once for each grant, since
	// the job of the one before may still count as running.
	FinishConnect struct {
		TenantID    string `json:"tenant_id" river:"unique"`
		ConnectedAt int64  `json:"connected_at" river:"unique"` // unix milliseconds
	}
	// SyncDirectory reads all Dialpad users of a tenant's company again.
	SyncDirectory struct {
		TenantID string `json:"tenant_id" river:"unique"`
	}
	// ReadStaleAccounts reads the users again that a change-log event named.
	ReadStaleAccounts struct {
		TenantID string `json:"tenant_id" river:"unique"`
	}
	// CheckConnection looks whether the grant and our subscriptions still stand.
	CheckConnection struct {
		TenantID string `json:"tenant_id" river:"unique"`
	}
	// SyncUsers reads the CRM's users.
	SyncUsers struct {
		TenantID string `json:"tenant_id" river:"unique"`
	}
	// ReadOptOuts reads Dialpad's list of numbers that said STOP.
	ReadOptOuts struct {
		TenantID string `json:"tenant_id" river:"unique"`
	}
	// ProcessEvent applies one stored Dialpad event.
	ProcessEvent struct {
		TenantID string `json:"tenant_id"`
		EventID  string `json:"event_id" river:"unique"`
	}
	// TellActivities tells the CRM's timeline what became of a tenant's texts.
	TellActivities struct {
		TenantID string `json:"tenant_id" river:"unique"`
	}
	// TellOptOut tells the CRM that a number opted out or in; the number stays sealed in the queue.
	TellOptOut struct {
		TenantID  string `json:"tenant_id"`
		NumberKey string `json:"number_key"`
		Number    string `json:"number"` // sealed
		OptedOut  bool   `json:"opted_out"`
		Source    string `json:"source"`
		Since     int64  `json:"since"` // unix nanoseconds of the change, which is told under one id until it is heard
	}
	// PrepareBatch resolves a batch's recipients into messages, page by page. Each time that a batch begins to prepare has
	// its own: a job that has just ended still counts as running for a moment, and would keep its twin out.
	PrepareBatch struct {
		TenantID string `json:"tenant_id"`
		BatchID  string `json:"batch_id"`
	}
	// MoveBatch carries a batch's pause, hold, cancel or resume over to its messages. Each of them has its own.
	MoveBatch struct {
		TenantID string `json:"tenant_id"`
		BatchID  string `json:"batch_id"`
	}
	// ExecuteCallback turns an automation call into a message.
	ExecuteCallback struct {
		TenantID   string `json:"tenant_id"`
		CallbackID string `json:"callback_id" river:"unique"`
	}
	// CompleteCallback tells the CRM how an automation's text ended.
	CompleteCallback struct {
		TenantID   string `json:"tenant_id"`
		CallbackID string `json:"callback_id" river:"unique"`
	}
	// CleanGrant deletes our webhook and subscriptions at Dialpad and revokes a grant that was replaced or refused.
	CleanGrant struct {
		TenantID  string `json:"tenant_id"`
		AttemptID string `json:"attempt_id" river:"unique"`
	}
	// RemoveApp deletes what an uninstalled app left at Dialpad, and the grant: of that installation, not of one after it.
	RemoveApp struct {
		TenantID    string `json:"tenant_id" river:"unique"`
		InstalledAt int64  `json:"installed_at" river:"unique"` // unix milliseconds
	}
	// Sweep looks for work that lost its wake-up, expires what is over and forgets what must be forgotten.
	Sweep struct{}
)

func (FinishConnect) Kind() string     { return "finish_connect" }
func (SyncDirectory) Kind() string     { return "sync_directory" }
func (ReadStaleAccounts) Kind() string { return "read_stale_accounts" }
func (CheckConnection) Kind() string   { return "check_connection" }
func (SyncUsers) Kind() string         { return "sync_users" }
func (ReadOptOuts) Kind() string       { return "read_opt_outs" }
func (ProcessEvent) Kind() string      { return "process_event" }
func (TellActivities) Kind() string    { return "tell_activities" }
func (TellOptOut) Kind() string        { return "tell_opt_out" }
func (PrepareBatch) Kind() string      { return "prepare_batch" }
func (MoveBatch) Kind() string         { return "move_batch" }
func (ExecuteCallback) Kind() string   { return "execute_callback" }
func (CompleteCallback) Kind() string  { return "complete_callback" }
func (CleanGrant) Kind() string        { return "clean_grant" }
func (RemoveApp) Kind() string         { return "remove_app" }
func (Sweep) Kind() string             { return "sweep" }

// waitingStates is when a twin of a unique job is left out. River's default also counts completed jobs, for a day.
// Running cannot be left out, so a wake-up can be lost while a job ends: Sweep finds what was left behind.
var waitingStates = []rivertype.JobState{
	rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRunning,
	rivertype.JobStateRetryable, rivertype.JobStateScheduled,
}

// UniqueJob lets a job wait once only.
func UniqueJob(queue string) *river.InsertOpts {
	return &river.InsertOpts{Queue: queue, UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: waitingStates}}
}

// tireless is for a job that no sweep finds again: a week of tries, a minute apart.
func tireless(queue string) river.InsertOpts {
	o := *UniqueJob(queue)
	o.MaxAttempts = 7 * 24 * 60
	return o
}

// Queues of jobs: what a person waits for must not stand behind what only the CRM's timeline waits for.
const (
	QueueSoon   = "soon"
	QueueAction = "action" // a burst of automations must not stand before a person's bulk
	QueueTell   = "tell"
	QueueQuiet  = "quiet"
)

func (FinishConnect) InsertOpts() river.InsertOpts     { return *UniqueJob(QueueSoon) }
func (SyncDirectory) InsertOpts() river.InsertOpts     { return *UniqueJob(QueueQuiet) }
func (ReadStaleAccounts) InsertOpts() river.InsertOpts { return *UniqueJob(QueueSoon) }
func (CheckConnection) InsertOpts() river.InsertOpts   { return *UniqueJob(QueueSoon) } // somebody may be looking
func (SyncUsers) InsertOpts() river.InsertOpts         { return *UniqueJob(QueueQuiet) }
func (ReadOptOuts) InsertOpts() river.InsertOpts       { return *UniqueJob(QueueQuiet) }
func (ProcessEvent) InsertOpts() river.InsertOpts      { return *UniqueJob(QueueSoon) }
func (TellActivities) InsertOpts() river.InsertOpts    { return *UniqueJob(QueueTell) }
func (TellOptOut) InsertOpts() river.InsertOpts        { return river.InsertOpts{Queue: QueueTell} }
func (PrepareBatch) InsertOpts() river.InsertOpts      { return river.InsertOpts{Queue: QueueSoon} }
func (MoveBatch) InsertOpts() river.InsertOpts         { return river.InsertOpts{Queue: QueueSoon} }
func (ExecuteCallback) InsertOpts() river.InsertOpts   { return *UniqueJob(QueueAction) }
func (CompleteCallback) InsertOpts() river.InsertOpts  { return *UniqueJob(QueueTell) }
func (CleanGrant) InsertOpts() river.InsertOpts        { return tireless(QueueQuiet) }
func (RemoveApp) InsertOpts() river.InsertOpts         { return *UniqueJob(QueueSoon) }
func (Sweep) InsertOpts() river.InsertOpts             { return *UniqueJob(QueueQuiet) }

// Enqueue adds jobs in the open transaction, so that a job exists exactly when what it is about does.
func (s *Store) Enqueue(ctx context.Context, jobs ...river.JobArgs) error {
	if len(jobs) == 0 {
		return nil
	}
	if !s.inTx {
		return s.Tx(ctx, func(tx *Store) error { return tx.Enqueue(ctx, jobs...) })
	}
	tx, err := s.sqlTx()
	if err != nil {
		return err
	}
	if len(jobs) == 1 {
		_, err = s.queue.InsertTx(ctx, tx, jobs[0], nil)
		return wrap("enqueue", err)
	}
	params := make([]river.InsertManyParams, len(jobs))
	for i, j := range jobs {
		params[i] = river.InsertManyParams{Args: j}
	}
	_, err = s.queue.InsertManyTx(ctx, tx, params)
	return wrap("enqueue", err)
}

// sqlTx is the *sql.Tx inside GORM's transaction.
func (s *Store) sqlTx() (*sql.Tx, error) {
	switch p := s.raw().(type) {
	case *sql.Tx:
		return p, nil
	case *gorm.PreparedStmtTX:
		if tx, ok := p.Tx.(*sql.Tx); ok {
			return tx, nil
		}
	}
	return nil, errors.New("no open transaction")
}

func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
