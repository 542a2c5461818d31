package replies_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"dialpad-texting/app/outbox"
	"dialpad-texting/app/replies"
	"dialpad-texting/app/timeline"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/integrations/dialpad"
	. "dialpad-texting/internal/apptest"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// sent creates a text to Bob that Dialpad took.
func sent(w *World, who, key, message string) ledger.Message {
	w.T.Helper()
	v := w.MustCreate(w.One(who, "7", Bob), key, Text(message))
	w.Settle(ledger.Sent, w.Claim()...)
	return w.Rows(v.ID)[0]
}

// answer records what Bob writes to the number of m. change may make it an odd
// one.
func answer(w *World, id, body string, m ledger.Message, change func(e *ledger.WebhookEvent, sms *dialpad.SMSEvent)) {
	w.T.Helper()
	now := w.Clock.Now()
	e := ledger.WebhookEvent{TenantID: Acme, Kind: ledger.EventSMS, Direction: "inbound", DialpadID: id, BodyHash: fmt.Sprint(id, body),
		FromNumber: Bob, ToNumber: m.FromNumber, EventAt: &now}
	sms := dialpad.SMSEvent{ID: id, Text: body, TargetType: "user"}
	if change != nil {
		change(&e, &sms)
	}
	Must(w.T, replies.New(w.DB.Store).Record(Ctx, e, sms))
}

func stored(w *World, m ledger.Message) []models.Reply {
	w.T.Helper()
	list, err := w.DB.Replies.ByMessages(Ctx, Acme, m.BatchID, []string{m.ID}, 100)
	Must(w.T, err)
	return list
}

func TestAnAnswerBelongsToTheLastTextOfItsPair(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		first := sent(w, "ana", "k1", "Hi")
		w.Clock.Add(time.Minute)
		second := sent(w, "ana", "k2", "Are you there?")
		w.Clock.Add(time.Minute)
		other := sent(w, "ben", "k3", "Ben here")
		w.Clock.Add(time.Minute)
		answer(w, "1", "", second, nil)
		answer(w, "1", "Yes, 10 works", second, nil) // again, with content
		answer(w, "1", "", second, nil)
		answer(w, "2", "And now?", second, nil)
		if got := stored(w, second); len(got) != 2 || got[0].Body != "Yes, 10 works" || got[1].Body != "And now?" || got[0].ContactID != "7" || got[0].Contacts != 1 {
			t.Errorf("Ana's second text was answered %+v", got)
		}
		if got := append(stored(w, first), stored(w, other)...); len(got) != 0 {
			t.Errorf("the others were answered %+v", got)
		}
		total, err := w.Outbox.Stats(Ctx, w.Page("ana"), 1)
		if Must(t, err); total.Total.Replied != 1 {
			t.Errorf("the figures count %d people", total.Total.Replied)
		}
	})
}

// A text may be answered before the text after it, and told of later.
func TestALateEventBelongsToTheTextBeforeIt(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		first := sent(w, "ana", "k1", "Hi")
		w.Clock.Add(time.Minute)
		at := w.Clock.Now()
		w.Clock.Add(time.Minute)
		second := sent(w, "ana", "k2", "Are you there?")
		answer(w, "1", "Hello", second, func(e *ledger.WebhookEvent, _ *dialpad.SMSEvent) { e.EventAt = &at })
		if len(stored(w, first)) != 1 || len(stored(w, second)) != 0 {
			t.Errorf("%d answers to the first, %d to the second", len(stored(w, first)), len(stored(w, second)))
		}
	})
}

