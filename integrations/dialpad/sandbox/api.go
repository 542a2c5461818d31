package sandbox

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	maxBody     = 1 << 20 // bytes of a request body
	maxPageSize = 100
)

// apiRequest is one API call whose body was read. token, user and
// company are set for calls with a token.
type apiRequest struct {
	http    *http.Request
	body    []byte
	now     time.Time
	token   *accessToken
	user    *User
	company *company
}

// response is a handler's answer. It is written only after the faults
// were applied.
type response struct {
	status     int
	body       []byte
	retryAfter string

	// sendEvents runs without the lock once the call is accepted. now
	// means ahead of the response.
	sendEvents func(now bool)
}

type apiHandler func(*apiRequest) response

// lockMode is how a handler locks the state. Handlers do no I/O.
type lockMode bool

const (
	readLock  lockMode = false
	writeLock lockMode = true
)

// apiServer runs API handlers: faults, authentication, rate limits.
type apiServer struct {
	*state
	faults     *FaultInjector
	recorder   *Recorder
	background *background
}

// withToken wraps a handler that needs an access token.
func (s *apiServer) withToken(lock lockMode, handle apiHandler) http.HandlerFunc {
	return s.withoutToken(lock, func(c *apiRequest) response {
		if refused, ok := s.authenticate(c); !ok {
			return refused
		}
		if wait, ok := c.company.requests.allow(c.now, s.opts.RequestsPerSecond); !ok {
			return s.rateLimited(wait)
		}
		return handle(c)
	})
}

// withoutToken wraps a handler that needs no access token.
func (s *apiServer) withoutToken(lock lockMode, handle apiHandler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		path := r.URL.Path
		if path == smsPath {
			s.recorder.posts.Add(1)
		}
		if fault := s.faults.take(path, beforeReading); fault != nil {
			s.record(r, 0, fault)
			s.recorder.recordPost(closeConn(w))
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			s.respond(w, r, refuse(http.StatusRequestEntityTooLarge, "Request entity too large"), nil)
			return
		}
		if path == smsPath {
			s.recorder.recordPost(body)
		}
		if slow := s.faults.take(path, beforeHandling); slow != nil {
			s.background.sleep(slow.Delay)
		}
		if fault := s.faults.take(path, insteadOfHandling(body)); fault != nil {
			s.respond(w, r, fault.response(), fault)
			return
		}
		a := s.runLocked(lock, handle, &apiRequest{http: r, body: body, now: s.now()})
		s.finish(w, r, a)
	}
}

func (s *apiServer) runLocked(lock lockMode, handle apiHandler, c *apiRequest) response {
	if lock == writeLock {
		s.mu.Lock()
		defer s.mu.Unlock()
	} else {
		s.mu.RLock()
		defer s.mu.RUnlock()
	}
	return handle(c)
}

// finish answers a handled call, unless a fault loses the answer.
func (s *apiServer) finish(w http.ResponseWriter, r *http.Request, a response) {
	s.background.pending.Add(1) // Drain must wait for events that start after the answer
	defer s.background.pending.Add(-1)
	fault := s.faults.take(r.URL.Path, afterAccepting)
	early := a.sendEvents != nil && s.faults.take(r.URL.Path, eventsEarly) != nil
	switch {
	case a.sendEvents == nil:
	case early || fault != nil:
		a.sendEvents(early)
	default: // flush first: net/http would only when the handler returns
		defer func() {
			_ = http.NewResponseController(w).Flush()
			a.sendEvents(false)
		}()
	}
	if fault == nil {
		s.respond(w, r, a, nil)
		return
	}
	switch fault.Kind {
	case ErrorAfterAccepting:
		s.respond(w, r, refuse(http.StatusInternalServerError, "Internal error"), fault)
	case TimeoutAfterAccepting:
		s.record(r, 0, fault)
		s.holdOpen(r, fault.Delay)
		closeConn(w)
	case ResetMidResponse:
		s.record(r, 0, fault)
		resetMidResponse(w, a)
	default:
		s.record(r, 0, fault)
		closeConn(w)
	}
}

