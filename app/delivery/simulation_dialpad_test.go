package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// answer posts one of a worker's texts, or settles one that is posted.
func (w *simulation) answer(d *simWorker) {
	if len(d.flights) == 0 {
		w.claim(d)
		return
	}
	i := w.r.IntN(len(d.flights))
	f := d.flights[i]
	if !f.posted {
		w.post(d, f)
		return
	}
	_, err := w.db.Settle(context.Background(), []ledger.Outcome{f.answer})
	w.must(err)
	if w.r.IntN(10) == 0 { // the database's answer was lost, so the settler retries
		_, err = w.db.Settle(context.Background(), []ledger.Outcome{f.answer})
		w.must(err)
	}
	w.logf("%s settles %s as %s", d.name, f.ID[24:], f.answer.State)
	w.texts[f.ID].open = f.answer.State == ledger.Uncertain
	d.flights = slices.Delete(d.flights, i, i+1)
	if w.r.IntN(2) == 0 {
		w.must(w.db.Batches.Finish(context.Background(), []string{f.BatchID}))
	}
}

// post is Dialpad: it accepts the text or not, and its answer arrives or not.
func (w *simulation) post(d *simWorker, f *flight) {
	t := w.texts[f.ID]
	f.posted, f.answer = true, ledger.Outcome{ID: f.ID, Attempt: f.Attempt}
	if !w.mark(d, f) {
		return
	}
	if t.onWire > 0 {
		w.failf("text %s goes onto the wire again", f.ID)
	}
	kind := w.r.IntN(10)
	switch {
	case kind == 0: // 429: not accepted
		due := w.clock.Now().Add(time.Duration(w.r.IntN(5000)) * time.Millisecond)
		f.answer.State, f.answer.DueAt = ledger.Waiting, &due
		w.reached[requeuedText]++
	case kind == 1:
		f.answer.State = ledger.Failed
	case kind == 2: // lost on the way there
		f.answer.State, t.onWire = ledger.Uncertain, 1
	default:
		w.names++
		t.onWire, t.accepted, t.dialpadID = 1, t.accepted+1, fmt.Sprint("d", w.names)
		f.answer.State, f.answer.DialpadID = ledger.Sent, t.dialpadID
		if kind < 6 { // lost on the way back
			f.answer.State, f.answer.DialpadID = ledger.Uncertain, ""
		}
		last := "delivered"
		if w.r.IntN(4) == 0 {
			last = "failed"
		}
		for _, status := range []string{"pending", "sent", last} {
			w.events = append(w.events, ledger.WebhookEvent{DialpadID: t.dialpadID, Status: status, FromNumber: f.FromNumber, ToNumber: f.ToNumber})
		}
	}
	w.logf("%s posts %s: %s %s", d.name, f.ID[24:], f.answer.State, t.dialpadID)
	if w.r.IntN(12) == 0 { // somebody texts the same person by hand
		w.events = append(w.events, ledger.WebhookEvent{DialpadID: w.name("hand"), Status: "delivered", DeviceType: "native", FromNumber: f.FromNumber, ToNumber: f.ToNumber})
	}
}

// mark is the last step before a POST. It reports whether there may be one.
func (w *simulation) mark(d *simWorker, f *flight) bool {
	checks, err := w.db.Messages.MarkPostedAllTenants(context.Background(), []ledger.PostRef{{ID: f.ID, Attempt: f.Attempt}})
	w.must(err)
	w.texts[f.ID].open = checks[0].Owned
	switch {
	case !checks[0].Owned:
		w.logf("%s leaves %s to the lane's next owner", d.name, f.ID[24:])
		w.reached[leftUnposted]++
		d.flights = slices.DeleteFunc(d.flights, func(o *flight) bool { return o == f })
	case w.r.IntN(12) == 0:
		w.logf("%s: the answer to the mark of %s is lost", d.name, f.ID[24:])
		due := w.clock.Now()
		f.answer.State, f.answer.DueAt, f.answer.Code = ledger.Waiting, &due, "opt_outs_unread"
	default:
		return true
	}
	return false
}

