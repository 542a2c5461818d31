package sandbox

import (
	"io"
	"net/http"
	"time"
)

// Ways to fail.
const (
	FaultSlow        = "slow"         // answers after Delay
	FaultDown        = "down"         // 503 with Retry-After: 1
	FaultError       = "error"        // 500
	FaultGarbageHTML = "garbage_html" // 200 and a page
	FaultGarbageJSON = "garbage_json" // 200 and another contract's JSON
	FaultRefuse      = "refuse"       // 403
)

// Fault makes calls of Type ("" is any) fail in the way of Kind, the next Next
// of them (0 is until cleared).
type Fault struct {
	Type  string
	Kind  string
	Next  int
	Delay time.Duration
}

// Break adds a fault.
func (s *Sandbox) Break(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, f)
}

// Mend clears all faults.
func (s *Sandbox) Mend() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// Faults are those that still wait for calls.
func (s *Sandbox) Faults() []Fault {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return append([]Fault(nil), s.faults...)
}

// takeFault is the oldest fault for a call of this type, counted down.
func (s *Sandbox) takeFault(callType string) (Fault, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, f := range s.faults {
		if f.Type != "" && f.Type != callType {
			continue
		}
		switch f.Next {
		case 0:
		case 1:
			s.faults = append(s.faults[:i:i], s.faults[i+1:]...)
		default:
			s.faults[i].Next--
		}
		return f, true
	}
	return Fault{}, false
}

// trouble answers a call badly if it is told to; done says that it did.
func (s *Sandbox) trouble(w http.ResponseWriter, r *http.Request, callType string) (status int, done bool) {
	f, ok := s.takeFault(callType)
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
		return writeJSON(w, http.StatusOK, map[string]any{"Status": "success", "Data": []int{1, 2}, "records": "none", "next": false}), true
	}
	return writeJSON(w, http.StatusForbidden, map[string]any{"error": "refused"}), true
}
