package delivery_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"dialpad-texting/app/delivery"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/seed"
)

// eventWorld is a store with texts on the wire and a Reconciler.
type eventWorld struct {
	t     *testing.T
	db    *seed.DB
	clock *seed.Clock
	rec   *delivery.Reconciler
	acme  *seed.Tenant
	n     int
}

func eachEventWorld(t *testing.T, f func(w *eventWorld)) {
	t.Helper()
	modeltest.Each(t, seed.Migrate, func(t *testing.T, dsn string) {
		w := &eventWorld{t: t, clock: seed.NewClock()}
		w.db = seed.Store(t, dsn, w.clock.Now)
		w.rec = delivery.NewReconciler(w.db.Store)
		w.acme = w.db.Tenant("t_9").Connected("c1").Account("1", "ana@acme.com", from)
		f(w)
	})
}

const from = "+14155550100"

func (w *eventWorld) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// claim queues n texts and claims them, as if each were on the wire.
func (w *eventWorld) claim(id string, n int) []ledger.ClaimedMessage {
	w.t.Helper()
	w.acme.Batch(id, ledger.ClassBulk, "1", "ana@acme.com", n)
	lanes, err := w.db.Lanes.AcquireAllTenants(context.Background(), "w1", time.Minute, 0, 1)
	w.must(err)
	got, _, err := w.db.Lanes.Claim(context.Background(), lanes[0], ledger.ClaimParams{N: n, Base: w.clock.Now()})
	w.must(err)
	if len(got) != n {
		w.t.Fatalf("claimed %d of %d", len(got), n)
	}
	w.must(w.db.Lanes.ReleaseOwnedAllTenants(context.Background(), "w1"))
	return got
}

func (w *eventWorld) settle(c ledger.ClaimedMessage, state, dialpadID string) {
	w.t.Helper()
	_, err := w.db.Settle(context.Background(), []ledger.Outcome{{ID: c.ID, Attempt: c.Attempt, State: state, DialpadID: dialpadID}})
	w.must(err)
}

// storeEvent stores an event and returns its id, "" if the body is known.
func (w *eventWorld) storeEvent(body string, e ledger.WebhookEvent) string {
	w.t.Helper()
	e.TenantID, e.Kind, e.BodyHash, e.Direction = "t_9", ledger.EventSMS, body, "outbound"
	fresh, err := w.db.SaveEvent(context.Background(), e)
	w.must(err)
	if !fresh {
		return ""
	}
	list, err := w.db.Events.PendingAllTenants(context.Background(), w.clock.Now().Add(time.Hour), 100)
	w.must(err)
	if len(list) == 0 {
		w.t.Fatal("the event is not pending")
	}
	return list[len(list)-1].ID
}

func (w *eventWorld) process(id string) bool {
	w.t.Helper()
	done, err := w.rec.Process(context.Background(), "t_9", id)
	w.must(err)
	return done
}

// receive stores an event and applies it.
func (w *eventWorld) receive(e ledger.WebhookEvent) bool {
	w.t.Helper()
	w.n++
	w.clock.Add(time.Second)
	return w.process(w.storeEvent(fmt.Sprint("body ", w.n), e))
}

func (w *eventWorld) message(id string) ledger.Message {
	w.t.Helper()
	m, err := w.db.Messages.Get(context.Background(), "t_9", "", id)
	w.must(err)
	return m
}

func TestDuplicateEventChangesNothing(t *testing.T) {
	eachEventWorld(t, func(w *eventWorld) {
		c := w.claim("b1", 1)[0]
		w.settle(c, ledger.Sent, "d1")
		e := ledger.WebhookEvent{DialpadID: "d1", Status: "delivered"}
		id := w.storeEvent("the body", e)
		if !w.process(id) || w.message(c.ID).State != ledger.Delivered {
			w.t.Fatalf("the text is %s", w.message(c.ID).State)
		}
		before := w.message(c.ID)
		if again := w.storeEvent("the body", e); again != "" {
			w.t.Error("the same body is stored twice")
		}
		w.clock.Add(time.Minute)
		if !w.process(id) || !w.receive(e) { // processed again, and the same in another body
			w.t.Error("not done with")
		}
		if after := w.message(c.ID); !after.UpdatedAt.Equal(before.UpdatedAt) || after.State != ledger.Delivered {
			w.t.Errorf("it moved again: %+v", after)
		}
	})
}

