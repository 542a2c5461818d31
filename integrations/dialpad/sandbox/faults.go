package sandbox

import (
	"bytes"
	"math"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// FaultKind is one way to misbehave.
type FaultKind string

// Kinds of fault. "After accepting" means that the call had its full effect and only the answer suffers.
const (
	Slow                  FaultKind = "slow"                    // waits Delay, then all is well
	TimeoutAfterAccepting FaultKind = "timeout_after_accepting" // never answers; with Delay, hangs up after it
	DropBeforeReading     FaultKind = "drop_before_reading"     // hangs up at once
	DropAfterAccepting    FaultKind = "drop_after_accepting"    // hangs up instead of answering
	ResetMidResponse      FaultKind = "reset_mid_response"      // resets the connection half way through the answer
	TooManyRequests       FaultKind = "429"                     // Retry-After if RetryAfter is set
	ForbiddenRate         FaultKind = "403_rate"                // a 403 that means a rate limit
	Forbidden             FaultKind = "403"
	ErrorBeforeAccepting  FaultKind = "500_before_accepting"
	ErrorAfterAccepting   FaultKind = "500_after_accepting"
	UnavailableRetryAfter FaultKind = "503_retry_after"
	Unauthorized          FaultKind = "401"
	RefreshFails          FaultKind = "refresh_fails" // 502 for refresh grants only, before anything is traded in
	EventsOff             FaultKind = "events_off"
	EventsDuplicated      FaultKind = "events_duplicated"
	EventsReordered       FaultKind = "events_reordered" // delivered, sent, pending
	EventsDelayed         FaultKind = "events_delayed"   // by Delay more
	EventBeforeAnswer     FaultKind = "event_before_answer"
)

// FaultKinds is all of them, in the order of the admin page.
var FaultKinds = []FaultKind{
	Slow, TimeoutAfterAccepting, DropBeforeReading, DropAfterAccepting, ResetMidResponse, TooManyRequests, ForbiddenRate,
	Forbidden, ErrorBeforeAccepting, ErrorAfterAccepting, UnavailableRetryAfter, Unauthorized, RefreshFails, EventsOff,
	EventsDuplicated, EventsReordered, EventsDelayed, EventBeforeAnswer,
}

// Words name the kind on the admin page.
func (k FaultKind) Words() string {
	words := strings.ReplaceAll(string(k), "_", " ")
	return strings.ToUpper(words[:1]) + words[1:]
}

// Fault is a misbehaviour that is switched on. For the events_… kinds a "call" is one text or one change.
type Fault struct {
	Kind       FaultKind
	Path       string        // prefix of the path it strikes; "" = all of the API
	Times      int           // how many calls it strikes; 0 = until cleared
	Every      int           // only each Every-th matching call; 0 and 1 = each
	Delay      time.Duration // slow, timeout_after_accepting, events_delayed
	RetryAfter time.Duration // 429, 403_rate, 503_retry_after; 0 = no header (503: 1 s)
}

// faults is the list of what is switched on. Reading an empty one costs a load.
type faults struct {
	active atomic.Bool
	mu     sync.Mutex
	list   []*switched
}

type switched struct {
	Fault
	seen, struck int
}

// Fault switches a fault on, beside those that are on already.
func (s *Sandbox) Fault(f Fault) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	if strings.HasPrefix(string(f.Kind), "events_") {
		f.Path = "" // events are not of a path
	}
	s.faults.list = append(s.faults.list, &switched{Fault: f})
	s.faults.active.Store(true)
}

// ClearFaults switches all off.
func (s *Sandbox) ClearFaults() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.list = nil
	s.faults.active.Store(false)
}

// Faults is what is on.
func (s *Sandbox) Faults() []Fault {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	var out []Fault
	for _, f := range s.faults.list {
		left := f.Fault
		if left.Times > 0 {
			left.Times -= f.struck
		}
		out = append(out, left)
	}
	return out
}

// take is the first fault that strikes this call at this point, or nil. A fault that has struck Times calls goes.
func (fs *faults) take(path string, at func(FaultKind) bool) *Fault {
	if !fs.active.Load() {
		return nil
	}
	fs.mu.Lock()
	defer fs.mu.Unlock()
	for i, f := range fs.list {
		if !at(f.Kind) || !strings.HasPrefix(path, f.Path) {
			continue
		}
		f.seen++
		if f.Every > 1 && f.seen%f.Every != 0 {
			continue
		}
		f.struck++
		if f.Times > 0 && f.struck >= f.Times {
			fs.list = append(fs.list[:i:i], fs.list[i+1:]...)
			fs.active.Store(len(fs.list) > 0)
		}
		hit := f.Fault
		return &hit
	}
	return nil
}

// The points in a call's life at which faults strike.
func beforeReading(k FaultKind) bool { return k == DropBeforeReading }
func slowing(k FaultKind) bool       { return k == Slow }
func eventsEarly(k FaultKind) bool   { return k == EventBeforeAnswer }

func afterAccepting(k FaultKind) bool {
	switch k {
	case TimeoutAfterAccepting, DropAfterAccepting, ResetMidResponse, ErrorAfterAccepting:
		return true
	}
	return false
}

// instead are the faults that answer in place of the handler. The refresh fault needs to see the grant.
func instead(body []byte) func(FaultKind) bool {
	return func(k FaultKind) bool {
		switch k {
		case TooManyRequests, ForbiddenRate, Forbidden, ErrorBeforeAccepting, UnavailableRetryAfter, Unauthorized:
			return true
		case RefreshFails:
			return bytes.Contains(body, []byte("grant_type=refresh_token")) || bytes.Contains(body, []byte(`"refresh_token"`))
		}
		return false
	}
}

func (f *Fault) answer() answer {
	switch f.Kind {
	case TooManyRequests:
		return withRetryAfter(refuse(http.StatusTooManyRequests, "Rate limit exceeded"), f.RetryAfter)
	case ForbiddenRate:
		return withRetryAfter(refuse(http.StatusForbidden, "rate limit exceeded"), f.RetryAfter)
	case Forbidden:
		return refuse(http.StatusForbidden, "Permission denied")
	case Unauthorized:
		return refuse(http.StatusUnauthorized, "Invalid or expired access token")
	case UnavailableRetryAfter:
		return withRetryAfter(refuse(http.StatusServiceUnavailable, "Service unavailable"), max(f.RetryAfter, time.Second))
	case RefreshFails:
		return refuse(http.StatusBadGateway, "Bad gateway")
	}
	return refuse(http.StatusInternalServerError, "Internal error")
}

func withRetryAfter(a answer, d time.Duration) answer {
	if d > 0 {
		a.retryAfter = strconv.Itoa(int(math.Ceil(d.Seconds())))
	}
	return a
}

// drop hangs up without an answer.
func drop(w http.ResponseWriter) {
	if conn := hijack(w); conn != nil {
		_ = conn.Close()
	}
}

// resetHalfWay writes a part of the answer and resets the connection.
func resetHalfWay(w http.ResponseWriter, a answer) {
	conn := hijack(w)
	if conn == nil {
		return
	}
	head := "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + strconv.Itoa(len(a.body)) + "\r\n\r\n"
	_, _ = conn.Write(append([]byte(head), a.body[:len(a.body)/2]...))
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // close sends RST
	}
	_ = conn.Close()
}

func hijack(w http.ResponseWriter) net.Conn {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // HTTP/2: net/http ends the stream
	}
	return conn
}
