package queue_test

import (
	"testing"

	"github.com/riverqueue/river"

	"dialpad-texting/models/queue"
)

type job interface {
	river.JobArgs
	river.JobArgsWithInsertOpts
}

// TestJobsThatMayHangShareNoQueueWithOthers keeps what calls Dialpad or the CRM
// out of the queues that a person's Resume, or the sweep, waits in.
func TestJobsThatMayHangShareNoQueueWithOthers(t *testing.T) {
	inside := []job{queue.ApplyBatchState{}, queue.Sweep{}}
	outside := []job{queue.FinishConnect{}, queue.CheckConnection{}, queue.CleanGrant{}, queue.RemoveApp{}, queue.SyncDirectory{},
		queue.ReadStaleAccounts{}, queue.SyncUsers{}, queue.PrepareBatch{}, queue.ProcessCallback{}, queue.CompleteCallback{},
		queue.ProcessEvent{}, queue.SyncTimeline{}, queue.SyncWaiting{}, queue.ForecastBatch{}, queue.RecordCancelled{}, queue.ReadOptOuts{}, queue.SyncOptOut{}}
	mayHang := map[string]bool{}
	for _, j := range outside {
		mayHang[j.InsertOpts().Queue] = true
	}
	seen := map[string]string{}
	for _, j := range inside {
		q := j.InsertOpts().Queue
		if mayHang[q] {
			t.Errorf("%s waits in %q behind what may hang", j.Kind(), q)
		}
		if other := seen[q]; other != "" {
			t.Errorf("%s and %s share %q", j.Kind(), other, q)
		}
		seen[q] = j.Kind()
	}
}
