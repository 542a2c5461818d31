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
	maxBody  = 1 << 20
	maxCalls = 10000 // kept for tests and the switches page
)

// CallRecord is one call of the app, as it was answered.
type CallRecord struct {
	Tenant    string
	Type      string
	WebhookID string
	At        time.Time
	Status    int
}

// refusal is a call that is understood and refused.
type refusal struct {
	status int
	why    string
}

func (r *refusal) Error() string { return r.why }

func refuse(why string) error { return &refusal{http.StatusBadRequest, why} }

// apiRoutes answers calls by type; the answer nil is 204.
var apiRoutes = map[string]func(*Sandbox, *tenant, crm.Call, string) (any, error){
	crm.CallRecords:  (*Sandbox).resolveRecords,
	crm.CallFields:   (*Sandbox).listFields,
	crm.CallTemplate: (*Sandbox).listTemplates,
	crm.CallUsers:    (*Sandbox).listUsers,
	crm.CallActivity: (*Sandbox).upsertActivity,
	crm.CallOptOut:   (*Sandbox).upsertOptOut,
	crm.CallComplete: (*Sandbox).completeAutomation,
}

// serveAPI is POST /{linkname}: prove, read, fail on purpose if told to, answer.
func (s *Sandbox) serveAPI(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		s.answer(w, nil, &refusal{http.StatusRequestEntityTooLarge, "body too large"})
		return
	}
	id, _, err := s.opts.Secrets.Verify(r.Header, body, s.now())
	if err != nil {
		s.answer(w, nil, &refusal{http.StatusUnauthorized, err.Error()})
		return
	}
	call, err := crm.ParseCall(body)
	if err != nil {
		s.answer(w, nil, refuse(err.Error()))
		return
	}
	status, done := s.trouble(w, r, call.Type)
	if !done {
		var result any
		result, err = s.dispatch(r.PathValue("linkname"), call, id)
		status = s.answer(w, result, err)
	}
	s.record(CallRecord{r.PathValue("linkname"), call.Type, id, s.now(), status})
	s.log.Debug("crm sandbox answered", "type", call.Type, "status", status)
}

func (s *Sandbox) dispatch(linkname string, call crm.Call, id string) (any, error) {
	route, ok := apiRoutes[call.Type]
	if !ok {
		return nil, refuse("unknown type")
	}
	var signed struct {
		Tenant crm.Tenant `json:"tenant"`
	}
	if err := json.Unmarshal(call.Data, &signed); err != nil {
		return nil, refuse("data.tenant cannot be read")
	}
	t := s.tenant(linkname)
	if t == nil || t.id != signed.Tenant.ID {
		return nil, &refusal{http.StatusNotFound, "no such tenant at this address"}
	}
	return route(s, t, call, id)
}

func (s *Sandbox) answer(w http.ResponseWriter, result any, err error) int {
	var r *refusal
	switch {
	case errors.As(err, &r):
		return writeJSON(w, r.status, map[string]any{"error": r.why})
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
	_ = json.NewEncoder(w).Encode(v) // the other side is gone: nobody to tell
	return status
}

func (s *Sandbox) record(c CallRecord) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.calls) >= maxCalls {
		s.calls = append(s.calls[:0], s.calls[maxCalls/2:]...)
	}
	s.calls = append(s.calls, c)
}

// wireID is an id as this CRM writes it: a string, or a number if it is one
// and Options.NumberIDs says so. "" is null.
func (s *Sandbox) wireID(id string) any {
	if id == "" {
		return nil
	}
	if s.numberIDs.Load() && digitsOnly(id) {
		return json.RawMessage(id)
	}
	return id
}

func (s *Sandbox) wireIDs(ids []string) []any {
	out := make([]any, len(ids))
	for i, id := range ids {
		out[i] = s.wireID(id)
	}
	return out
}

func digitsOnly(s string) bool {
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return s != "" && (s == "0" || s[0] != '0') && len(s) < 19
}
