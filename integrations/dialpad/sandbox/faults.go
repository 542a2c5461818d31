package sandbox

import (
	"bufio"
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

// FaultKind is one way to fail.
type FaultKind string

// Kinds of fault. "After accepting" means that the call has its full
// effect and only the response fails.
const (
	Slow                  FaultKind = "slow"                    // waits for Delay, then answers
	TimeoutAfterAccepting FaultKind = "timeout_after_accepting" // never answers; with Delay, closes after it
	DropBeforeReading     FaultKind = "drop_before_reading"     // closes at once
	DropAfterAccepting    FaultKind = "drop_after_accepting"    // closes instead of answering
	ResetMidResponse      FaultKind = "reset_mid_response"      // resets the connection amid the response
	TooManyRequests       FaultKind = "429"                     // Retry-After if RetryAfter is set
	ForbiddenRate         FaultKind = "403_rate"                // a 403 that means a rate limit
	Forbidden             FaultKind = "403"
	ErrorBeforeAccepting  FaultKind = "500_before_accepting"
	ErrorAfterAccepting   FaultKind = "500_after_accepting"
	UnavailableRetryAfter FaultKind = "503_retry_after"
	Unauthorized          FaultKind = "401"
	RefreshFails          FaultKind = "refresh_fails" // 502 to refresh grants, before using up the token
	EventsOff             FaultKind = "events_off"
	EventsDuplicated      FaultKind = "events_duplicated"
	EventsReordered       FaultKind = "events_reordered" // delivered, sent, pending
	EventsDelayed         FaultKind = "events_delayed"   // by Delay more
	EventBeforeAnswer     FaultKind = "event_before_answer"
)

// FaultKinds lists all kinds in the order of the admin page.
var FaultKinds = []FaultKind{
	Slow, TimeoutAfterAccepting, DropBeforeReading, DropAfterAccepting, ResetMidResponse, TooManyRequests, ForbiddenRate,
	Forbidden, ErrorBeforeAccepting, ErrorAfterAccepting, UnavailableRetryAfter, Unauthorized, RefreshFails, EventsOff,
	EventsDuplicated, EventsReordered, EventsDelayed, EventBeforeAnswer,
}

// Label is the kind's name on the admin page.
func (k FaultKind) Label() string {
	label := strings.ReplaceAll(string(k), "_", " ")
	return strings.ToUpper(label[:1]) + label[1:]
}

// Fault makes calls fail. For the events_… kinds a "call" is one text
// or one change.
type Fault struct {
	Kind       FaultKind
	Path       string        // prefix of the URL path; "": all of the API
	Times      int           // how many calls fail; 0: until cleared
	Every      int           // only each Every-th matching call; 0 and 1: each
	Delay      time.Duration // slow, timeout_after_accepting, events_delayed
	RetryAfter time.Duration // 429, 403_rate, 503_retry_after; 0: no header (503: 1 s)
}

// FaultInjector makes calls fail on request.
type FaultInjector struct {
	active atomic.Bool // spares the lock on the hot path
	mu     sync.Mutex
	list   []*activeFault
}

type activeFault struct {
	Fault
	matched, failed int // calls
}

// Fault switches a fault on, beside those that are already on.
func (fi *FaultInjector) Fault(f Fault) {
	fi.mu.Lock()
	defer fi.mu.Unlock()
	if strings.HasPrefix(string(f.Kind), "events_") {
		f.Path = "" // events have no path
	}
	fi.list = append(fi.list, &activeFault{Fault: f})
	fi.active.Store(true)
}

// ClearFaults switches all faults off.
func (fi *FaultInjector) ClearFaults() {
	fi.mu.Lock()
	defer fi.mu.Unlock()
	fi.list = nil
	fi.active.Store(false)
}

// Faults returns the active faults with the calls left in Times.
func (fi *FaultInjector) Faults() []Fault {
	fi.mu.Lock()
	defer fi.mu.Unlock()
	var out []Fault
	for _, f := range fi.list {
		left := f.Fault
		if left.Times > 0 {
			left.Times -= f.failed
		}
		out = append(out, left)
	}
	return out
}

// take returns the first fault for a call at this point, or nil. It
// drops a fault after Times calls.
func (fi *FaultInjector) take(path string, at func(FaultKind) bool) *Fault {
	if !fi.active.Load() {
		return nil
	}
	fi.mu.Lock()
	defer fi.mu.Unlock()
	for i, f := range fi.list {
		if !at(f.Kind) || !strings.HasPrefix(path, f.Path) {
			continue
		}
		f.matched++
		if f.Every > 1 && f.matched%f.Every != 0 {
			continue
		}
		f.failed++
		if f.Times > 0 && f.failed >= f.Times {
			fi.list = append(fi.list[:i:i], fi.list[i+1:]...)
			fi.active.Store(len(fi.list) > 0)
		}
		hit := f.Fault
		return &hit
	}
	return nil
}

// The points of a call at which faults apply.
func beforeReading(k FaultKind) bool  { return k == DropBeforeReading }
func beforeHandling(k FaultKind) bool { return k == Slow }
func eventsEarly(k FaultKind) bool    { return k == EventBeforeAnswer }

func afterAccepting(k FaultKind) bool {
	switch k {
	case TimeoutAfterAccepting, DropAfterAccepting, ResetMidResponse, ErrorAfterAccepting:
		return true
	}
	return false
}

// insteadOfHandling selects the faults that answer in place of the
// handler. RefreshFails needs the body to see the grant type.
func insteadOfHandling(body []byte) func(FaultKind) bool {
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

// only selects one kind.
func only(kind FaultKind) func(FaultKind) bool { return func(k FaultKind) bool { return k == kind } }

func (f *Fault) response() response {
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

func withRetryAfter(a response, d time.Duration) response {
	if d > 0 {
		a.retryAfter = strconv.Itoa(int(math.Ceil(d.Seconds())))
	}
	return a
}

// closeConn closes the connection without an answer. It returns what has
// arrived of the request's body and was not read.
func closeConn(w http.ResponseWriter) (unread []byte) {
	conn, buffered := hijack(w)
	unread, _ = buffered.Reader.Peek(buffered.Reader.Buffered())
	_ = conn.Close()
	return unread
}

// resetMidResponse writes half the response and resets the connection.
func resetMidResponse(w http.ResponseWriter, a response) {
	conn, _ := hijack(w)
	head := "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + strconv.Itoa(len(a.body)) + "\r\n\r\n"
	_, _ = conn.Write(append([]byte(head), a.body[:len(a.body)/2]...))
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // close sends RST
	}
	_ = conn.Close()
}

func hijack(w http.ResponseWriter) (net.Conn, *bufio.ReadWriter) {
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // HTTP/2: net/http ends the stream
	}
	return conn, buffered
}
