package e2e

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dialpad-texting/integrations/crm"
	dialpadsandbox "dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/internal/demotest"
	"dialpad-texting/models/modeltest"
)

// target is a process of the program under attack. Its memory and CPU time
// are the process's own: neither the sandboxes nor the attacker count.
type target struct {
	*demotest.Demo
	t        *testing.T
	pid      int
	resolved atomic.Int64 // pages of records that it asked the CRM for
	page     *demotest.Page
}

// newTarget starts a process on SQLite and connects it.
func newTarget(t *testing.T) *target {
	t.Helper()
	d, environ := demotest.StartSandboxes(t, modeltest.SQLite(t, nil), func(o *dialpadsandbox.Options) { o.RequestsPerSecond = -1 })
	x := &target{Demo: d, t: t}
	behind := &url.URL{Scheme: "http", Host: d.CRM.Addr().String()}
	proxy := httputil.NewSingleHostReverseProxy(behind)
	counted := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := readAll(r)
		if err == nil && bytes.Contains(body, []byte(`"type":"records.resolve"`)) {
			x.resolved.Add(1)
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(counted.Close)
	p := demotest.StartProcess(t, append(environ, "CRM_API_URL="+counted.URL+"/{linkname}"), "serve")
	x.pid = p.PID()
	d.Until("the app is ready", d.Ready)
	x.page = d.Connect()
	return x
}

func readAll(r *http.Request) ([]byte, error) {
	var b bytes.Buffer
	_, err := b.ReadFrom(r.Body)
	r.Body = http.NoBody
	if b.Len() > 0 {
		r.Body = readCloser{bytes.NewReader(b.Bytes())}
	}
	return b.Bytes(), err
}

type readCloser struct{ *bytes.Reader }

func (readCloser) Close() error { return nil }

// growth runs an attack and returns by how many MiB the process's memory
// grew, at its peak and after it.
func (x *target) growth(attack func()) (peak, after float64) {
	x.t.Helper()
	before := modeltest.ResidentMB(x.t, x.pid)
	done := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() {
		poll := time.NewTicker(20 * time.Millisecond)
		defer poll.Stop()
		for {
			peak = max(peak, modeltest.ResidentMB(x.t, x.pid)-before)
			select {
			case <-done:
				return
			case <-poll.C:
			}
		}
	})
	attack()
	close(done)
	watch.Wait()
	return peak, modeltest.ResidentMB(x.t, x.pid) - before
}

// cpu returns the CPU time that an attack costs the process.
func (x *target) cpu(attack func()) time.Duration {
	x.t.Helper()
	before := modeltest.CPUTime(x.t, x.pid)
	attack()
	return modeltest.CPUTime(x.t, x.pid) - before
}

func (x *target) bulk(records int) *demotest.Page {
	x.t.Helper()
	if records > 0 {
		x.CRMSandbox.Seed(records, 0)
	}
	p, _ := x.BulkPopup("42", "contact")
	return p
}

func TestHostilePreviewsTakeLittleMemory(t *testing.T) {
	x := newTarget(t)
	p := x.bulk(2100)
	long := strings.Repeat("x", 900<<10)
	for _, attack := range []struct {
		what    string
		times   int
		request func(i int) map[string]any
	}{
		{"made-up cursors of 900 KB", 500, func(i int) map[string]any {
			return map[string]any{"message": "Hi", "cursor": strconv.Itoa(i) + long + ":1"}
		}},
		{"phone fields of 900 KB", 150, func(i int) map[string]any {
			return map[string]any{"message": "Hi", "to_field": strconv.Itoa(i) + long}
		}},
		{"previews begun and left", 100, func(i int) map[string]any { return map[string]any{"message": "Hi " + strconv.Itoa(i)} }},
		{"texts of 900 KB", 1, func(i int) map[string]any {
			return map[string]any{"message": strconv.Itoa(i) + "{{Contact.firstName|x}}" + long}
		}},
	} {
		statuses := map[int]int{}
		peak, after := x.growth(func() {
			for i := range attack.times {
				statuses[p.Post("/embed/api/preview", attack.request(i)).Status]++
			}
		})
		t.Logf("%d %s: %+.0f MiB at the peak, %+.0f MiB after it; answers %v", attack.times, attack.what, peak, after, statuses)
		if peak > 64 {
			t.Errorf("%d %s take %.0f MiB", attack.times, attack.what, peak)
		}
	}
}