func TestOtherInboundTextsLeaveNoTrace(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		m := sent(w, "ana", "k1", "Hi")
		w.Clock.Add(time.Minute)
		w.DB.Tenant("t_other")
		early := m.ClaimedAt.Add(-time.Minute)
		for name, change := range map[string]func(e *ledger.WebhookEvent, sms *dialpad.SMSEvent){
			"outbound":          func(e *ledger.WebhookEvent, _ *dialpad.SMSEvent) { e.Direction = "outbound" },
			"without direction": func(e *ledger.WebhookEvent, _ *dialpad.SMSEvent) { e.Direction = "" },
			"internal":          func(_ *ledger.WebhookEvent, sms *dialpad.SMSEvent) { sms.Internal = true },
			"to a call center":  func(_ *ledger.WebhookEvent, sms *dialpad.SMSEvent) { sms.TargetType = "callcenter" },
			"of a stranger":     func(e *ledger.WebhookEvent, _ *dialpad.SMSEvent) { e.FromNumber = "+14155550177" },
			"without a number":  func(e *ledger.WebhookEvent, _ *dialpad.SMSEvent) { e.FromNumber = "" },
			"to another line":   func(e *ledger.WebhookEvent, _ *dialpad.SMSEvent) { e.ToNumber = "+14155550188" },
			"of another tenant": func(e *ledger.WebhookEvent, _ *dialpad.SMSEvent) { e.TenantID = "t_other" },
			"before the text":   func(e *ledger.WebhookEvent, _ *dialpad.SMSEvent) { e.EventAt = &early },
		} {
			answer(w, name, "private", m, change)
			if got := stored(w, m); len(got) != 0 {
				t.Fatalf("%s: stored %+v", name, got)
			}
		}
		w.Clock.Add(31 * 24 * time.Hour)
		answer(w, "late", "private", m, nil)
		if got := stored(w, m); len(got) != 0 {
			t.Errorf("a month later: stored %+v", got)
		}
	})
}

func TestAConversationShowsBothSidesNewestFirst(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		var want []string
		for i := range 15 {
			m := sent(w, []string{"ana", "ben"}[i%2], fmt.Sprint("k", i), fmt.Sprint("text ", i))
			w.Clock.Add(time.Minute)
			answer(w, fmt.Sprint("a", i), fmt.Sprint("answer ", i), m, nil)
			w.Clock.Add(time.Minute)
			want = append([]string{fmt.Sprint("answer ", i), fmt.Sprint("text ", i)}, want...)
		}
		var got []string
		cursor, pages := "", 0
		for {
			v, err := w.Conversation(Ctx, w.One("ana", "7", "(415) 555-0142"), cursor)
			Must(t, err)
			if first := v.Items[0]; pages == 0 && (first.Direction != "inbound" || v.Items[1].By != "Ana Ruiz" || !v.Items[1].Mine || v.Items[3].Mine) {
				t.Errorf("first %+v, then %+v", first, v.Items[1])
			}
			for _, item := range v.Items {
				got = append(got, *item.Text)
			}
			if pages++; v.Next == nil {
				break
			}
			cursor = *v.Next
		}
		if fmt.Sprint(got) != fmt.Sprint(want) || pages != 2 {
			t.Errorf("%d pages: %v", pages, got)
		}
		if _, err := w.Conversation(Ctx, w.Bulk("ana", crm.ModuleContact, "7", "20"), ""); err == nil {
			t.Error("a bulk has a conversation")
		}
	})
}

