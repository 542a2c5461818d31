package sandbox

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"dialpad-texting/integrations/crm"
)

const (
	maxBody  = 1 << 20 // bytes
	maxCalls = 10000   // kept for tests and the switches page
)

// CallRecord is one call of the app and its answer.
type CallRecord struct {
	Tenant    string
	Type      string
	WebhookID string
	At        time.Time
	Status    int
}

// callError is the error answer to a call.
type callError struct {
	status  int
	message string
}

func (e *callError) Error() string { return e.message }

func badRequest(message string) error { return &callError{http.StatusBadRequest, message} }

// contractAPI serves the calls of the app.
type contractAPI struct {
	*state
	faults *FaultInjector
}

// callHandlers holds the handlers by type of call. They get the
// webhook-id; a nil answer is 204.
var callHandlers = map[string]func(*contractAPI, *tenant, crm.Call, string) (any, error){
	crm.CallRecords:  (*contractAPI).resolveRecords,
	crm.CallFields:   (*contractAPI).listFields,
	crm.CallTemplate: (*contractAPI).listTemplates,
	crm.CallUsers:    (*contractAPI).listUsers,
	crm.CallActivity: (*contractAPI).upsertActivity,
	crm.CallOptOut:   (*contractAPI).upsertOptOut,
	crm.CallComplete: (*contractAPI).completeAutomation,
}

// ServeHTTP serves POST /{linkname}: it verifies the signature, decodes
// the call, applies faults, and answers.
func (s *contractAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		writeAnswer(w, nil, &callError{http.StatusRequestEntityTooLarge, "body too large"})
		return
	}
	id, _, err := s.opts.Secrets.Verify(r.Header, body, s.now())
	if err != nil {
		writeAnswer(w, nil, &callError{http.StatusUnauthorized, err.Error()})
		return
	}
	call, err := crm.ParseCall(body)
	if err != nil {
		writeAnswer(w, nil, badRequest(err.Error()))
		return
	}
	status, answered := s.faults.apply(w, r, call.Type)
	if !answered {
		var result any
		result, err = s.dispatch(r.PathValue("linkname"), call, id)
		status = writeAnswer(w, result, err)
	}
	s.record(CallRecord{r.PathValue("linkname"), call.Type, id, s.now(), status})
	s.log.Debug("crm sandbox call answered", "type", call.Type, "status", status)
}

func (s *contractAPI) dispatch(linkname string, call crm.Call, id string) (any, error) {
	handle, ok := callHandlers[call.Type]
	if !ok {
		return nil, badRequest("unknown type")
	}
	var signed struct {
		Tenant crm.Tenant `json:"tenant"`
	}
	if err := json.Unmarshal(call.Data, &signed); err != nil {
		return nil, badRequest("data.tenant cannot be read")
	}
	t := s.tenant(linkname)
	if t == nil || t.id != signed.Tenant.ID {
		return nil, &callError{http.StatusNotFound, "no such tenant at this address"}
	}
	return handle(s, t, call, id)
}

func writeAnswer(w http.ResponseWriter, result any, err error) int {
	var failed *callError
	switch {
	case errors.As(err, &failed):
		return writeJSON(w, failed.status, map[string]any{"error": failed.message})
	case err != nil:
		return writeJSON(w, http.StatusInternalServerError, map[string]any{"error": "the sandbox failed"})
	case result == nil:
		w.WriteHeader(http.StatusNoContent)
		return http.StatusNoContent
	}
	return writeJSON(w, http.StatusOK, result)
}

func writeJSON(w http.ResponseWriter, status int, v any) int {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client may be gone
	return status
}

func (s *contractAPI) record(c CallRecord) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.calls) >= maxCalls {
		s.calls = append(s.calls[:0], s.calls[maxCalls/2:]...)
	}
	s.calls = append(s.calls, c)
}

func isInteger(s string) bool {
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return s != "" && (s == "0" || s[0] != '0') && len(s) < 19
}
