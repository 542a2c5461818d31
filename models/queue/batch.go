package queue

import "github.com/riverqueue/river"

// PrepareBatch turns a batch's recipients into messages, page by page. It is not
// unique: a job that has just ended still counts as running for a moment, and
// would keep the next one out.
type PrepareBatch struct {
	TenantID string `json:"tenant_id"`
	BatchID  string `json:"batch_id"`
}

// Kind implements river.JobArgs.
func (PrepareBatch) Kind() string { return "prepare_batch" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (PrepareBatch) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: Prepare} }

// ForecastBatch counts who of a scheduled bulk would be left out if it began
// now.
type ForecastBatch struct {
	TenantID string `json:"tenant_id"`
	BatchID  string `json:"batch_id"`
}

// Kind implements river.JobArgs.
func (ForecastBatch) Kind() string { return "forecast_batch" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (ForecastBatch) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: Prepare} }

// RecordCancelled stores the people of a batch that was cancelled before it
// was prepared.
type RecordCancelled struct {
	TenantID string `json:"tenant_id"`
	BatchID  string `json:"batch_id"`
}

// Kind implements river.JobArgs.
func (RecordCancelled) Kind() string { return "record_cancelled" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (RecordCancelled) InsertOpts() river.InsertOpts { return once(Prepare) }

// ApplyBatchState changes a batch's messages after the batch was paused, held,
// cancelled or resumed. It is not unique, as PrepareBatch.
type ApplyBatchState struct {
	TenantID string `json:"tenant_id"`
	BatchID  string `json:"batch_id"`
}

// Kind implements river.JobArgs.
func (ApplyBatchState) Kind() string { return "move_batch" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (ApplyBatchState) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: Batches} }