func TestTheOutboxCountsAndListsWhoAnswered(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		m := sent(w, "ana", "k1", "Hi")
		answer(w, "1", "", m, func(_ *ledger.WebhookEvent, sms *dialpad.SMSEvent) { sms.Picture = true })
		answer(w, "2", "Hello", m, nil)
		silent := w.MustCreate(w.One("ana", "20", "+14155550199"), "k2", Text("Hi"))
		list, err := w.Outbox.Batches(Ctx, w.Page("ana"), outbox.Filter{})
		if Must(t, err); len(list.Batches) != 2 || list.Batches[0].Replied != 0 || list.Batches[1].Replied != 1 {
			t.Errorf("the outbox has %+v", list.Batches)
		}
		list, err = w.Outbox.Batches(Ctx, w.Page("ana"), outbox.Filter{State: ledger.WithReplied})
		if Must(t, err); len(list.Batches) != 1 || list.Batches[0].ID != m.BatchID {
			t.Errorf("with replies are %+v", list.Batches)
		}
		v, err := w.Attention(Ctx, w.Page("ana"))
		if Must(t, err); v.Replied != 2 {
			t.Errorf("Ana should look at %d answers", v.Replied)
		}
		Must(t, w.MarkSeen(Ctx, w.Page("ana")))
		if v, err = w.Attention(Ctx, w.Page("ana")); err != nil || v.Replied != 0 {
			t.Errorf("once seen %d, %v", v.Replied, err)
		}
		page, err := w.Messages(Ctx, w.Page("ana"), m.BatchID, "replied", "", "")
		if Must(t, err); len(page.Messages) != 1 || len(page.Messages[0].Replies) != 2 || page.Messages[0].Replies[0].Text != nil || !page.Messages[0].Replies[0].Picture {
			t.Errorf("answered %+v", page.Messages)
		}
		if page, err = w.Messages(Ctx, w.Page("ana"), silent.ID, "replied", "", ""); err != nil || len(page.Messages) != 0 {
			t.Errorf("of a silent one %+v, %v", page.Messages, err)
		}
		r, err := w.Receipt(Ctx, w.Page("ana"), m.ID)
		if Must(t, err); len(r.Message.Replies) != 2 || r.Timeline[len(r.Timeline)-1].State != "replied" {
			t.Errorf("the receipt says %+v, %+v", r.Message.Replies, r.Timeline)
		}
	})
}

// recorder keeps what is written to the timeline.
type recorder struct{ taken []crm.Activity }

func (c *recorder) UpsertActivity(_ context.Context, _ crm.Tenant, _ string, a crm.Activity) error {
	if a.ReplyTo != "" {
		c.taken = append(c.taken, a)
	}
	return nil
}

func TestTheTimelineGetsEachAnswerOnce(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		m := sent(w, "ana", "k1", "Hi")
		answer(w, "1", "", m, nil)
		c := &recorder{}
		syncer := timeline.New(w.DB.Store, c)
		sync := func(want int) crm.Activity {
			t.Helper()
			for range 2 {
				_, err := syncer.SyncPending(Ctx, Acme)
				Must(t, err)
			}
			if len(c.taken) != want {
				t.Fatalf("the timeline has %+v", c.taken)
			}
			return c.taken[want-1]
		}
		if a := sync(1); a.ReplyTo != m.ID || a.From != Bob || a.To != m.FromNumber || a.Body != "" || a.ContactID != "7" || a.MessageID == m.ID {
			t.Errorf("written %+v", a)
		}
		answer(w, "1", "Hello", m, nil)
		if a := sync(2); a.Body != "Hello" || a.MessageID != c.taken[0].MessageID {
			t.Errorf("written %+v", a)
		}
	})
}

func TestAnswersAreErasedWithTheirPerson(t *testing.T) {
	for name, erase := range map[string]func(w *World) error{
		"by number":  func(w *World) error { return w.DB.EraseNumber(Ctx, Acme, Bob) },
		"by contact": func(w *World) error { return w.DB.EraseContact(Ctx, Acme, "7") },
	} {
		t.Run(name, func(t *testing.T) {
			Each(t, func(t *testing.T, w *World) {
				m := sent(w, "ana", "k1", "Hi")
				answer(w, "1", "Hello", m, nil)
				Must(t, erase(w))
				if got := stored(w, m); len(got) != 0 {
					t.Errorf("kept %+v", got)
				}
				v, err := w.Conversation(Ctx, w.One("ana", "7", Bob), "")
				if Must(t, err); len(v.Items) != 0 {
					t.Errorf("the conversation has %+v", v.Items)
				}
			})
		})
	}
}
