package handlers_test

import (
	"context"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/riverqueue/river"

	"dialpad-texting/internal/sandboxtest"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/queue"
)

// hook gives a connected tenant's webhook path and secret.
func (w *world) hook(tenantID string) (path, secret string) {
	w.t.Helper()
	c, err := w.db.Connections.Get(context.Background(), tenantID)
	w.must(err)
	path, secret, err = w.db.Connections.OpenHook(c)
	w.must(err)
	return "/dialpad/events/" + path, secret
}

func (w *world) deliver(path, body string, edits ...func(*http.Request)) response {
	w.t.Helper()
	return w.send(http.MethodPost, path, strings.NewReader(body), edits...)
}

func jwtOf(t *testing.T, method jwt.SigningMethod, key any, claims map[string]any) string {
	t.Helper()
	token, err := jwt.NewWithClaims(method, jwt.MapClaims(claims)).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func inbound(text string) map[string]any {
	return map[string]any{"id": 4508591728425777, "direction": "inbound", "from_number": "+14155550142", "to_number": []string{"+14155550100"},
		"message_status": "pending", "text": text, "event_timestamp": 1772463600000, "contact": map[string]any{"phone_number": "+14155550142"}}
}

// stored are the events that wait to be processed.
func (w *world) stored() []ledger.WebhookEvent {
	w.t.Helper()
	jobs, err := w.db.River(&river.Config{})
	w.must(err)
	list, err := jobs.JobList(context.Background(), river.NewJobListParams().Kinds(queue.ProcessEvent{}.Kind()).First(1000))
	w.must(err)
	var out []ledger.WebhookEvent
	for _, j := range list.Jobs {
		var args queue.ProcessEvent
		w.must(unmarshal(j.EncodedArgs, &args))
		e, err := w.db.Events.Get(context.Background(), args.TenantID, args.EventID)
		w.must(err)
		out = append(out, e)
	}
	return out
}

func TestAnEventIsStoredWithoutItsText(t *testing.T) {
	w := newWorld(t)
	w.db.Tenant("t_9").Connected("c1")
	path, secret := w.hook("t_9")
	private := "meet me at the usual place"
	body := jwtOf(t, jwt.SigningMethodHS256, []byte(secret), inbound(private))
	w.deliver(path, body).want(204, "")
	w.deliver(path, body, header("Sec-Fetch-Site", "cross-site")).want(204, "") // again, and whatever it claims to be
	events := w.stored()
	if len(events) != 1 {
		t.Fatalf("%d events", len(events))
	}
	e := events[0]
	if e.DialpadID != "4508591728425777" || e.FromNumber != "+14155550142" || e.ToNumber != "+14155550100" || e.Direction != "inbound" ||
		e.Kind != ledger.EventSMS || e.OptWord != "" || e.EventAt == nil || e.BodyHash == "" || e.TenantID != "t_9" {
		t.Errorf("stored %+v", e)
	}
	if strings.Contains(w.log.String(), private) || strings.Contains(w.log.String(), "+14155550142") || strings.Contains(w.log.String(), strings.TrimPrefix(path, "/dialpad/events/")) {
		t.Errorf("the log knows too much: %s", w.log)
	}
	c, err := w.db.Connections.Get(t.Context(), "t_9")
	w.must(err)
	if c.LastEventAt == nil {
		t.Error("the connection does not know of the event")
	}
}

func TestStopIsInForceWhenTheEventIsAnswered(t *testing.T) {
	w := newWorld(t)
	w.db.Tenant("t_9").Connected("c1").Account("1", "ana@acme.com", "+14155550100")
	path, secret := w.hook("t_9")
	out := func(number string) bool {
		t.Helper()
		suppressed, err := w.db.Suppressions.Contains(t.Context(), "t_9", number)
		w.must(err)
		return suppressed
	}
	at := w.clock.Now().Add(-24 * time.Hour)
	deliver := func(text string, edits map[string]any) {
		t.Helper()
		e := inbound(text)
		at = at.Add(time.Minute)
		e["event_timestamp"] = at.UnixMilli()
		for key, value := range edits {
			if e[key] = value; value == nil {
				delete(e, key)
			}
		}
		w.deliver(path, jwtOf(t, jwt.SigningMethodHS256, []byte(secret), e)).want(204, "")
	}
	const bob = "+14155550142"
	deliver("STOP", map[string]any{"direction": "outbound", "from_number": "+14155550100", "to_number": []string{bob}})
	if out("+14155550100") || out(bob) {
		t.Error("our own people's STOP counted")
	}
	for name, edits := range map[string]map[string]any{
		"as documented":          nil,
		"no plus":                {"from_number": "14155550142"},
		"a JSON number":          {"from_number": 14155550142, "to_number": 14155550100},
		"national":               {"from_number": "(415) 555-0142"},
		"contact only":           {"from_number": nil},
		"no direction":           {"direction": nil},
		"no direction or status": {"direction": nil, "message_status": nil},
		"no to_number":           {"to_number": nil, "direction": nil, "target": map[string]any{"phone_number": "(415) 555-0100"}},
		"text_content":           {"text": " ", "text_content": "STOP ALL"},
	} {
		deliver("Stop.", edits)
		if !out(bob) {
			t.Errorf("%s: the STOP is lost", name)
		}
		deliver("START", nil)
		if out(bob) {
			t.Errorf("%s: the START is lost", name)
		}
	}
}

func TestAnEventWithWhiteSpaceIsTheSameEvent(t *testing.T) {
	w := newWorld(t)
	w.db.Tenant("t_9").Connected("c1")
	path, secret := w.hook("t_9")
	body := jwtOf(t, jwt.SigningMethodHS256, []byte(secret), inbound("hello"))
	for _, again := range []string{body, body + "\n", " \t" + body + "\r\n"} {
		w.deliver(path, again).want(204, "")
	}
	if n := len(w.stored()); n != 1 {
		t.Errorf("%d events", n)
	}
}

func TestAForgedEventIsRefused(t *testing.T) {
	w := newWorld(t)
	w.db.Tenant("t_9").Connected("c1")
	w.db.Tenant("t_10").Connected("c2")
	path, secret := w.hook("t_9")
	otherPath, otherSecret := w.hook("t_10")
	good := jwtOf(t, jwt.SigningMethodHS256, []byte(secret), inbound("hello"))
	parts := strings.Split(good, ".")
	payload := base64.RawURLEncoding.EncodeToString([]byte(`{"id":"1","message_status":"delivered"}`))
	for name, body := range map[string]string{
		"nothing":             "",
		"plain JSON":          `{"id":"1","message_status":"delivered"}`,
		"alg none":            jwtOf(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, inbound("hello")),
		"HS512":               jwtOf(t, jwt.SigningMethodHS512, []byte(secret), inbound("hello")),
		"another's secret":    jwtOf(t, jwt.SigningMethodHS256, []byte(otherSecret), inbound("hello")),
		"an empty secret":     jwtOf(t, jwt.SigningMethodHS256, []byte(""), inbound("hello")),
		"another payload":     parts[0] + "." + payload + "." + parts[2],
		"without a signature": parts[0] + "." + parts[1] + ".",
		"a JSON string of it": `"` + good + `"`,
	} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			w.deliver(path, body).want(401, "bad_signature")
		})
	}
	w.t = t
	w.deliver(otherPath, good).want(401, "bad_signature") // good, but not there
	w.deliver("/dialpad/events/nobody", good).want(404, "not_found")
	w.deliver(path, strings.Repeat("x", 1<<20+1)).want(413, "too_large")
	w.send("GET", path, nil).want(405, "method_not_allowed")
	if n := len(w.stored()); n != 0 {
		t.Errorf("%d events were stored", n)
	}
	w.must(w.db.Connections.Disconnect(t.Context(), "t_9"))
	// The address is known for a moment without reading it again.
	sandboxtest.Eventually(t, time.Minute, "the address is nobody's", func() bool { return w.deliver(path, good).status == 404 })
}