func TestMadeUpCursorReadsNothing(t *testing.T) {
	x := newTarget(t)
	x.CRMSandbox.Seed(4_000, 0) // twenty pages, if it reads them
	selection, count, err := x.CRMSandbox.Select("acme", "42", "contact", "")
	x.Must(err)
	token := launchedToken(x, crm.LaunchTarget{Mode: "bulk", Module: "contact", Selection: selection, Count: count})
	before := x.resolved.Load()
	r, err := http.NewRequest(http.MethodPost, x.AppURL+"/embed/api/preview", strings.NewReader(`{"message":"Hi","cursor":"x:200"}`))
	x.Must(err)
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	status := 0
	if answer, err := http.DefaultClient.Do(r); err == nil { // it may take longer than a server answers
		status = answer.StatusCode
		_ = answer.Body.Close()
	}
	pages := x.settled(&x.resolved) - before
	t.Logf("cursor x:200: %d pages of the CRM read, answered %d", pages, status)
	if pages != 0 || status != http.StatusBadRequest {
		t.Errorf("a made-up cursor reads %d pages and is answered %d", pages, status)
	}
}

// settled returns a count once it stands still.
func (x *target) settled(count *atomic.Int64) int64 {
	x.t.Helper()
	last, since := int64(-1), time.Now()
	x.Until("the count stands still", func() bool {
		if n := count.Load(); n != last {
			last, since = n, time.Now()
		}
		return time.Since(since) > time.Second
	})
	return last
}

func TestLongTextsCostLittle(t *testing.T) {
	x := newTarget(t)
	p := x.bulk(0)
	p.Post("/embed/api/preview", map[string]any{"message": "Hi {{Contact.firstName|x}}"}) // the fields are known
	most := x.costOfRefusal(p)
	for name, message := range map[string]string{
		"a field's name of 900 KB":    "{{Contact." + strings.Repeat("a", 900<<10) + "}}",
		"a module's name of 900 KB":   "{{" + strings.Repeat("a", 900<<10) + ".x}}",
		"a fallback of 900 KB":        "Hi {{Contact.firstName|" + strings.Repeat("a", 900<<10) + "}}",
		"a literal of 1 MB":           "Hi {{Contact.firstName|x}}" + strings.Repeat(" word", 200_000),
		"a literal of 600 KB accents": "Hi {{Contact.firstName|x}}" + strings.Repeat("e\u0301", 200_000),
	} {
		for path, body := range map[string]map[string]any{
			"/embed/api/preview": {"message": message},
			"/embed/api/batches": {"message": message},
		} {
			const times = 3
			var a demotest.Answer
			spent := x.cpu(func() {
				for i := range times {
					a = p.Post(path, body, "Idempotency-Key", fmt.Sprint(name, i))
				}
			})
			t.Logf("%s to %s: %v CPU a request, answered %d %s", name, path, spent/times, a.Status, a.Text("error.code"))
			if spent/times > most {
				t.Errorf("%s to %s costs %v, at most %v", name, path, spent/times, most)
			}
			if a.Status < 400 || a.Status >= 500 {
				t.Errorf("%s to %s is answered %d", name, path, a.Status)
			}
		}
	}
	if batches := x.Outbox("42").Get("/texts/api/batches"); strings.Contains(batches.Body, `"id"`) {
		t.Errorf("such a text became a batch: %.300s", batches.Body)
	}
}

// costOfRefusal is the CPU time that a text may cost which is only read to be
// refused: some times that of a body of the same size with a field that does
// not exist, on the same machine. The texts were worth seconds once.
func (x *target) costOfRefusal(p *demotest.Page) time.Duration {
	x.t.Helper()
	const times = 5
	harmless := x.cpu(func() {
		for range times {
			p.Post("/embed/api/preview", map[string]any{"message": "Hi", "no_such_field": strings.Repeat("a", 900<<10)})
		}
	}) / times
	x.t.Logf("a harmless body of 900 KB: %v CPU a request", harmless)
	return 5*harmless + 250*time.Millisecond
}

// unfinished opens connections that send all of a request but its last byte.
// It calls beside once all is sent, looks on for a second, and hangs up.
func (x *target) unfinished(n int, head string, size int, beside func()) {
	x.t.Helper()
	body := bytes.Repeat([]byte("x"), size-1)
	over, hangUp := context.WithCancel(x.t.Context())
	var open, sent sync.WaitGroup
	sent.Add(n)
	for range n {
		c, err := net.Dial("tcp", strings.TrimPrefix(x.AppURL, "http://"))
		x.Must(err)
		open.Go(func() {
			defer func() { _ = c.Close() }()
			_ = c.SetDeadline(time.Now().Add(30 * time.Second))
			context.AfterFunc(over, func() { _ = c.SetDeadline(time.Now()) })
			if _, err := fmt.Fprintf(c, "%s\r\nHost: app\r\nContent-Length: %d\r\n\r\n", head, size); err == nil {
				_, _ = c.Write(body) // whoever is refused can't write it all
			}
			sent.Done()
			_, _ = io.Copy(io.Discard, c)
		})
	}
	sent.Wait()
	beside()
	time.Sleep(time.Second)
	hangUp()
	open.Wait()
}

