package ledgertest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"dialpad-texting/models/ledger"
	"dialpad-texting/models/seed"
)

// word is an event's status, which is the message's state here.
func word(e ledger.WebhookEvent) ledger.EventEffect {
	return ledger.EventEffect{State: e.Status, Code: e.Result}
}

// delivery returns a delivery event of a text.
func delivery(dialpadID, status string) ledger.WebhookEvent {
	return ledger.WebhookEvent{TenantID: "t_9", Kind: ledger.EventSMS, Direction: "outbound", DialpadID: dialpadID,
		BodyHash: dialpadID + status, Status: status}
}

// sentTexts sends n texts that Dialpad knows as d0, d1 and so on.
func sentTexts(t *testing.T, db *seed.DB, n int) []ledger.ClaimedMessage {
	t.Helper()
	db.Tenant("t_9").Connected("c9").Account("1", "ana@acme.com", "+14155550100").Batch("b1", ledger.ClassBulk, "1", "ana@acme.com", n)
	claimed := claim(t, db, acquire(t, db, "w1"), ledger.ClaimParams{N: n})
	outcomes := make([]ledger.Outcome, n)
	for i, c := range claimed {
		outcomes[i] = ledger.Outcome{ID: c.ID, Attempt: c.Attempt, State: ledger.Sent, DialpadID: fmt.Sprint("d", i)}
	}
	if _, err := db.Settle(context.Background(), outcomes); err != nil {
		t.Fatal(err)
	}
	return claimed
}

// applyRound is one round over all pending events.
func applyRound(t *testing.T, db *seed.DB) ledger.EventRound {
	t.Helper()
	round, err := db.Events.ApplyPendingAllTenants(context.Background(), 100, time.Second, word)
	if err != nil {
		t.Fatal(err)
	}
	return round
}

func addEvents(t *testing.T, db *seed.DB, events ...ledger.WebhookEvent) {
	t.Helper()
	if err := db.Events.AddMany(context.Background(), events); err != nil {
		t.Fatal(err)
	}
}

// stateIs fails unless the message is in a state.
func stateIs(t *testing.T, db *seed.DB, id, want string) {
	t.Helper()
	m, err := db.Messages.Get(context.Background(), "t_9", "", id)
	if err != nil || m.State != want {
		t.Errorf("message is %q, want %q, %v", m.State, want, err)
	}
}

// roundAppliesInAnyOrder has events come twice, out of order and for several
// texts at once.
func roundAppliesInAnyOrder(t *testing.T, db *seed.DB, clock *seed.Clock) {
	texts := sentTexts(t, db, 4)
	at := clock.Now()
	first := delivery("d0", ledger.Delivered)
	first.EventAt = &at
	addEvents(t, db, first, delivery("d0", ledger.Sent), delivery("d1", ledger.Sent), delivery("d1", ledger.Undelivered),
		delivery("d2", ""))
	addEvents(t, db, delivery("d0", ledger.Delivered)) // the same body again
	round := applyRound(t, db)
	if round.Events != 5 || len(round.Changed) != 2 || len(round.Unmatched) != 0 {
		t.Errorf("round %+v", round)
	}
	for i, want := range []string{ledger.Delivered, ledger.Undelivered, ledger.Sent, ledger.Sent} {
		stateIs(t, db, texts[i].ID, want)
	}
	events, err := db.Events.ByMessage(context.Background(), "t_9", texts[0].ID)
	if err != nil || len(events) != 2 || events[0].State != ledger.EventApplied || events[0].ProcessedAt == nil {
		t.Errorf("events of the first text: %+v, %v", events, err)
	}
	addEvents(t, db, delivery("d0", ledger.Undelivered), delivery("d3", ledger.Delivered))
	if round = applyRound(t, db); len(round.Changed) != 1 {
		t.Errorf("a later round changed %+v", round.Changed)
	}
	stateIs(t, db, texts[0].ID, ledger.Delivered)
	addEvents(t, db, delivery("d0", ledger.Delivered)) // and once more, now that it is archived
	if round = applyRound(t, db); round.Events != 1 || len(round.Changed) != 0 {
		t.Errorf("a repeated body: %+v", round)
	}
	if again, err := db.Events.ByMessage(context.Background(), "t_9", texts[0].ID); err != nil || len(again) != 3 {
		t.Errorf("events of the first text: %+v, %v", again, err)
	}
	if n, err := db.Events.CountIncomingAllTenants(context.Background()); err != nil || n != 0 {
		t.Errorf("%d events are pending still, %v", n, err)
	}
}

