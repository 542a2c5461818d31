package handlers_test

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
)

func unchecked(o *setup) { o.unchecked = true }

// heap is the memory in use after a collection.
func heap() int64 {
	runtime.GC()
	runtime.GC() // for what the first one's finalizers held
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// unfinished is a body that never ends: after n bytes it waits.
type unfinished struct {
	n       int
	arrived func() // called when all but the end was read
	end     <-chan struct{}
}

func (u *unfinished) Read(p []byte) (int, error) {
	if u.n > 0 {
		n := min(len(p), u.n)
		clear(p[:n])
		u.n -= n
		return n, nil
	}
	u.arrived()
	<-u.end
	return 0, io.ErrUnexpectedEOF
}

// forged are the headers of a signed call whose signature is none.
func (w *world) forged(r *http.Request) {
	sum := make([]byte, 32)
	_, _ = rand.Read(sum)
	r.Header.Set("Webhook-Id", rand.Text())
	r.Header.Set("Webhook-Timestamp", strconv.FormatInt(w.clock.Now().Unix(), 10))
	r.Header.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(sum))
}

// bodyDoor is an address that takes a body, for somebody who sends no more
// than it needs to be read.
type bodyDoor struct {
	method, path string
	size         int
	edit         func(*http.Request)
}

func (w *world) bodyDoors() map[string]bodyDoor {
	w.t.Helper()
	hook, _ := w.hook("t_9")
	popup, page := w.popup("acme", "42", one("+14155550142")), w.page("acme", "42")
	form := header("Content-Type", "application/x-www-form-urlencoded")
	bearer := func(token string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Authorization", "Bearer "+token)
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Idempotency-Key", "k")
		}
	}
	const id = seededBatch
	return map[string]bodyDoor{
		"a webhook":            {"POST", hook, 1 << 20, form},
		"a made-up webhook":    {"POST", "/dialpad/events/" + models.NewSecret(), 1 << 20, form},
		"an event":             {"POST", "/crm/events", 1 << 20, w.forged},
		"a definition":         {"POST", "/automation/definition", 1 << 20, w.forged},
		"options":              {"POST", "/automation/options", 1 << 20, w.forged},
		"an execute":           {"POST", "/automation/execute", 1 << 20, w.forged},
		"the popup's launch":   {"POST", "/embed/popup", 64 << 10, form},
		"the page's launch":    {"POST", "/apps/dialpad", 64 << 10, form},
		"the outbox's launch":  {"POST", "/texts", 64 << 10, form},
		"the confirmation":     {"POST", "/connect/confirm", 64 << 10, form},
		"a renewal":            {"POST", "/embed/api/session", 1 << 20, bearer(popup)},
		"a preview":            {"POST", "/embed/api/preview", 1 << 20, bearer(popup)},
		"a render":             {"POST", "/embed/api/render", 1 << 20, bearer(popup)},
		"a batch":              {"POST", "/embed/api/batches", 1 << 20, bearer(popup)},
		"a test":               {"POST", "/embed/api/tests", 1 << 20, bearer(popup)},
		"an edit":              {"PATCH", "/embed/api/batches/" + id, 1 << 20, bearer(popup)},
		"a cancel":             {"POST", "/embed/api/batches/" + id + "/cancel", 1 << 20, bearer(popup)},
		"a pause":              {"POST", "/embed/api/batches/" + id + "/pause", 1 << 20, bearer(popup)},
		"a resume":             {"POST", "/embed/api/batches/" + id + "/resume", 1 << 20, bearer(popup)},
		"a resend":             {"POST", "/embed/api/batches/" + id + "/resend", 1 << 20, bearer(popup)},
		"a duplicate":          {"POST", "/embed/api/batches/" + id + "/duplicate", 1 << 20, bearer(popup)},
		"a draft":              {"PUT", "/embed/api/draft", 1 << 20, bearer(popup)},
		"preferences":          {"PUT", "/embed/api/preferences", 1 << 20, bearer(popup)},
		"what was seen":        {"POST", "/texts/api/seen", 1 << 20, bearer(page)},
		"a resume of all":      {"POST", "/texts/api/resume", 1 << 20, bearer(page)},
		"a message's cancel":   {"POST", "/embed/api/messages/" + id + "/cancel", 1 << 20, bearer(popup)},
		"an opt-out":           {"POST", "/embed/api/opt-outs", 1 << 20, bearer(popup)},
		"an install":           {"POST", "/apps/dialpad/install", 1 << 20, bearer(page)},
		"a connect":            {"POST", "/apps/dialpad/connect", 1 << 20, bearer(page)},
		"a disconnect":         {"POST", "/apps/dialpad/disconnect", 1 << 20, bearer(page)},
		"a removal":            {"POST", "/apps/dialpad/remove", 1 << 20, bearer(page)},
		"settings":             {"PUT", "/apps/dialpad/settings", 1 << 20, bearer(page)},
		"an address that none": {"POST", "/nowhere", 1 << 20, form},
	}
}

