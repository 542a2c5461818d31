package delivery_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"dialpad-texting/app/delivery"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/seed"
)

// told is a store with texts on the wire, and whoever applies what Dialpad tells of them.
type told struct {
	t     *testing.T
	db    *seed.DB
	clock *seed.Clock
	rec   *delivery.Reconciler
	acme  *seed.Tenant
	n     int
}

func eachTold(t *testing.T, f func(w *told)) {
	t.Helper()
	modeltest.Each(t, seed.Migrate, func(t *testing.T, dsn string) {
		w := &told{t: t, clock: seed.NewClock()}
		w.db = seed.Store(t, dsn, w.clock.Now)
		w.rec = delivery.NewReconciler(w.db.Store, slog.New(slog.DiscardHandler))
		w.acme = w.db.Tenant("t_9").Connected("c1").Account("1", "ana@acme.com", from)
		f(w)
	})
}

const from = "+14155550100"

func (w *told) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// claim queues n texts and claims them: each is on the wire.
func (w *told) claim(id string, n int) []ledger.ClaimedMessage {
	w.t.Helper()
	w.acme.Batch(id, ledger.ClassBulk, "1", "ana@acme.com", n)
	lanes, err := w.db.Lanes.AcquireAllTenants(context.Background(), "w1", time.Minute, 0, 1)
	w.must(err)
	got, _, err := w.db.Lanes.Claim(context.Background(), lanes[0], ledger.ClaimSize{N: n, Base: w.clock.Now()})
	w.must(err)
	if len(got) != n {
		w.t.Fatalf("claimed %d of %d", len(got), n)
	}
	w.must(w.db.Lanes.ReleaseOwnedAllTenants(context.Background(), "w1"))
	return got
}

func (w *told) settle(c ledger.ClaimedMessage, state, dialpadID string) {
	w.t.Helper()
	_, err := w.db.Settle(context.Background(), []ledger.Outcome{{ID: c.ID, Attempt: c.Attempt, State: state, DialpadID: dialpadID}})
	w.must(err)
}