func TestStatusNeverMovesBack(t *testing.T) {
	for _, c := range []struct {
		first, then ledger.WebhookEvent
		want        string
	}{
		{ledger.WebhookEvent{Status: "delivered"}, ledger.WebhookEvent{Status: "sent"}, ledger.Delivered},
		{ledger.WebhookEvent{Status: "delivered"}, ledger.WebhookEvent{Status: "pending"}, ledger.Delivered},
		{ledger.WebhookEvent{Status: "delivered"}, ledger.WebhookEvent{Status: "failed"}, ledger.Delivered},
		{ledger.WebhookEvent{Status: "failed", Result: "rejected_spam"}, ledger.WebhookEvent{Status: "pending"}, ledger.Undelivered},
		{ledger.WebhookEvent{Status: "failed", Result: "rejected_spam"}, ledger.WebhookEvent{Status: "delivered"}, ledger.Undelivered},
		{ledger.WebhookEvent{Status: "sent"}, ledger.WebhookEvent{Status: "a word of tomorrow"}, ledger.Sent},
	} {
		t.Run(c.first.Status+" then "+c.then.Status, func(t *testing.T) {
			eachEventWorld(t, func(w *eventWorld) {
				text := w.claim("b1", 1)[0]
				w.settle(text, ledger.Sent, "d1")
				for _, e := range []ledger.WebhookEvent{c.first, c.then} {
					e.DialpadID = "d1"
					if !w.receive(e) {
						w.t.Error("not done with")
					}
				}
				if m := w.message(text.ID); m.State != c.want {
					w.t.Errorf("the text is %s", m.State)
				}
			})
		})
	}
}

func TestEventBeforeTheAnswerWaitsForIt(t *testing.T) {
	eachEventWorld(t, func(w *eventWorld) {
		c := w.claim("b1", 1)[0]
		id := w.storeEvent("early", ledger.WebhookEvent{DialpadID: "d1", Status: "delivered", FromNumber: from, ToNumber: c.ToNumber})
		if w.process(id) {
			w.t.Fatal("done with, although the text is on the wire")
		}
		w.settle(c, ledger.Sent, "d1")
		if m := w.message(c.ID); m.State != ledger.Sent {
			w.t.Fatalf("the text is %s", m.State)
		}
		if !w.process(id) || w.message(c.ID).State != ledger.Delivered || w.message(c.ID).MatchedBy != "" {
			w.t.Errorf("the text is %+v", w.message(c.ID))
		}
	})
}

func TestUnknownIDSettlesThePairsOnlyUncertainText(t *testing.T) {
	eachEventWorld(t, func(w *eventWorld) {
		c := w.claim("b1", 1)[0]
		w.settle(c, ledger.Uncertain, "")
		about := func(change func(*ledger.WebhookEvent)) ledger.WebhookEvent {
			e := ledger.WebhookEvent{DialpadID: "d9", Status: "delivered", FromNumber: from, ToNumber: c.ToNumber}
			change(&e)
			return e
		}
		for name, change := range map[string]func(*ledger.WebhookEvent){
			"another number": func(e *ledger.WebhookEvent) { e.ToNumber = "+14155550199" },
			"by hand":        func(e *ledger.WebhookEvent) { e.DeviceType = "native" },
			"no id":          func(e *ledger.WebhookEvent) { e.DialpadID = "" },
		} {
			if !w.receive(about(change)) || w.message(c.ID).State != ledger.Uncertain {
				w.t.Errorf("%s: the text is %s", name, w.message(c.ID).State)
			}
		}
		if !w.receive(about(func(*ledger.WebhookEvent) {})) {
			w.t.Error("not done with")
		}
		if m := w.message(c.ID); m.State != ledger.Delivered || m.MatchedBy != "number" || m.DialpadID != "d9" {
			w.t.Errorf("the text is %+v", m)
		}
	})
}

func TestTwoCandidatesAreNotMatched(t *testing.T) {
	eachEventWorld(t, func(w *eventWorld) {
		a := w.claim("b1", 1)[0]
		w.settle(a, ledger.Uncertain, "")
		b := w.claim("b2", 1)[0] // to the same number
		w.settle(b, ledger.Uncertain, "")
		if a.ToNumber != b.ToNumber {
			w.t.Fatalf("%s and %s are no pair", a.ToNumber, b.ToNumber)
		}
		if !w.receive(ledger.WebhookEvent{DialpadID: "d9", Status: "delivered", FromNumber: from, ToNumber: a.ToNumber}) {
			w.t.Error("not done with")
		}
		for _, id := range []string{a.ID, b.ID} {
			if m := w.message(id); m.State != ledger.Uncertain {
				w.t.Errorf("text %s is %s", id, m.State)
			}
		}
	})
}