// plausible are the headers of a signed call whose signature is none.
func plausible() string {
	sum := make([]byte, 32)
	_, _ = rand.Read(sum)
	return fmt.Sprintf("\r\nwebhook-id: %s\r\nwebhook-timestamp: %d\r\nwebhook-signature: v1,%s", rand.Text(), time.Now().Unix(),
		base64.StdEncoding.EncodeToString(sum))
}

func TestUnfinishedBodiesTakeLittleMemory(t *testing.T) {
	const form, json = "\r\nContent-Type: application/x-www-form-urlencoded", "\r\nContent-Type: application/json"
	for name, attack := range map[string]struct {
		head string
		size int
	}{
		"webhook that is none":      {"POST /dialpad/events/x HTTP/1.1", 1 << 20},
		"webhook like a real one":   {"POST /dialpad/events/" + strings.Repeat("A", 43) + " HTTP/1.1", 1 << 20},
		"event that is not signed":  {"POST /crm/events HTTP/1.1", 1 << 20},
		"event with a forged one":   {"POST /crm/events HTTP/1.1" + plausible(), 1 << 20},
		"launch":                    {"POST /embed/popup HTTP/1.1" + form, 64 << 10},
		"preview of a user, logged": {"POST /embed/api/preview HTTP/1.1" + json + "\r\nAuthorization: Bearer ", 1 << 20},
	} {
		t.Run(name, func(t *testing.T) {
			x := newTarget(t)
			if strings.HasSuffix(attack.head, "Bearer ") {
				attack.head += launchedToken(x, demotest.Bob())
			}
			honest := ""
			peak, _ := x.growth(func() {
				x.unfinished(600, attack.head, attack.size, func() { honest = x.honest() })
			})
			t.Logf("600 unfinished bodies: %+.0f MiB; beside them an honest launch, event and webhook: %s", peak, honest)
			if peak > 96 {
				t.Errorf("600 unfinished bodies take %.0f MiB", peak)
			}
			if honest != "answered" {
				t.Errorf("beside them: %s", honest)
			}
		})
	}
}

var metaToken = regexp.MustCompile(`<meta name="session-token" content="([^"]+)">`)

// launchedToken is the bearer token of a popup.
func launchedToken(x *target, ctx crm.LaunchTarget) string {
	x.t.Helper()
	token, err := x.CRMSandbox.Token("acme", "42", crm.UsePopup, &ctx)
	x.Must(err)
	r, err := http.PostForm(x.AppURL+"/embed/popup", url.Values{"token": {token}})
	x.Must(err)
	found := metaToken.FindStringSubmatch(demotest.Read(r))
	if found == nil {
		x.t.Fatalf("launch: %d", r.StatusCode)
	}
	return found[1]
}

// honest launches a page, sends a signed event and an event of Dialpad's, and
// says what failed.
func (x *target) honest() string {
	x.t.Helper()
	if a := x.AppPage("acme", "43").Get("/apps/dialpad/status"); a.Status != http.StatusOK {
		return fmt.Sprintf("the status is answered %d", a.Status)
	}
	id := rand.Text()
	body, err := json.Marshal(map[string]any{"type": "contact.opted_in", "timestamp": time.Now().UTC(),
		"data": map[string]any{"tenant": x.CRMSandbox.Tenant("acme"), "number": "+14155550199"}})
	x.Must(err)
	r, err := http.NewRequest(http.MethodPost, x.AppURL+"/crm/events", bytes.NewReader(body))
	x.Must(err)
	r.Header = x.sign(id, body)
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	x.Must(err)
	if text := demotest.Read(answer); answer.StatusCode != http.StatusAccepted {
		return fmt.Sprintf("a signed call is answered %d %s", answer.StatusCode, text)
	}
	return "answered"
}

// sign signs a call as the CRM does.
func (x *target) sign(id string, body []byte) http.Header {
	x.t.Helper()
	for _, v := range x.Environ() {
		if csv, ok := strings.CutPrefix(v, "CRM_APP_SECRETS="); ok {
			secrets, err := crm.ParseSecrets(csv)
			x.Must(err)
			return secrets.Sign(id, time.Now(), body)
		}
	}
	x.t.Fatal("no secrets")
	return nil
}
