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

// answer moves one of a worker's texts on: onto the wire, or its answer into the ledger. Late is as good as in time.
func (w *schedule) answer(d *drainer) {
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
	if w.r.IntN(10) == 0 { // the database's answer was lost: the settler tries again
		_, err = w.db.Settle(context.Background(), []ledger.Outcome{f.answer})
		w.must(err)
	}
	w.note("%s settles %s as %s", d.name, f.ID[24:], f.answer.State)
	w.texts[f.ID].open = f.answer.State == ledger.Uncertain
	d.flights = slices.Delete(d.flights, i, i+1)
	if w.r.IntN(2) == 0 {
		w.must(w.db.Batches.Finish(context.Background(), []string{f.BatchID}))
	}
}

// post is Dialpad: it takes the text or not, and its answer arrives or not.
func (w *schedule) post(d *drainer, f *flight) {
	t := w.texts[f.ID]
	if t.onWire > 0 {
		w.fail("text %s goes onto the wire again", f.ID)
	}
	f.posted, f.answer = true, ledger.Outcome{ID: f.ID, Attempt: f.Attempt}
	kind := w.r.IntN(10)
	switch {
	case kind == 0: // 429: surely not accepted
		due := w.clock.Now().Add(time.Duration(w.r.IntN(5000)) * time.Millisecond)
		f.answer.State, f.answer.DueAt = ledger.Waiting, &due
		w.seen[wentAgain]++
	case kind == 1:
		f.answer.State = ledger.Failed
	case kind == 2: // lost on the way there
		f.answer.State, t.onWire = ledger.Uncertain, 1
	default:
		w.n++
		t.onWire, t.accepted, t.dialpadID = 1, t.accepted+1, fmt.Sprint("d", w.n)
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
	w.note("%s posts %s: %s %s", d.name, f.ID[24:], f.answer.State, t.dialpadID)
	if w.r.IntN(12) == 0 { // somebody texts the same person by hand
		w.events = append(w.events, ledger.WebhookEvent{DialpadID: w.name("hand"), Status: "delivered", DeviceType: "native", FromNumber: f.FromNumber, ToNumber: f.ToNumber})
	}
}

// hear brings one of Dialpad's events, in any order, now and then twice, or looks again at one that waits.
func (w *schedule) hear() {
	if len(w.stored) > 0 && w.r.IntN(2) == 0 {
		i := w.r.IntN(len(w.stored))
		if w.process(w.stored[i]) {
			w.stored = slices.Delete(w.stored, i, i+1)
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
		if p.TenantID == w.tenant && !slices.Contains(w.stored, p.ID) && !w.process(p.ID) {
			w.stored = append(w.stored, p.ID)
			w.seen[eventWaited]++
		}
	}
}

func (w *schedule) process(id string) bool {
	done, err := w.rec.Process(context.Background(), w.tenant, id)
	w.must(err)
	w.note("event %s: done %v", id[24:], done)
	return done
}

// decide is a person, or the plan: pause and go on, hold and release, cancel.
func (w *schedule) decide() {
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
	w.note("decide about %s, %s", id, b.State)
	if w.r.IntN(3) > 0 {
		w.carry()
	}
}

// carry takes the batches' states over to their texts; it may come late, or half way.
func (w *schedule) carry() {
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

// onward is each state's ways: all of them lead forward. What comes back to the queue was surely not accepted, or
// never claimed.
var onward = map[string][]string{
	ledger.Queued:    {ledger.Sending, ledger.Held, ledger.Cancelled},
	ledger.Waiting:   {ledger.Queued, ledger.Held, ledger.Cancelled, ledger.Sending},
	ledger.Held:      {ledger.Queued, ledger.Waiting, ledger.Cancelled},
	ledger.Sending:   {ledger.Sent, ledger.Failed, ledger.Uncertain, ledger.Waiting},
	ledger.Uncertain: {ledger.Sent, ledger.Failed, ledger.Delivered, ledger.Undelivered},
	ledger.Sent:      {ledger.Delivered, ledger.Undelivered},
}

// look reads the whole ledger: nothing is missing, and nothing moved backward.
func (w *schedule) look() {
	found := 0
	for _, id := range w.batches {
		list, err := w.db.Messages.List(context.Background(), w.tenant, id, nil, "", 1000)
		w.must(err)
		for _, m := range list {
			found++
			f := w.texts[m.ID]
			back := f.unheard && f.state == ledger.Sending && (m.State == ledger.Queued || m.State == ledger.Held || m.State == ledger.Cancelled)
			if m.State != f.state && !back && !slices.Contains(onward[f.state], m.State) {
				w.fail("text %s went from %s to %s", m.ID, f.state, m.State)
			}
			if m.State != f.state && f.state == ledger.Uncertain {
				w.seen[unknownSettled]++
			}
			f.state = m.State
			w.agrees(m, f)
		}
	}
	if found != len(w.texts) {
		w.fail("%d texts of %d are there", found, len(w.texts))
	}
}

// agrees compares what the ledger says of a text with what truly became of it.
func (w *schedule) agrees(m ledger.Message, f *fate) {
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
		w.fail("text %s is %s with %q by %q, in truth %+v", m.ID, m.State, m.DialpadID, m.MatchedBy, *f)
	}
}

// finish lets everything come to its end: all wake, all answers and events arrive, one worker drains the lane.
func (w *schedule) finish() {
	ctx := context.Background()
	for _, code := range []string{ledger.BatchPaused, ledger.BatchHeld} {
		for _, id := range w.batches {
			if err := w.db.Batches.Update(ctx, w.tenant, id, []string{code}, map[string]any{"state": ledger.BatchSending}); !errors.Is(err, models.ErrLost) {
				w.must(err)
			}
		}
	}
	for i := 0; i < 500 && !w.over(); i++ {
		w.carry()
		w.look()
		for _, d := range w.workers {
			w.wind(d)
			w.look()
		}
		w.pass(4 * time.Second)
		for range 20 {
			w.hear()
		}
		w.look()
	}
	w.wholeStory()
}

// wind lets a worker settle all it has and claim once more.
func (w *schedule) wind(d *drainer) {
	d.asleep = 0
	if d.lane == nil {
		w.acquire(d)
	}
	for len(d.flights) > 0 {
		w.answer(d)
	}
	w.look()
	if d.lane != nil {
		w.claim(d)
	}
}

// over tells whether everything has come to its end, and nothing more will be heard.
func (w *schedule) over() bool {
	for _, f := range w.texts {
		if !ended[f.state] {
			return false
		}
	}
	return len(w.events)+len(w.stored) == 0
}

var ended = map[string]bool{ledger.Sent: true, ledger.Delivered: true, ledger.Undelivered: true, ledger.Failed: true,
	ledger.Uncertain: true, ledger.Cancelled: true}

func (w *schedule) wholeStory() {
	for id, f := range w.texts {
		if !ended[f.state] {
			w.fail("text %s is still %s: %+v", id, f.state, *f)
		}
	}
	counts, err := w.db.Messages.CountByBatch(context.Background(), w.tenant, w.batches)
	w.must(err)
	sum := 0
	for _, c := range counts {
		sum += c.Sum()
	}
	if sum != len(w.texts) {
		w.fail("the counts add up to %d of %d", sum, len(w.texts))
	}
}