// event stores an event about a text; the same body is the same event.
func (w *told) event(body string, e ledger.WebhookEvent) string {
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

func (w *told) process(id string) bool {
	w.t.Helper()
	done, err := w.rec.Process(context.Background(), "t_9", id)
	w.must(err)
	return done
}

// hears stores an event and applies it.
func (w *told) hears(e ledger.WebhookEvent) bool {
	w.t.Helper()
	w.n++
	w.clock.Add(time.Second)
	return w.process(w.event(fmt.Sprint("body ", w.n), e))
}

func (w *told) message(id string) ledger.Message {
	w.t.Helper()
	m, err := w.db.Messages.Get(context.Background(), "t_9", "", id)
	w.must(err)
	return m
}

func TestAnEventThatComesTwiceDoesNothingMore(t *testing.T) {
	eachTold(t, func(w *told) {
		c := w.claim("b1", 1)[0]
		w.settle(c, ledger.Sent, "d1")
		e := ledger.WebhookEvent{DialpadID: "d1", Status: "delivered"}
		id := w.event("the body", e)
		if !w.process(id) || w.message(c.ID).State != ledger.Delivered {
			w.t.Fatalf("the text is %s", w.message(c.ID).State)
		}
		before := w.message(c.ID)
		if again := w.event("the body", e); again != "" {
			w.t.Error("the same body is stored twice")
		}
		w.clock.Add(time.Minute)
		if !w.process(id) || !w.hears(e) { // processed again, and told again in other words
			w.t.Error("not done with")
		}
		if after := w.message(c.ID); !after.UpdatedAt.Equal(before.UpdatedAt) || after.State != ledger.Delivered {
			w.t.Errorf("it moved again: %+v", after)
		}
	})
}

func TestAStatusNeverGoesBack(t *testing.T) {
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
			eachTold(t, func(w *told) {
				text := w.claim("b1", 1)[0]
				w.settle(text, ledger.Sent, "d1")
				for _, e := range []ledger.WebhookEvent{c.first, c.then} {
					e.DialpadID = "d1"
					if !w.hears(e) {
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

func TestAnEventBeforeTheAnswerWaitsForIt(t *testing.T) {
	eachTold(t, func(w *told) {
		c := w.claim("b1", 1)[0]
		id := w.event("early", ledger.WebhookEvent{DialpadID: "d1", Status: "delivered", FromNumber: from, ToNumber: c.ToNumber})
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

func TestAnEventOfAnUnknownIdSettlesThePairsOnlyUncertainText(t *testing.T) {
	eachTold(t, func(w *told) {
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
			if !w.hears(about(change)) || w.message(c.ID).State != ledger.Uncertain {
				w.t.Errorf("%s: the text is %s", name, w.message(c.ID).State)
			}
		}
		if !w.hears(about(func(*ledger.WebhookEvent) {})) {
			w.t.Error("not done with")
		}
		if m := w.message(c.ID); m.State != ledger.Delivered || m.MatchedBy != "number" || m.DialpadID != "d9" {
			w.t.Errorf("the text is %+v", m)
		}
	})
}

func TestOfTwoCandidatesNeitherIsMatched(t *testing.T) {
	eachTold(t, func(w *told) {
		a := w.claim("b1", 1)[0]
		w.settle(a, ledger.Uncertain, "")
		b := w.claim("b2", 1)[0] // to the same number
		w.settle(b, ledger.Uncertain, "")
		if a.ToNumber != b.ToNumber {
			w.t.Fatalf("%s and %s are no pair", a.ToNumber, b.ToNumber)
		}
		if !w.hears(ledger.WebhookEvent{DialpadID: "d9", Status: "delivered", FromNumber: from, ToNumber: a.ToNumber}) {
			w.t.Error("not done with")
		}
		for _, id := range []string{a.ID, b.ID} {
			if m := w.message(id); m.State != ledger.Uncertain {
				w.t.Errorf("text %s is %s", id, m.State)
			}
		}
	})
}

func TestAnUncertainTextIsNotMatchedByItsNumbersAfterTenMinutes(t *testing.T) {
	eachTold(t, func(w *told) {
		c := w.claim("b1", 1)[0]
		w.settle(c, ledger.Uncertain, "")
		w.clock.Add(11 * time.Minute)
		if !w.hears(ledger.WebhookEvent{DialpadID: "d9", Status: "delivered", FromNumber: from, ToNumber: c.ToNumber}) || w.message(c.ID).State != ledger.Uncertain {
			w.t.Errorf("the text is %s", w.message(c.ID).State)
		}
	})
}

func TestAnEventNeverSettlesATextThatWentOutAfterIt(t *testing.T) {
	eachTold(t, func(w *told) {
		c := w.claim("b1", 1)[0]
		early := w.event("early", ledger.WebhookEvent{DialpadID: "d9", Status: "delivered", FromNumber: from, ToNumber: c.ToNumber})
		w.settle(c, ledger.Failed, "")
		w.clock.Add(5 * time.Second)
		later := w.claim("b2", 1)[0] // to the same number
		w.settle(later, ledger.Uncertain, "")
		if later.ToNumber != c.ToNumber || !w.process(early) || w.message(later.ID).State != ledger.Uncertain {
			w.t.Errorf("the text to %s is %s", later.ToNumber, w.message(later.ID).State)
		}
	})
}

// The rule's limit, stated: Dialpad's events carry nothing but the two numbers to tell a text of ours whose answer was
// lost from one that the same person types in Dialpad within those ten minutes. Where the event names no device, theirs
// is taken for ours, and says "matched by number".
func TestATextByHandMayBeTakenForTheUncertainOneOfThePair(t *testing.T) {
	eachTold(t, func(w *told) {
		c := w.claim("b1", 1)[0]
		w.settle(c, ledger.Uncertain, "")
		if !w.hears(ledger.WebhookEvent{DialpadID: "by hand", Status: "delivered", FromNumber: from, ToNumber: c.ToNumber}) {
			w.t.Error("not done with")
		}
		if m := w.message(c.ID); m.State != ledger.Delivered || m.MatchedBy != "number" {
			w.t.Errorf("the text is %s, matched by %q", m.State, m.MatchedBy)
		}
	})
}

func TestWhatAnotherTenantHearsChangesNothingHere(t *testing.T) {
	eachTold(t, func(w *told) {
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
