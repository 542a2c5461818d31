package sandbox

import (
	"encoding/json"
	"slices"
	"time"

	"dialpad-texting/integrations/crm"
)

// Completion is one automation.complete. Repeat marks a callback that
// was completed before: the app must not do that.
type Completion struct {
	Tenant string
	crm.Completion
	WebhookID string
	At        time.Time
	Repeat    bool
}

// automationRun is one triggered automation.
type automationRun struct {
	callback, module, record, name string
	started                        time.Time
	problem                        string // the app did not accept it
	done                           *Completion
}

func (s *contractAPI) completeAutomation(t *tenant, call crm.Call, id string) (any, error) {
	var data struct {
		CallbackID idIn `json:"callback_id"`
		State      string
		Port       string
		Severity   string
		Outputs    crm.CompletionOutputs
	}
	if err := json.Unmarshal(call.Data, &data); err != nil {
		return nil, badRequest("data cannot be read")
	}
	c := Completion{Tenant: t.id, WebhookID: id, At: s.now(), Completion: crm.Completion{
		CallbackID: string(data.CallbackID), State: data.State, Port: data.Port, Severity: data.Severity, Outputs: data.Outputs,
	}}
	if err := c.check(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isRepeat(id) {
		return nil, nil
	}
	c.Repeat = slices.ContainsFunc(s.completions, func(o Completion) bool {
		return o.Tenant == t.id && o.CallbackID == c.CallbackID
	})
	s.completions = append(s.completions, c)
	t.finishRun(c)
	return nil, nil
}

func (c Completion) check() error {
	success := c.State == crm.StateSuccess && c.Port == crm.PortSend
	failure := c.State == crm.StateFail && c.Port == crm.PortFailed
	switch {
	case c.CallbackID == "":
		return badRequest("data.callback_id is required")
	case !success && !failure:
		return badRequest("data.state and data.port do not belong together")
	case c.Severity != crm.SeverityNone && c.Severity != crm.SeverityMedium && c.Severity != crm.SeverityHigh:
		return badRequest("data.severity is not none, medium or high")
	}
	return nil
}

// finishRun stores the first completion of a run.
func (t *tenant) finishRun(c Completion) {
	t.version++
	for _, r := range t.runs {
		if r.callback == c.CallbackID && r.done == nil {
			r.done = &c
		}
	}
}

// Completions returns all accepted automation.complete calls, oldest
// first.
func (s *Tenants) Completions() []Completion {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return append([]Completion(nil), s.completions...)
}