func TestUncertainTextIsNotMatchedAfterTenMinutes(t *testing.T) {
	eachEventWorld(t, func(w *eventWorld) {
		c := w.claim("b1", 1)[0]
		w.settle(c, ledger.Uncertain, "")
		w.clock.Add(11 * time.Minute)
		if !w.receive(ledger.WebhookEvent{DialpadID: "d9", Status: "delivered", FromNumber: from, ToNumber: c.ToNumber}) || w.message(c.ID).State != ledger.Uncertain {
			w.t.Errorf("the text is %s", w.message(c.ID).State)
		}
	})
}

func TestEventNeverSettlesALaterText(t *testing.T) {
	eachEventWorld(t, func(w *eventWorld) {
		c := w.claim("b1", 1)[0]
		early := w.storeEvent("early", ledger.WebhookEvent{DialpadID: "d9", Status: "delivered", FromNumber: from, ToNumber: c.ToNumber})
		w.settle(c, ledger.Failed, "")
		w.clock.Add(5 * time.Second)
		later := w.claim("b2", 1)[0] // to the same number
		w.settle(later, ledger.Uncertain, "")
		if later.ToNumber != c.ToNumber || !w.process(early) || w.message(later.ID).State != ledger.Uncertain {
			w.t.Errorf("the text to %s is %s", later.ToNumber, w.message(later.ID).State)
		}
	})
}

// incoming stores a delivery event as the webhook does, and has a later round
// apply it.
func (w *eventWorld) incoming(e ledger.WebhookEvent) {
	w.t.Helper()
	e.TenantID, e.Kind, e.BodyHash, e.Direction = "t_9", ledger.EventSMS, e.DialpadID+e.Status, "outbound"
	w.must(w.db.Events.AddMany(context.Background(), []ledger.WebhookEvent{e}))
	w.clock.Add(time.Second)
	tried, err := w.rec.Round(context.Background(), 10)
	w.must(err)
	if n, err := w.db.Events.CountIncomingAllTenants(context.Background()); err != nil || n != 0 || tried != 1 {
		w.t.Errorf("after a round over %d events %d are left, %v", tried, n, err)
	}
}

func TestRepeatedEventOfNoTextSettlesNoneLater(t *testing.T) {
	eachEventWorld(t, func(w *eventWorld) {
		c := w.claim("b1", 1)[0]
		w.settle(c, ledger.Failed, "")
		e := ledger.WebhookEvent{DialpadID: "d9", Status: "delivered", FromNumber: from, ToNumber: c.ToNumber}
		w.incoming(e)
		later := w.claim("b2", 1)[0] // to the same number
		w.settle(later, ledger.Uncertain, "")
		w.incoming(e)
		if m := w.message(later.ID); m.State != ledger.Uncertain {
			w.t.Errorf("the text is %s", m.State)
		}
		e.DialpadID = "d10"
		if w.incoming(e); w.message(later.ID).State != ledger.Delivered {
			w.t.Errorf("the text is %s after an event of its own", w.message(later.ID).State)
		}
	})
}

// The limit of the rule: events contain only the two numbers. They
// can't tell an uncertain text of ours from one that the same person
// types in Dialpad within ten minutes. If the event names no device,
// theirs is taken for ours, and the message says "matched by number".
func TestTextByHandMaySettleThePairsUncertainText(t *testing.T) {
	eachEventWorld(t, func(w *eventWorld) {
		c := w.claim("b1", 1)[0]
		w.settle(c, ledger.Uncertain, "")
		if !w.receive(ledger.WebhookEvent{DialpadID: "by hand", Status: "delivered", FromNumber: from, ToNumber: c.ToNumber}) {
			w.t.Error("not done with")
		}
		if m := w.message(c.ID); m.State != ledger.Delivered || m.MatchedBy != "number" {
			w.t.Errorf("the text is %s, matched by %q", m.State, m.MatchedBy)
		}
	})
}

func TestEventOfAnotherTenantChangesNothing(t *testing.T) {
	eachEventWorld(t, func(w *eventWorld) {
		c := w.claim("b1", 1)[0]
		w.settle(c, ledger.Sent, "d1")
		w.db.Tenant("t_10").Connected("c2")
		_, err := w.db.SaveEvent(context.Background(), ledger.WebhookEvent{TenantID: "t_10", Kind: ledger.EventSMS, BodyHash: "x", Direction: "outbound",
			DialpadID: "d1", Status: "failed", Result: "rejected_spam", FromNumber: from, ToNumber: c.ToNumber})
		w.must(err)
		list, err := w.db.Events.PendingAllTenants(context.Background(), w.clock.Now().Add(time.Hour), 10)
		w.must(err)
		for _, e := range list {
			if _, err := w.rec.Process(context.Background(), e.TenantID, e.ID); err != nil {
				w.t.Error(err)
			}
		}
		if m := w.message(c.ID); m.State != ledger.Sent {
			w.t.Errorf("the text is %s", m.State)
		}
	})
}