// roundPostponesUnknown has an event come before the answer that brings its id.
func roundPostponesUnknown(t *testing.T, db *seed.DB, clock *seed.Clock) {
	db.Tenant("t_9").Connected("c9").Account("1", "ana@acme.com", "+14155550100").Batch("b1", ledger.ClassBulk, "1", "ana@acme.com", 1)
	text := claim(t, db, acquire(t, db, "w1"), ledger.ClaimParams{N: 1})[0]
	addEvents(t, db, delivery("d0", ledger.Delivered), delivery("nobody's", ledger.Delivered))
	if round := applyRound(t, db); round.Events != 2 || len(round.Unmatched) != 0 {
		t.Errorf("early events are unmatched at once: %+v", round)
	}
	if round := applyRound(t, db); round.Events != 0 {
		t.Error("an early event is tried again without a pause")
	}
	if _, err := db.Settle(context.Background(), []ledger.Outcome{{ID: text.ID, Attempt: 1, State: ledger.Sent, DialpadID: "d0"}}); err != nil {
		t.Fatal(err)
	}
	clock.Add(time.Second)
	round := applyRound(t, db)
	if len(round.Changed) != 1 || len(round.Unmatched) != 1 || round.Unmatched[0].DialpadID != "nobody's" {
		t.Errorf("after the answer: %+v", round)
	}
	stateIs(t, db, text.ID, ledger.Delivered)
}

// roundSettlesUncertain has an event settle a text with a known id whose
// outcome was unknown, and finish its batch.
func roundSettlesUncertain(t *testing.T, db *seed.DB, clock *seed.Clock) {
	db.Tenant("t_9").Connected("c9").Account("1", "ana@acme.com", "+14155550100").Batch("b1", ledger.ClassBulk, "1", "ana@acme.com", 1)
	text := claim(t, db, acquire(t, db, "w1"), ledger.ClaimParams{N: 1})[0]
	if _, err := db.Settle(context.Background(), []ledger.Outcome{{ID: text.ID, Attempt: 1, State: ledger.Uncertain, DialpadID: "d0",
		Code: "no_answer", Text: ledger.UnknownOutcome}}); err != nil {
		t.Fatal(err)
	}
	addEvents(t, db, delivery("d0", ledger.Sent))
	clock.Add(time.Minute)
	round := applyRound(t, db)
	if err := db.FollowUp(context.Background(), round.Changed); err != nil {
		t.Fatal(err)
	}
	m, err := db.Messages.Get(context.Background(), "t_9", "", text.ID)
	if err != nil || m.State != ledger.Sent || m.ErrorText != "" || m.SentAt == nil || !m.SentAt.Equal(*m.ClaimedAt) || !m.TimelinePending {
		t.Errorf("%+v, %v", m, err)
	}
	if b, err := db.Batches.Get(context.Background(), "t_9", "", "b1"); err != nil || b.State != ledger.BatchDone {
		t.Errorf("the batch is %s, %v", b.State, err)
	}
}

// timelineMarksPage marks the unchanged messages of a page.
func timelineMarksPage(t *testing.T, db *seed.DB, clock *seed.Clock) {
	ctx := context.Background()
	texts := sentTexts(t, db, 3)
	clock.Add(time.Minute)
	page, err := db.Timelines.Pending(ctx, "t_9", clock.Now(), ledger.Message{}, 10)
	if err != nil || len(page) != 3 {
		t.Fatalf("%d messages are pending, %v", len(page), err)
	}
	if early, err := db.Timelines.Pending(ctx, "t_9", clock.Now().Add(-2*time.Minute), ledger.Message{}, 10); err != nil || len(early) != 0 {
		t.Errorf("%d messages changed before, %v", len(early), err)
	}
	addEvents(t, db, delivery("d1", ledger.Delivered))
	applyRound(t, db)
	if err := db.Timelines.MarkSynced(ctx, "t_9", page); err != nil {
		t.Fatal(err)
	}
	left, err := db.Timelines.Pending(ctx, "t_9", clock.Now(), ledger.Message{}, 10)
	if err != nil || len(left) != 1 || left[0].ID != texts[1].ID {
		t.Errorf("pending after marking: %+v, %v", left, err)
	}
	if tenants, err := db.Timelines.PendingAllTenants(ctx); err != nil || len(tenants) != 1 || tenants[0] != "t_9" {
		t.Errorf("tenants %v, %v", tenants, err)
	}
}
