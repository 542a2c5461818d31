package apptest

import (
	"context"
	"time"

	"dialpad-texting/app/access"
	"dialpad-texting/app/batch"
	"dialpad-texting/app/outbox"
	"dialpad-texting/app/walltime"
	"dialpad-texting/models/ledger"
)

// Hi is a text with a merge field that nobody lacks.
const Hi = "Hi {{Contact.firstName|there}}"

// ConnectMessage is the contract's sentence for a tenant that may not
// text.
const ConnectMessage = "You need an active DialPad connection to use this feature. Click here to connect."

// Text is a request for a text now.
func Text(message string) batch.Request { return batch.Request{Message: message} }

// At is a request for Hi at a time.
func At(local, zone, offset string) batch.Request {
	r := Text(Hi)
	r.Schedule = &walltime.Schedule{Local: local, TimeZone: zone, Offset: offset}
	return r
}

// Later is a request for Hi some time from now, in New York's wall
// time.
func (w *World) Later(d time.Duration) batch.Request {
	w.T.Helper()
	loc, err := time.LoadLocation("America/New_York")
	Must(w.T, err)
	return At(w.Clock.Now().Add(d).In(loc).Format("2006-01-02T15:04"), "America/New_York", "")
}

// MustCreate makes a batch that must not be refused.
func (w *World) MustCreate(a access.Asker, key string, r batch.Request) outbox.BatchView {
	w.T.Helper()
	b, err := w.Create(Ctx, a, key, r)
	Must(w.T, err)
	return w.MustView(b.ID)
}

// MustPrepare makes a batch and prepares it to its end.
func (w *World) MustPrepare(a access.Asker, key string, r batch.Request) outbox.BatchView {
	w.T.Helper()
	v := w.MustCreate(a, key, r)
	_, err := w.Prepare(Ctx, Acme, v.ID)
	Must(w.T, err)
	return w.MustView(v.ID)
}

// MustDo does to a batch what Ana asks for.
func (w *World) MustDo(do func(context.Context, access.Asker, string) (ledger.Batch, error), id string) outbox.BatchView {
	w.T.Helper()
	_, err := do(Ctx, w.Page("ana"), id)
	Must(w.T, err)
	return w.MustView(id)
}

// MustStartDue is one round of the scheduler.
func (w *World) MustStartDue() batch.DueCounts {
	w.T.Helper()
	n, err := w.Scheduler.StartDueAllTenants(Ctx, 100)
	Must(w.T, err)
	return n
}

// MustApplyState applies a batch's state to its messages, as its job
// does.
func (w *World) MustApplyState(id string) int {
	w.T.Helper()
	n, err := w.ApplyState(Ctx, Acme, id)
	Must(w.T, err)
	return n
}

// MustView is a batch as its tenant's admin sees it.
func (w *World) MustView(id string) outbox.BatchView {
	w.T.Helper()
	v, err := w.Batch(Ctx, w.Page("ana"), id)
	Must(w.T, err)
	w.CheckCounts(v)
	return v
}

// ViewOf is what the admin sees of a batch that a call returned.
func (w *World) ViewOf(b ledger.Batch, err error) (outbox.BatchView, error) {
	w.T.Helper()
	if err != nil {
		return outbox.BatchView{}, err
	}
	return w.MustView(b.ID), nil
}

// CheckCounts checks what holds for every batch at every moment.
func (w *World) CheckCounts(v outbox.BatchView) {
	w.T.Helper()
	if v.Counts.Total != v.Counts.Sum() || v.Counts.Total == 0 {
		w.T.Errorf("the counts of %s do not add up: %+v", v.ID, v.Counts)
	}
}

// Row is a batch as stored.
func (w *World) Row(id string) ledger.Batch {
	w.T.Helper()
	b, err := w.DB.Batches.Get(Ctx, Acme, "", id)
	Must(w.T, err)
	return b
}

// Rows are all messages of a batch as stored, in order.
func (w *World) Rows(batch string) []ledger.Message {
	w.T.Helper()
	list, err := w.DB.Messages.List(Ctx, Acme, batch, nil, "", 100_000)
	Must(w.T, err)
	return list
}

// Outcomes are a batch's messages by record: the text, or why there is
// none.
func (w *World) Outcomes(batch string) map[string]string {
	w.T.Helper()
	out := map[string]string{}
	for _, m := range w.Rows(batch) {
		if _, twice := out[m.RecordID]; twice {
			w.T.Errorf("record %s has two rows", m.RecordID)
		}
		out[m.RecordID] = m.Text
		if m.State == ledger.Skipped {
			out[m.RecordID] = m.ErrorCode + ": " + m.ErrorText
		}
	}
	return out
}

// CountBatches counts the tenant's batches.
func (w *World) CountBatches() int {
	w.T.Helper()
	list, err := w.DB.Batches.List(Ctx, Acme, ledger.BatchFilter{}, "", 1000)
	Must(w.T, err)
	return len(list)
}