// receiveEvent stores and processes one of Dialpad's events, in any
// order and now and then twice, or processes one again that waits.
func (w *simulation) receiveEvent() {
	if len(w.waiting) > 0 && w.r.IntN(2) == 0 {
		i := w.r.IntN(len(w.waiting))
		if w.process(w.waiting[i]) {
			w.waiting = slices.Delete(w.waiting, i, i+1)
		}
		return
	}
	if len(w.events) == 0 {
		return
	}
	i := w.r.IntN(len(w.events))
	e := w.events[i]
	if w.r.IntN(6) > 0 {
		w.events = slices.Delete(w.events, i, i+1)
	}
	e.TenantID, e.Kind, e.Direction, e.BodyHash = w.tenant, ledger.EventSMS, "outbound", w.name("body")
	_, err := w.db.SaveEvent(context.Background(), e)
	w.must(err)
	list, err := w.db.Events.PendingAllTenants(context.Background(), w.clock.Now().Add(time.Hour), 1000)
	w.must(err)
	for _, p := range list {
		if p.TenantID == w.tenant && !slices.Contains(w.waiting, p.ID) && !w.process(p.ID) {
			w.waiting = append(w.waiting, p.ID)
			w.reached[waitingEvent]++
		}
	}
}

func (w *simulation) process(id string) bool {
	done, err := w.rec.Process(context.Background(), w.tenant, id)
	w.must(err)
	w.logf("event %s: done %v", id[24:], done)
	return done
}

// changeBatch pauses, resumes, cancels, holds or releases.
func (w *simulation) changeBatch() {
	ctx := context.Background()
	id := w.batches[w.r.IntN(len(w.batches))]
	b, err := w.db.Batches.Get(ctx, w.tenant, "", id)
	w.must(err)
	change := func(from, to string) {
		if err := w.db.Batches.Update(ctx, w.tenant, id, []string{from}, map[string]any{"state": to}); !errors.Is(err, models.ErrLost) {
			w.must(err)
		}
	}
	switch w.r.IntN(8) {
	case 0, 1:
		change(ledger.BatchSending, ledger.BatchPaused)
	case 2, 3, 4:
		change(ledger.BatchPaused, ledger.BatchSending)
	case 5:
		change(b.State, ledger.BatchCancelled)
	case 6:
		_, err := w.db.Batches.Hold(ctx, w.tenant, "", ledger.HeldBroken, "")
		w.must(err)
	default:
		_, err := w.db.Batches.Release(ctx, w.tenant, ledger.HeldBroken)
		w.must(err)
	}
	w.logf("decide about %s, %s", id, b.State)
	if w.r.IntN(3) > 0 {
		w.applyBatchStates()
	}
}

// applyBatchStates applies the batches' states to
// their texts. It may come late or stop half way.
func (w *simulation) applyBatchStates() {
	ctx := context.Background()
	for _, id := range w.batches {
		b, err := w.db.Batches.Get(ctx, w.tenant, "", id)
		w.must(err)
		switch b.State {
		case ledger.BatchCancelled:
			_, err = w.db.Messages.ChangeState(ctx, w.tenant, id, []string{ledger.Queued, ledger.Waiting, ledger.Held}, ledger.Cancelled, "cancelled", "", 3)
		case ledger.BatchPaused, ledger.BatchHeld:
			_, err = w.db.Messages.ChangeState(ctx, w.tenant, id, []string{ledger.Queued, ledger.Waiting}, ledger.Held, "paused", "", 3)
		case ledger.BatchSending:
			var lane ledger.Lane
			lane, err = w.db.Lanes.Get(ctx, w.tenant, w.acme.Lane)
			w.must(err)
			if _, err = w.db.Messages.Requeue(ctx, lane, id, "", 3); err == nil {
				err = w.db.Lanes.MarkDue(ctx, w.tenant, w.acme.Lane, w.clock.Now())
			}
		}
		w.must(err)
	}
}

// nextStates are the states that may follow each state. A text
// that comes back to the queue was not accepted, or never claimed.
var nextStates = map[string][]string{
	ledger.Queued:    {ledger.Sending, ledger.Held, ledger.Cancelled},
	ledger.Waiting:   {ledger.Queued, ledger.Held, ledger.Cancelled, ledger.Sending},
	ledger.Held:      {ledger.Queued, ledger.Waiting, ledger.Cancelled},
	ledger.Sending:   {ledger.Sent, ledger.Failed, ledger.Uncertain, ledger.Waiting},
	ledger.Uncertain: {ledger.Sent, ledger.Failed, ledger.Delivered, ledger.Undelivered},
	ledger.Sent:      {ledger.Delivered, ledger.Undelivered},
}

