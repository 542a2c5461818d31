package sandbox

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const maxBody = 1 << 20

// call is one API request, its body read. For api routes user and company are whom the token speaks for.
type call struct {
	r       *http.Request
	body    []byte
	now     time.Time
	token   *accessToken
	user    *User
	company *company
}

// answer is what a handler says; nothing is written before the faults had their say.
type answer struct {
	status     int
	body       []byte
	retryAfter string
	after      func(before bool) // runs without the lock once the call is accepted; before = ahead of the answer
}

type apiFunc func(*call) answer

// lockKind says which lock on the world a handler runs under. Handlers do no I/O.
type lockKind bool

const (
	reads  lockKind = false
	writes lockKind = true
)

// api wraps a handler that needs a token.
func (s *Sandbox) api(lock lockKind, f apiFunc) http.HandlerFunc {
	return s.open(lock, func(c *call) answer {
		if refused, ok := s.authenticate(c); !ok {
			return refused
		}
		if wait, ok := c.company.requests.take(c.now, s.opts.RequestsPerSecond); !ok {
			return s.rateLimited(wait)
		}
		return f(c)
	})
}

// open wraps a handler that needs none.
func (s *Sandbox) open(lock lockKind, f apiFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		isSMS := r.URL.Path == smsPath
		if isSMS {
			s.ledger.posts.Add(1)
		}
		before := s.faults.take(r.URL.Path, beforeReading)
		if before != nil && before.Kind == DropBeforeReading {
			s.note(r, 0, before)
			drop(w)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			s.respond(w, r, refuse(http.StatusRequestEntityTooLarge, "Request entity too large"), nil)
			return
		}
		if slow := s.faults.take(r.URL.Path, slowing); slow != nil {
			s.wait(slow.Delay)
		}
		if f := s.faults.take(r.URL.Path, instead(body)); f != nil {
			s.respond(w, r, f.answer(), f)
			return
		}
		a := s.run(lock, f, &call{r: r, body: body, now: s.now()})
		s.finish(w, r, a)
	}
}

func (s *Sandbox) run(lock lockKind, f apiFunc, c *call) answer {
	if lock == writes {
		s.mu.Lock()
		defer s.mu.Unlock()
	} else {
		s.mu.RLock()
		defer s.mu.RUnlock()
	}
	return f(c)
}

// finish answers a call that was handled, unless a fault loses the answer.
func (s *Sandbox) finish(w http.ResponseWriter, r *http.Request, a answer) {
	s.pending.Add(1) // Drain, called on the answer, must see the events that only begin after it
	defer s.pending.Add(-1)
	f := s.faults.take(r.URL.Path, afterAccepting)
	early := a.after != nil && s.faults.take(r.URL.Path, eventsEarly) != nil
	switch {
	case a.after == nil:
	case early || f != nil:
		a.after(early)
	default: // the answer first, all of it: net/http would flush it only when the handler returns
		defer func() {
			_ = http.NewResponseController(w).Flush()
			a.after(false)
		}()
	}
	if f == nil {
		s.respond(w, r, a, nil)
		return
	}
	switch f.Kind {
	case ErrorAfterAccepting:
		s.respond(w, r, refuse(http.StatusInternalServerError, "Internal error"), f)
	case TimeoutAfterAccepting:
		s.note(r, 0, f)
		s.hold(r, f.Delay)
		drop(w)
	case ResetMidResponse:
		s.note(r, 0, f)
		resetHalfWay(w, a)
	default:
		s.note(r, 0, f)
		drop(w)
	}
}

func (s *Sandbox) respond(w http.ResponseWriter, r *http.Request, a answer, f *Fault) {
	s.note(r, a.status, f)
	h := w.Header()
	if a.retryAfter != "" {
		h["Retry-After"] = []string{a.retryAfter}
	}
	if a.body != nil {
		h["Content-Type"] = jsonType
		h["Content-Length"] = []string{strconv.Itoa(len(a.body))}
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // the client may be gone
}

var jsonType = []string{"application/json; charset=utf-8"}

// ok answers with JSON.
func ok(v any) answer {
	body, err := json.Marshal(v)
	if err != nil {
		return refuse(http.StatusInternalServerError, "Internal error")
	}
	return answer{status: http.StatusOK, body: body}
}

// refuse answers with the error shape that integrators read.
func refuse(status int, message string) answer {
	type words struct {
		Message string `json:"message"`
	}
	body, _ := json.Marshal(map[string]any{"error": map[string]any{ // strings only: can't fail
		"code": status, "message": message, "errors": []words{{message}},
	}})
	return answer{status: status, body: body}
}

// authenticate finds whom the bearer token speaks for. The caller holds the lock.
func (s *Sandbox) authenticate(c *call) (answer, bool) {
	bearer, found := strings.CutPrefix(c.r.Header.Get("Authorization"), "Bearer ")
	token := s.access[bearer]
	if !found || token == nil || token.grant.revoked || (!token.expiry.IsZero() && !c.now.Before(token.expiry)) {
		return refuse(http.StatusUnauthorized, "Invalid or expired access token"), false
	}
	user := s.users[token.grant.userID]
	if user == nil || user.State != "active" {
		return refuse(http.StatusUnauthorized, "The user of this token is not active"), false
	}
	c.token, c.user, c.company = token, user, s.companies[user.CompanyID]
	// A disabled app may still ask whether it is disabled: otherwise nobody could.
	if c.company.appDisabled && c.r.URL.Path != "/api/v2/app/settings" {
		return refuse(http.StatusUnauthorized, "This app is disabled for the company"), false
	}
	return answer{}, true
}

// admins lets company admins through.
func admins(f apiFunc) apiFunc {
	return func(c *call) answer {
		if !c.user.IsSuperAdmin {
			return refuse(http.StatusForbidden, "Requires a company admin API key")
		}
		return f(c)
	}
}

func anyone(f apiFunc) apiFunc { return f }

// id renders a REST id as this sandbox was told to.
func (s *Sandbox) id(v string) any {
	if s.opts.NumericIDs {
		return json.Number(v)
	}
	return v
}

// stamp is a REST time: no zone, although Dialpad's schema says date-time.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05") }

// wait blocks for d, or until Close.
func (s *Sandbox) wait(d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.ctx.Done():
	}
}

// hold keeps a request without an answer until the client gives up, Close, or d (0 = for ever).
func (s *Sandbox) hold(r *http.Request, d time.Duration) {
	var over <-chan time.Time
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-r.Context().Done():
	case <-s.ctx.Done():
	case <-over:
	}
}

// note remembers a request for the admin page and for tests.
func (s *Sandbox) note(r *http.Request, status int, f *Fault) {
	n := Request{At: s.now(), Method: r.Method, Path: r.URL.Path, Status: status}
	if f != nil {
		n.Fault = f.Kind
	}
	s.requests.add(n)
}