// A new address that takes a body joins those whose memory is measured.
func TestEveryOperationWithABodyIsADoor(t *testing.T) {
	w := newWorld(t).connected()
	var doors []string
	for _, d := range w.bodyDoors() {
		path := strings.Replace(d.path, seededBatch, "{id}", 1)
		if strings.HasPrefix(path, "/dialpad/events/") {
			path = "/dialpad/events/{path}"
		}
		doors = append(doors, d.method+" "+path)
	}
	for _, o := range operations(t) {
		if o.method != http.MethodGet && o.method != http.MethodHead && !slices.Contains(doors, o.String()) {
			t.Errorf("%s is not in bodyDoors", o)
		}
	}
}

// serve answers a request without a wire.
func (w *world) serve(method, path string, body io.Reader, size int64, edits ...func(*http.Request)) *httptest.ResponseRecorder {
	w.t.Helper()
	r := httptest.NewRequestWithContext(w.t.Context(), method, w.app.URL+path, body)
	r.ContentLength, r.RemoteAddr = size, "192.0.2.1:1234"
	for _, edit := range edits {
		edit(r)
	}
	answer := httptest.NewRecorder()
	w.handler.ServeHTTP(answer, r)
	return answer
}

// At each door hundreds of bodies that never end hold little memory, and
// what is genuine is answered beside them.
func TestUnfinishedBodiesHoldLittle(t *testing.T) {
	const bodies = 200
	w := newWorld(t, unchecked).connected()
	hook, secret := w.hook("t_9")
	event := jwtOf(t, jwt.SigningMethodHS256, []byte(secret), inbound("hello"))
	for name, door := range w.bodyDoors() {
		end := make(chan struct{})
		var held, over sync.WaitGroup
		before := heap()
		held.Add(bodies)
		for i := range bodies {
			once := sync.OnceFunc(held.Done)
			over.Go(func() {
				defer once() // it was refused
				from := fmt.Sprintf("198.51.100.%d", i%200)
				size := int64(door.size) - int64(i%2)*int64(door.size+1) // every second one does not say how long it is
				w.serve(door.method, door.path, &unfinished{door.size - 1, once, end}, size, door.edit, header("X-Forwarded-For", from))
			})
		}
		held.Wait()
		if grown := heap() - before; grown > 48<<20 {
			t.Errorf("%d unfinished bodies of %s hold %d MiB", bodies, name, grown>>20)
		}
		for what, status := range map[string]int{
			"launch":  w.form("/apps/dialpad", url.Values{"token": {w.token("acme", "43", crm.UsePage, nil)}}).status - 200,
			"call":    w.event(crm.EventOptedIn, map[string]any{"tenant": tenantBlock(), "number": "+14155550142"}).status - 202,
			"webhook": w.deliver(hook, event).status - 204,
		} {
			if status != 0 {
				t.Errorf("beside the unfinished bodies of %s a %s is refused", name, what)
			}
		}
		close(end)
		over.Wait()
		if left := heap() - before; left > 8<<20 {
			t.Errorf("the unfinished bodies of %s leave %d MiB", name, left>>20)
		}
	}
}

