package sandbox

import (
	"io"
	"net/http"
	"sync"
	"time"
)

// Kinds of Fault.
const (
	FaultSlow        = "slow"         // answers after Delay
	FaultDown        = "down"         // 503 with Retry-After: 1
	FaultError       = "error"        // 500
	FaultGarbageHTML = "garbage_html" // 200 and HTML
	FaultGarbageJSON = "garbage_json" // 200 and another API's JSON
	FaultRefuse      = "refuse"       // 403
)

// Fault makes calls of the app fail.
type Fault struct {
	Type  string        // of call; "": any
	Kind  string        // FaultSlow, …
	Next  int           // how many calls fail; 0: until Mend
	Delay time.Duration // with FaultSlow
}

// FaultInjector makes calls fail on request.
type FaultInjector struct {
	mu     sync.Mutex
	faults []Fault
}

// Break adds a fault.
func (fi *FaultInjector) Break(f Fault) {
	fi.mu.Lock()
	defer fi.mu.Unlock()
	fi.faults = append(fi.faults, f)
}

// Mend clears all faults.
func (fi *FaultInjector) Mend() {
	fi.mu.Lock()
	defer fi.mu.Unlock()
	fi.faults = nil
}

// Faults returns the active faults.
func (fi *FaultInjector) Faults() []Fault {
	fi.mu.Lock()
	defer fi.mu.Unlock()
	return append([]Fault(nil), fi.faults...)
}

// take returns the oldest fault for a type of call and counts it down.
func (fi *FaultInjector) take(callType string) (Fault, bool) {
	fi.mu.Lock()
	defer fi.mu.Unlock()
	for i, f := range fi.faults {
		if f.Type != "" && f.Type != callType {
			continue
		}
		switch f.Next {
		case 0:
		case 1:
			fi.faults = append(fi.faults[:i:i], fi.faults[i+1:]...)
		default:
			fi.faults[i].Next--
		}
		return f, true
	}
	return Fault{}, false
}

// apply applies the next fault. answered says that it wrote the answer.
func (fi *FaultInjector) apply(w http.ResponseWriter, r *http.Request, callType string) (status int, answered bool) {
	f, ok := fi.take(callType)
	if !ok {
		return 0, false
	}
	switch f.Kind {
	case FaultSlow:
		select {
		case <-time.After(f.Delay):
		case <-r.Context().Done():
		}
		return 0, false
	case FaultDown:
		w.Header().Set("Retry-After", "1")
		return writeJSON(w, http.StatusServiceUnavailable, map[string]any{"error": "down for maintenance"}), true
	case FaultError:
		return writeJSON(w, http.StatusInternalServerError, map[string]any{"error": "something broke"}), true
	case FaultGarbageHTML:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, "<!doctype html><title>Log in</title><p>Please log in.")
		return http.StatusOK, true
	case FaultGarbageJSON:
		body := map[string]any{"Status": "success", "Data": []int{1, 2}, "records": "none", "next": false}
		return writeJSON(w, http.StatusOK, body), true
	}
	return writeJSON(w, http.StatusForbidden, map[string]any{"error": "refused"}), true
}