func (s *apiServer) respond(w http.ResponseWriter, r *http.Request, a response, fault *Fault) {
	s.record(r, a.status, fault)
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

// authenticate finds the user of the bearer token. The caller holds mu.
func (s *apiServer) authenticate(c *apiRequest) (response, bool) {
	bearer, found := strings.CutPrefix(c.http.Header.Get("Authorization"), "Bearer ")
	token := s.accessTokens[bearer]
	if !found || token == nil || token.grant.revoked || (!token.expiry.IsZero() && !c.now.Before(token.expiry)) {
		return refuse(http.StatusUnauthorized, "Invalid or expired access token"), false
	}
	user := s.users[token.grant.userID]
	if user == nil || user.State != "active" {
		return refuse(http.StatusUnauthorized, "The user of this token is not active"), false
	}
	c.token, c.user, c.company = token, user, s.companies[user.CompanyID]
	// A disabled app may still read its settings: it must be able to
	// learn that it is disabled.
	if c.company.appDisabled && c.http.URL.Path != appSettingsPath {
		return refuse(http.StatusUnauthorized, "This app is disabled for the company"), false
	}
	return response{}, true
}

// holdOpen keeps a request unanswered until the client gives up, Close,
// or d has passed (0: for ever).
func (s *apiServer) holdOpen(r *http.Request, d time.Duration) {
	var over <-chan time.Time
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-r.Context().Done():
	case <-s.background.ctx.Done():
	case <-over:
	}
}

// record keeps a request for tests and the admin page.
func (s *apiServer) record(r *http.Request, status int, fault *Fault) {
	n := Request{At: s.now(), Method: r.Method, Path: r.URL.Path, Status: status}
	if fault != nil {
		n.Fault = fault.Kind
	}
	s.recorder.requests.add(n)
}

// jsonResponse answers 200 with v.
func jsonResponse(v any) response {
	body, err := json.Marshal(v)
	if err != nil {
		return refuse(http.StatusInternalServerError, "Internal error")
	}
	return response{status: http.StatusOK, body: body}
}

// refuse answers with the error shape that integrators report.
func refuse(status int, message string) response {
	type detail struct {
		Message string `json:"message"`
	}
	body, _ := json.Marshal(map[string]any{"error": map[string]any{ // strings never fail
		"code": status, "message": message, "errors": []detail{{message}},
	}})
	return response{status: status, body: body}
}

// companyAdmin wraps a handler that only company admins may call.
func companyAdmin(handle apiHandler) apiHandler {
	return func(c *apiRequest) response {
		if !c.user.IsSuperAdmin {
			return refuse(http.StatusForbidden, "Requires a company admin API key")
		}
		return handle(c)
	}
}

func anyUser(handle apiHandler) apiHandler { return handle }

// pageResponse answers one page of a list, with an opaque cursor. An
// empty page has items null; the last page has no cursor.
func pageResponse(c *apiRequest, all []any) response {
	from := 0
	if cursor := c.http.URL.Query().Get("cursor"); cursor != "" {
		raw, err := base64.RawURLEncoding.DecodeString(cursor)
		n, err2 := strconv.Atoi(strings.TrimPrefix(string(raw), "at:"))
		if err != nil || err2 != nil || n < 0 {
			return refuse(http.StatusBadRequest, "Invalid cursor")
		}
		from = min(n, len(all))
	}
	to := min(from+maxPageSize, len(all))
	if from == to {
		return jsonResponse(map[string]any{"items": nil})
	}
	j := map[string]any{"items": all[from:to]}
	if to < len(all) {
		j["cursor"] = base64.RawURLEncoding.EncodeToString([]byte("at:" + strconv.Itoa(to)))
	}
	return jsonResponse(j)
}