// What hostile requests bring along is kept nowhere: neither in a cache, nor
// under a name in a map.
func TestHostileRequestsLeaveNothingBehind(t *testing.T) {
	w := newWorld(t, unchecked).connected()
	popup, page := w.popup("acme", "42", one("+14155550142")), w.page("acme", "42")
	long := strings.Repeat("x", 200<<10)
	unique := func(i int) string { return strconv.Itoa(i) + long }
	text := func(_ int, v map[string]any) string {
		body, err := json.Marshal(v)
		w.must(err)
		return string(body)
	}
	session := func(token string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Authorization", "Bearer "+token)
			r.Header.Set("Content-Type", "application/json")
		}
	}
	nothing := func(*http.Request) {}
	forms := header("Content-Type", "application/x-www-form-urlencoded")
	for name, hostile := range map[string]func(i int) (method, path, body string, edit func(*http.Request)){
		"preview cursors": func(i int) (string, string, string, func(*http.Request)) {
			return "POST", "/embed/api/preview", text(i, map[string]any{"message": "Hi", "cursor": unique(i)}), session(popup)
		},
		"texts": func(i int) (string, string, string, func(*http.Request)) {
			return "POST", "/embed/api/preview", text(i, map[string]any{"message": unique(i)}), session(popup)
		},
		"phone fields": func(i int) (string, string, string, func(*http.Request)) {
			return "POST", "/embed/api/preview", text(i, map[string]any{"message": "Hi", "to_field": unique(i)}), session(popup)
		},
		"field names": func(i int) (string, string, string, func(*http.Request)) {
			return "POST", "/embed/api/preview", text(i, map[string]any{"message": "{{Contact." + unique(i) + "}}"}), session(popup)
		},
		"unknown keys": func(i int) (string, string, string, func(*http.Request)) {
			return "POST", "/embed/api/preview", text(i, map[string]any{unique(i): 1}), session(popup)
		},
		"idempotency keys": func(i int) (string, string, string, func(*http.Request)) {
			return "POST", "/embed/api/batches", text(i, map[string]any{"message": "Hi"}), func(r *http.Request) {
				session(popup)(r)
				r.Header.Set("Idempotency-Key", unique(i))
			}
		},
		"template ids": func(i int) (string, string, string, func(*http.Request)) {
			return "POST", "/embed/api/render", text(i, map[string]any{"template_id": unique(i)}), session(popup)
		},
		"opt-outs": func(i int) (string, string, string, func(*http.Request)) {
			return "POST", "/embed/api/opt-outs", text(i, map[string]any{"action": "opt_out", "number": unique(i), "how": unique(i)}), session(popup)
		},
		"settings": func(i int) (string, string, string, func(*http.Request)) {
			return "PUT", "/apps/dialpad/settings", text(i, map[string]any{"opt_out_line": unique(i), "country": unique(i)}), session(page)
		},
		"lists": func(i int) (string, string, string, func(*http.Request)) {
			return "GET", "/texts/api/batches?q=" + unique(i) + "&cursor=" + unique(i), "", session(page)
		},
		"ids": func(i int) (string, string, string, func(*http.Request)) {
			return "GET", "/embed/api/batches/" + unique(i), "", session(popup)
		},
		"sessions": func(i int) (string, string, string, func(*http.Request)) {
			return "GET", "/apps/dialpad/status", "", session(unique(i))
		},
		"webhooks": func(i int) (string, string, string, func(*http.Request)) {
			return "POST", "/dialpad/events/" + unique(i), unique(i), nothing
		},
		"events of a webhook": func(i int) (string, string, string, func(*http.Request)) {
			hook, _ := w.hook("t_9")
			return "POST", hook, unique(i), nothing
		},
		"calls": func(i int) (string, string, string, func(*http.Request)) {
			return "POST", "/crm/events", unique(i), w.forged
		},
		"launches": func(i int) (string, string, string, func(*http.Request)) {
			return "POST", "/embed/popup", "token=" + unique(i)[:60<<10], forms
		},
		"renewals": func(i int) (string, string, string, func(*http.Request)) {
			return "POST", "/embed/api/session", text(i, map[string]any{"token": unique(i)[:60<<10]}), session(popup)
		},
		"confirmations": func(i int) (string, string, string, func(*http.Request)) {
			return "POST", "/connect/confirm", "action=connect&state=" + unique(i)[:3<<10], forms
		},
		"tickets": func(i int) (string, string, string, func(*http.Request)) {
			return "GET", "/connect?ticket=" + unique(i), "", nothing
		},
		"callbacks": func(i int) (string, string, string, func(*http.Request)) {
			return "GET", "/connect/callback?state=" + unique(i) + "&code=" + unique(i), "", nothing
		},
		"page cookies": func(i int) (string, string, string, func(*http.Request)) {
			return "GET", "/texts", "", header("Cookie", "__Host-page="+unique(i))
		},
		"methods": func(i int) (string, string, string, func(*http.Request)) {
			return unique(i)[:100], "/healthz", "", nothing
		},
	} {
		statuses := map[int]int{}
		run := func(from, to int) {
			for i := from; i < to; i++ {
				method, path, body, edit := hostile(i)
				address := fmt.Sprintf("2001:db8:%x:%x::1", i>>16, i&0xffff) // each of another network
				answer := w.serve(method, path, strings.NewReader(body), int64(len(body)), edit, header("X-Forwarded-For", address))
				statuses[answer.Code]++
			}
		}
		run(0, 10) // what is made once
		before := heap()
		run(10, 50)
		if grown := heap() - before; grown > 2<<20 {
			t.Errorf("40 hostile %s leave %d KiB", name, grown>>10)
		}
		for status := range statuses {
			if status < 400 || status >= 500 {
				t.Errorf("hostile %s are answered %v", name, statuses)
				break
			}
		}
	}
}

