package sandbox_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/integrations/dialpad/sandbox"
)

const hookSecret = "one-line-secret"

// receiver is a webhook that verifies its events.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	events []dialpad.Event
	posts  int
	answer func(post int) int
	onPost func()
}

func newReceiver(t *testing.T, answer func(post int) int) *receiver {
	r := &receiver{answer: answer}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		event, err := dialpad.VerifyEvent(hookSecret, body)
		if err != nil {
			t.Errorf("event is not signed: %v", err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.events = append(r.events, event)
		r.posts++
		if r.onPost != nil {
			r.onPost()
		}
		if r.answer != nil {
			w.WriteHeader(r.answer(r.posts))
		}
	}))
	t.Cleanup(r.Server.Close)
	return r
}

func (r *receiver) statuses() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []string
	for _, e := range r.events {
		if e.SMS != nil {
			out = append(out, e.SMS.Status)
		}
	}
	return out
}

// subscribe creates the webhook and both subscriptions, and returns the
// admin's token.
func (w *world) subscribe(t *testing.T, r *receiver) string {
	t.Helper()
	token := w.IssueToken(sandbox.AnaID, "change_log")
	hook, err := w.client.CreateWebhook(t.Context(), token, r.URL, hookSecret)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.client.CreateSMSSubscription(t.Context(), token, hook.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := w.client.CreateChangeLogSubscription(t.Context(), token, hook.ID); err != nil {
		t.Fatal(err)
	}
	return token
}

func (w *world) drain(t *testing.T) {
	t.Helper()
	if err := w.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestSentTextHasThreeEvents(t *testing.T) {
	w := newWorld(t, nil)
	r := newReceiver(t, nil)
	token := w.subscribe(t, r)
	result, err := w.client.SendSMS(t.Context(), token, hello)
	if err != nil {
		t.Fatal(err)
	}
	w.drain(t)
	if diff := cmp.Diff([]string{"pending", "sent", "delivered"}, r.statuses()); diff != "" {
		t.Fatal(diff)
	}
	want := &dialpad.SMSEvent{
		ID: result.ID, Direction: "outbound", FromNumber: "+14155550101", ToNumbers: []string{hello.ToNumber},
		ContactNumber: hello.ToNumber, TargetNumber: "+14155550101", TargetID: sandbox.BenID, TargetType: "user", Status: "delivered", EventAt: w.now(),
	}
	if diff := cmp.Diff(want, r.events[2].SMS); diff != "" {
		t.Error(diff)
	}
}

func TestDeliveryResultEndsUndelivered(t *testing.T) {
	w := newWorld(t, nil)
	r := newReceiver(t, nil)
	token := w.subscribe(t, r)
	w.SetDeliveryResult(hello.ToNumber, "invalid_destination")
	if _, err := w.client.SendSMS(t.Context(), token, hello); err != nil {
		t.Fatal(err)
	}
	w.drain(t)
	if last := r.events[2].SMS; last.Status != "undelivered" || last.DeliveryResult != "invalid_destination" {
		t.Errorf("last event = %+v", last)
	}
}

func TestEventFaults(t *testing.T) {
	for _, tc := range []struct {
		fault sandbox.Fault
		want  []string
	}{
		{sandbox.Fault{Kind: sandbox.EventsOff}, nil},
		{sandbox.Fault{Kind: sandbox.EventsDuplicated}, []string{"pending", "pending", "sent", "sent", "delivered", "delivered"}},
		{sandbox.Fault{Kind: sandbox.EventsReordered}, []string{"delivered", "sent", "pending"}},
		{sandbox.Fault{Kind: sandbox.EventsDelayed, Delay: 5 * time.Millisecond}, []string{"pending", "sent", "delivered"}},
	} {
		t.Run(string(tc.fault.Kind), func(t *testing.T) {
			w := newWorld(t, nil)
			r := newReceiver(t, nil)
			token := w.subscribe(t, r)
			w.Fault(tc.fault)
			if _, err := w.client.SendSMS(t.Context(), token, hello); err != nil {
				t.Fatal(err)
			}
			w.drain(t)
			if diff := cmp.Diff(tc.want, r.statuses()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEventBeforeTheResponse(t *testing.T) {
	w := newWorld(t, nil)
	r := newReceiver(t, nil)
	token := w.subscribe(t, r)
	w.Fault(sandbox.Fault{Kind: sandbox.EventBeforeAnswer, Path: "/api/v2/sms"})
	if _, err := w.client.SendSMS(t.Context(), token, hello); err != nil {
		t.Fatal(err)
	}
	if got := r.statuses(); len(got) != 3 {
		t.Errorf("when the answer came, the events were %v", got)
	}
}

// Events of a lost response arrive while the client waits: they settle
// an uncertain text.
func TestEventsArriveWhileTheResponseIsHeldBack(t *testing.T) {
	w := newWorld(t, nil)
	r := newReceiver(t, nil)
	token := w.subscribe(t, r)
	w.Fault(sandbox.Fault{Kind: sandbox.TimeoutAfterAccepting, Path: "/api/v2/sms"})
	delivered := make(chan struct{})
	r.onPost = func() {
		if r.posts == 3 {
			close(delivered)
		}
	}
	answered := make(chan error, 1)
	go func() { _, err := w.client.SendSMS(t.Context(), token, hello); answered <- err }()
	<-delivered
	select {
	case err := <-answered:
		t.Errorf("answered already: %v", err)
	default:
	}
	w.Close()
	wantKind(t, <-answered, dialpad.Lost)
}

func TestDeliveryIsRetriedAfter5xxOnly(t *testing.T) {
	w := newWorld(t, func(o *sandbox.Options) { o.RetryScale = 1e-9 })
	twice := newReceiver(t, func(post int) int {
		if post <= 2 {
			return 503
		}
		return 204
	})
	w.subscribe(t, twice)
	w.Reply("+14155550142", "+14155550101", "hello")
	w.drain(t)
	if twice.posts != 3 {
		t.Errorf("%d posts after two 503s, want 3", twice.posts)
	}
	down := newReceiver(t, func(int) int { return 500 })
	refuses := newReceiver(t, func(int) int { return 400 })
	w.subscribe(t, down)
	w.subscribe(t, refuses)
	w.SuspendUser(sandbox.BenID)
	w.drain(t)
	if down.posts != 5 || refuses.posts != 1 {
		t.Errorf("posts: %d to the receiver that is down, want 5; %d to the one that refuses, want 1", down.posts, refuses.posts)
	}
}

func TestUserChangesSendChangeLogEvents(t *testing.T) {
	w := newWorld(t, nil)
	r := newReceiver(t, nil)
	w.subscribe(t, r)
	for _, change := range []func(string) bool{w.SuspendUser, w.RestoreUser, w.RemoveNumber, w.DeleteUser} {
		if !change(sandbox.BenID) {
			t.Fatal("no such user")
		}
		w.drain(t)
	}
	if len(r.events) != 4 {
		t.Fatalf("%d events", len(r.events))
	}
	for _, e := range r.events {
		if e.Kind != dialpad.EventChangeLog || e.ChangeLog.TargetID != sandbox.BenID || !slices.Contains(e.ChangeLog.UserIDs, sandbox.BenID) {
			t.Errorf("event = %+v", e.ChangeLog)
		}
	}
}

func TestSubscriptionQuota(t *testing.T) {
	for _, numeric := range []bool{false, true} {
		w := newWorld(t, func(o *sandbox.Options) { o.NumericIDs = numeric })
		r := newReceiver(t, nil)
		token := w.subscribe(t, r)
		hooks, err := w.client.Webhooks(t.Context(), token)
		if err != nil || len(hooks) != 1 || hooks[0].URL != r.URL {
			t.Fatalf("hooks = %+v, %v", hooks, err)
		}
		subs, err := w.client.SMSSubscriptions(t.Context(), token)
		want := []dialpad.Subscription{{ID: subs[0].ID, WebhookID: hooks[0].ID, HookURL: r.URL, Enabled: true, Direction: "all", Status: true, IncludeInternal: true}}
		if diff := cmp.Diff(want, subs); diff != "" || err != nil {
			t.Error(diff, err)
		}
		for i := range 10 {
			_, err = w.client.CreateSMSSubscription(t.Context(), token, hooks[0].ID)
			if (err != nil) != (i == 9) {
				t.Errorf("subscription %d: %v", i+2, err)
			}
		}
		wantKind(t, err, dialpad.Refused)
		if err := w.client.DeleteSMSSubscription(t.Context(), token, subs[0].ID); err != nil {
			t.Error(err)
		}
		wantKind(t, w.client.DeleteSMSSubscription(t.Context(), token, subs[0].ID), dialpad.NotFound)
		if err := w.client.DeleteWebhook(t.Context(), token, hooks[0].ID); err != nil {
			t.Error(err)
		}
		orphans, err := w.client.ChangeLogSubscriptions(t.Context(), token)
		if err != nil || len(orphans) != 1 || orphans[0].WebhookID != "" {
			t.Errorf("subscription of a deleted webhook = %+v, %v", orphans, err)
		}
	}
}