// checkLedger reads all messages: none is missing, and none moved backward.
func (w *simulation) checkLedger() {
	rows, err := w.read.QueryContext(context.Background())
	w.must(err)
	defer func() { _ = rows.Close() }()
	found := 0
	for ; rows.Next(); found++ {
		var m ledger.Message
		w.must(rows.Scan(&m.ID, &m.State, &m.DialpadID, &m.MatchedBy))
		f := w.texts[m.ID]
		back := (f.claimLost || !f.open) && f.state == ledger.Sending && (m.State == ledger.Queued || m.State == ledger.Held || m.State == ledger.Cancelled)
		if m.State != f.state && !back && !slices.Contains(nextStates[f.state], m.State) {
			w.failf("text %s went from %s to %s", m.ID, f.state, m.State)
		}
		if m.State != f.state && f.state == ledger.Uncertain {
			w.reached[settledUnknown]++
		}
		f.state = m.State
		w.checkMessage(m, f)
	}
	w.must(rows.Err())
	if found != len(w.texts) {
		w.failf("%d texts of %d are there", found, len(w.texts))
	}
}

// checkMessage compares a message with what really became of its text.
func (w *simulation) checkMessage(m ledger.Message, f *truth) {
	ok := true
	switch m.State {
	case ledger.Queued, ledger.Waiting, ledger.Held, ledger.Cancelled:
		ok = f.onWire == 0
	case ledger.Failed:
		ok = f.accepted == 0
	case ledger.Sent, ledger.Delivered, ledger.Undelivered:
		ok = f.accepted == 1 && m.DialpadID == f.dialpadID
	}
	if !ok || f.accepted > 1 {
		w.failf("text %s is %s with %q by %q, in truth %+v", m.ID, m.State, m.DialpadID, m.MatchedBy, *f)
	}
}

// finish brings all to an end: every worker resumes, all
// answers and events arrive, one worker drains the lane.
func (w *simulation) finish() {
	ctx := context.Background()
	for _, code := range []string{ledger.BatchPaused, ledger.BatchHeld} {
		for _, id := range w.batches {
			if err := w.db.Batches.Update(ctx, w.tenant, id, []string{code}, map[string]any{"state": ledger.BatchSending}); !errors.Is(err, models.ErrLost) {
				w.must(err)
			}
		}
	}
	for i := 0; i < 500 && !w.isDone(); i++ {
		w.applyBatchStates()
		w.checkLedger()
		for _, d := range w.workers {
			w.settleAll(d)
			w.checkLedger()
		}
		w.advance(4 * time.Second)
		for range 20 {
			w.receiveEvent()
		}
		w.checkLedger()
	}
	w.checkAllEnded()
}

// settleAll lets a worker settle all it has and claim once more.
func (w *simulation) settleAll(d *simWorker) {
	d.asleep = 0
	if d.lane == nil {
		w.acquire(d)
	}
	for len(d.flights) > 0 {
		w.answer(d)
	}
	w.checkLedger()
	if d.lane != nil {
		w.claim(d)
	}
}

// isDone reports whether all texts have ended and no event is left.
func (w *simulation) isDone() bool {
	for _, f := range w.texts {
		if !endStates[f.state] {
			return false
		}
	}
	return len(w.events)+len(w.waiting) == 0
}

var endStates = map[string]bool{ledger.Sent: true, ledger.Delivered: true, ledger.Undelivered: true, ledger.Failed: true,
	ledger.Uncertain: true, ledger.Cancelled: true}

func (w *simulation) checkAllEnded() {
	for id, f := range w.texts {
		if !endStates[f.state] {
			w.failf("text %s is still %s: %+v", id, f.state, *f)
		}
	}
	counts, err := w.db.Counters.ByBatch(context.Background(), w.tenant, w.batches)
	w.must(err)
	sum := 0
	for _, c := range counts {
		sum += c.Sum()
	}
	if sum != len(w.texts) {
		w.failf("the counts add up to %d of %d", sum, len(w.texts))
	}
}