// What can't be right is answered before its body has come, and the
// connection is closed.
func TestRefusedBeforeTheBodyIsRead(t *testing.T) {
	w := newWorld(t, unchecked).connected()
	hook, _ := w.hook("t_9")
	stale := w.secrets.Sign("msg_1", w.clock.Now().Add(-6*time.Minute), nil)
	for name, c := range map[string]struct {
		path   string
		length int
		edit   func(*http.Request)
		want   int
	}{
		"a webhook that can't be ours": {"/dialpad/events/x", 100, nil, 404},
		"a webhook that is nobody's":   {"/dialpad/events/" + models.NewSecret(), 100, nil, 404},
		"a large event":                {hook, 1 << 20, nil, 413},
		"a call without headers":       {"/crm/events", 100, nil, 401},
		"a call signed long ago":       {"/automation/execute", 100, func(r *http.Request) { r.Header = stale }, 401},
		"a call with half a signature": {"/crm/events", 100, func(r *http.Request) { w.forged(r); r.Header.Set("Webhook-Signature", "v1,eA==") }, 401},
		"a call with a long id":        {"/crm/events", 100, func(r *http.Request) { w.forged(r); r.Header.Set("Webhook-Id", strings.Repeat("m", 256)) }, 401},
		"a large call":                 {"/crm/events", 1<<20 + 1, w.forged, 413},
		"a page's call without bearer": {"/embed/api/preview", 100, nil, 401},
		"a page's call, made-up":       {"/embed/api/preview", 100, header("Authorization", "Bearer "+models.NewSecret()), 401},
		"a renewal without a session":  {"/embed/api/session", 100, header("Authorization", "Bearer x"), 401},
		"a large launch":               {"/embed/popup", 64<<10 + 1, nil, 413},
		"an address that is none":      {"/nowhere", 100, nil, 404},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, c.path, nil)
			if c.edit != nil {
				c.edit(r)
			}
			connection, err := net.Dial("tcp", strings.TrimPrefix(w.app.URL, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer connection.Close()
			var head bytes.Buffer
			fmt.Fprintf(&head, "POST %s HTTP/1.1\r\nHost: app\r\nContent-Length: %d\r\n", c.path, c.length)
			_ = r.Header.Write(&head)
			head.WriteString("\r\n{") // and no more
			if _, err := connection.Write(head.Bytes()); err != nil {
				t.Fatal(err)
			}
			answer, err := http.ReadResponse(bufio.NewReader(connection), r)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			if answer.StatusCode != c.want || !answer.Close {
				t.Errorf("answered %d, closed: %v", answer.StatusCode, answer.Close)
			}
		})
	}
}

