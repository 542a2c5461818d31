// Package queue defines the background jobs around the texts: each job's
// arguments, kind, queue and retry policy. The handlers are in app/jobs, one
// file a job. Each job is idempotent and may run again after a crash; a text is
// never a job.
package queue

import (
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// Queues: what a person waits for must not stand behind what only the CRM's
// timeline waits for.
const (
	Batches    = "batches" // what only reads and writes our own database
	Prepare    = "prepare" // pages of records from the CRM
	Prompt     = "soon"    // Dialpad, and events: it may hang
	Automation = "action"  // a burst of automations must not delay a person's bulk
	Sync       = "tell"    // what is written to the CRM
	Background = "quiet"
	Sweeps     = "sweep" // of an older version
)

// queuedStates are the states in which a job keeps a second one with the same
// arguments out. River's default also counts completed jobs, for a day. Running
// can't be excluded, so a job that is enqueued while an equal one ends is
// lost: the sweep enqueues it again.
var queuedStates = []rivertype.JobState{
	rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRunning,
	rivertype.JobStateRetryable, rivertype.JobStateScheduled,
}

// once enqueues a job only if none with the same unique arguments is queued.
func once(queue string) river.InsertOpts {
	return river.InsertOpts{Queue: queue, UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: queuedStates}}
}

// retryForAWeek is for jobs that the sweep does not enqueue again: a week of
// tries, a minute apart.
func retryForAWeek(queue string) river.InsertOpts {
	o := once(queue)
	o.MaxAttempts = 7 * 24 * 60
	return o
}

// Sweep is a job of an older version: the sweep is a loop of its own now. Its
// kind is kept for jobs that are stored still.
type Sweep struct{}

// Kind implements river.JobArgs.
func (Sweep) Kind() string { return "sweep" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (Sweep) InsertOpts() river.InsertOpts { return once(Sweeps) }