// Dialpad never repeats an event that is answered 4xx, so our own errors
// must be 5xx.
func TestOwnErrorsAreAnsweredForRepetition(t *testing.T) {
	w := newWorld(t)
	w.db.Tenant("t_9").Connected("c1")
	path, secret := w.hook("t_9")
	w.must(w.db.Close())
	w.deliver(path, jwtOf(t, jwt.SigningMethodHS256, []byte(secret), inbound("hello"))).want(500, "internal")
}

func TestChangeLogEventMarksItsUsers(t *testing.T) {
	w := newWorld(t)
	w.db.Tenant("t_9").Connected("c1").Account("4508591728425001", "ana@acme.com", "+14155550100")
	path, secret := w.hook("t_9")
	w.deliver(path, jwtOf(t, jwt.SigningMethodHS256, []byte(secret), map[string]any{"action": "user_suspended", "date": 1772463600000,
		"target": map[string]any{"type": "user", "id": "4508591728425001"}, "changed_by": "Ana"})).want(204, "")
	stale, err := w.db.Accounts.Stale(t.Context(), "t_9", 10)
	w.must(err)
	if len(stale) != 1 || w.stored()[0].Kind != ledger.EventChangeLog {
		t.Errorf("%d accounts are stale", len(stale))
	}
}

// The sandbox's own events, from a subscription that connecting made.
func TestSandboxEventsAreStored(t *testing.T) {
	w := newWorld(t).connected()
	if !w.dialpad.Reply("+14155550142", "+14155550100", "hello") {
		t.Fatal("no reply")
	}
	w.must(w.dialpad.Drain(t.Context()))
	if len(w.stored()) == 0 {
		t.Errorf("nothing arrived: %+v", w.dialpad.Deliveries())
	}
}