func from(address string) func(*http.Request) { return header("X-Forwarded-For", address) }

// An address that failed too often is told so. What is genuine passes all
// the same: colleagues, and the CRM's servers, have one address.
func TestAddressesThatFailTooOften(t *testing.T) {
	w := newWorld(t).connected()
	const bad, good = "203.0.113.7", "203.0.113.8"
	launch := func(token string, edits ...func(*http.Request)) response {
		return w.form("/apps/dialpad", url.Values{"token": {token}}, edits...)
	}
	forge := func(address string) int {
		return w.ask("/crm/events", "msg", []byte("{}"), w.forged, from(address)).status
	}
	for i := range 1000 {
		if got := forge(bad); got != 401 {
			t.Fatalf("forgery %d is answered %d", i+1, got)
		}
	}
	r := launch("forged", from(bad)).plainPage(429)
	if forge(bad) != 429 || r.header.Get("Retry-After") == "" {
		t.Error("more forgeries are answered as before")
	}
	w.call("GET", "/apps/dialpad/status", models.NewSecret(), nil, from(bad)).want(429, "too_many_failures")
	if got := forge(good); got != 401 {
		t.Errorf("another address is answered %d", got)
	}
	if got := forge(bad + ", " + good); got != 401 {
		t.Errorf("an address that the client writes itself counts: %d", got)
	}
	launch(w.token("acme", "43", crm.UsePage, nil), from(bad)).want(200, "")
	w.ask("/crm/events", crm.NewID(), w.envelope(crm.EventOptedIn, map[string]any{"tenant": tenantBlock(), "number": "+14155550142"}), from(bad)).want(202, "")
	hook, secret := w.hook("t_9")
	w.deliver(hook, jwtOf(t, jwt.SigningMethodHS256, []byte(secret), inbound("hello")), from(bad)).want(204, "")
	w.deliver("/dialpad/events/"+models.NewSecret(), "x", from(bad)).want(404, "not_found") // 429 is never repeated
	w.deliver(hook, "x", from(bad)).want(401, "bad_signature")
	launch(strings.Repeat("x", 20<<10), from(bad)).plainPage(429) // nothing genuine is so large
	w.clock.Add(time.Minute)
	if got := forge(bad); got != 401 {
		t.Errorf("after a minute: %d", got)
	}
}

// Who connects from no proxy of ours can't choose an address.
func TestForwardedAddressesOfStrangersDoNotCount(t *testing.T) {
	w := newWorld(t, unchecked)
	forge := func(remote, forwarded string) int {
		return w.serve("POST", "/embed/popup", strings.NewReader("token=x"), 7, func(r *http.Request) {
			r.RemoteAddr = remote + ":1234"
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("X-Forwarded-For", forwarded)
		}).Code
	}
	for i := range 1000 {
		forge("198.51.100.1", fmt.Sprintf("203.0.113.%d", i%250))
	}
	if a, b := forge("198.51.100.1", "203.0.113.251"), forge("198.51.100.2", "198.51.100.1"); a != 429 || b != 401 {
		t.Errorf("answered %d, and %d to a bystander", a, b)
	}
	for i := range 1000 { // one subscriber's network
		forge(fmt.Sprintf("[2001:db8:0:1::%x]", i), "")
	}
	if a, b := forge("[2001:db8:0:1:ffff::]", ""), forge("[2001:db8:0:2::]", ""); a != 429 || b != 401 {
		t.Errorf("of IPv6: answered %d, and %d to a neighbour", a, b)
	}
}
