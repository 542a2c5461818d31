package sandbox

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"dialpad-texting/integrations/crm"
)

// Completion is one automation.complete, as it came. Repeat marks one for a
// callback that had been completed before: the app must not do that.
type Completion struct {
	Tenant string
	crm.Completion
	WebhookID string
	At        time.Time
	Repeat    bool
}

// run is one automation that was triggered here and waits or has ended.
type run struct {
	callback, module, record, name string
	started                        time.Time
	problem                        string // the app did not take it
	messageID                      string
	done                           *Completion
}

func (s *Sandbox) completeAutomation(t *tenant, call crm.Call, id string) (any, error) {
	var data struct {
		CallbackID ref `json:"callback_id"`
		State      string
		Port       string
		Severity   string
		Outputs    crm.CompletionOutputs
	}
	if err := json.Unmarshal(call.Data, &data); err != nil {
		return nil, refuse("data cannot be read")
	}
	c := Completion{Tenant: t.id, WebhookID: id, At: s.now(), Completion: crm.Completion{
		CallbackID: string(data.CallbackID), State: data.State, Port: data.Port, Severity: data.Severity, Outputs: data.Outputs,
	}}
	if err := c.check(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.repeated(id) {
		return nil, nil
	}
	c.Repeat = slices.ContainsFunc(s.completions, func(o Completion) bool { return o.Tenant == t.id && o.CallbackID == c.CallbackID })
	s.completions = append(s.completions, c)
	t.finish(c)
	return nil, nil
}

func (c Completion) check() error {
	success := c.State == crm.StateSuccess && c.Port == crm.PortSend
	failure := c.State == crm.StateFail && c.Port == crm.PortFailed
	switch {
	case c.CallbackID == "":
		return refuse("data.callback_id is required")
	case !success && !failure:
		return refuse("data.state and data.port do not belong together")
	case c.Severity != crm.SeverityNone && c.Severity != crm.SeverityMedium && c.Severity != crm.SeverityHigh:
		return refuse("data.severity is not none, medium or high")
	}
	return nil
}

// finish shows a completion at its run, the first one only.
func (t *tenant) finish(c Completion) {
	t.version++
	for _, r := range t.runs {
		if r.callback == c.CallbackID && r.done == nil {
			r.done = &c
		}
	}
}

// Completions are all automation.complete calls that were taken, oldest first.
func (s *Sandbox) Completions() []Completion {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return append([]Completion(nil), s.completions...)
}

// Definition asks the app to describe its automation action.
func (s *Sandbox) Definition(ctx context.Context, tenantKey string) (crm.Definition, error) {
	var d crm.Definition
	err := s.ask(ctx, tenantKey, "/automation/definition", crm.CallDefinition, nil, &d)
	return d, err
}

// Options asks the app for the choices of an input. cursor may be "".
func (s *Sandbox) Options(ctx context.Context, tenantKey, field, q, cursor, value string) (crm.Options, error) {
	var o crm.Options
	data := map[string]any{"field": field, "q": q, "cursor": nil, "value": s.wireID(value)}
	if cursor != "" {
		data["cursor"] = cursor
	}
	err := s.ask(ctx, tenantKey, "/automation/options", crm.CallOptions, data, &o)
	return o, err
}

// Execute has the app text a record. callbackID "" makes a fresh one.
func (s *Sandbox) Execute(ctx context.Context, tenantKey string, e crm.Execute) (crm.Execution, error) {
	if e.CallbackID == "" {
		e.CallbackID = "cb_" + rand.Text()
	}
	var x crm.Execution
	err := s.ask(ctx, tenantKey, "/automation/execute", crm.CallExecute, map[string]any{
		"callback_id": e.CallbackID, "workflow": e.Workflow, "module": e.Module, "record_id": s.wireID(e.RecordID), "inputs": e.Inputs,
	}, &x)
	return x, err
}

// SendEvent tells the app of an event about the tenant, with the tenant block
// as it is now and a seq above all earlier ones. data holds the event's own fields.
func (s *Sandbox) SendEvent(ctx context.Context, tenantKey, eventType string, data map[string]any) error {
	return s.ask(ctx, tenantKey, "/crm/events", eventType, data, nil)
}

// ask makes one signed call to the app and reads its answer.
func (s *Sandbox) ask(ctx context.Context, tenantKey, path, callType string, data map[string]any, into any) error {
	body, err := s.envelope(tenantKey, callType, data)
	if err != nil {
		return err
	}
	appURL, _ := s.addresses()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, appURL+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header = s.opts.Secrets.Sign(crm.NewID(), s.now(), body)
	req.Header.Set("Content-Type", "application/json")
	resp, err := s.client.Do(req)
	if err != nil {
		return fmt.Errorf("crm sandbox: %s: %w", callType, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	if err != nil {
		return fmt.Errorf("crm sandbox: %s: %w", callType, err)
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("crm sandbox: %s: the app answered %d", callType, resp.StatusCode)
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return fmt.Errorf("crm sandbox: %s: the app's answer cannot be read: %w", callType, err)
	}
	return nil
}

func (s *Sandbox) envelope(tenantKey, callType string, data map[string]any) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tenant(tenantKey)
	if t == nil {
		return nil, fmt.Errorf("crm sandbox: no tenant %q", tenantKey)
	}
	s.seq++
	seq := s.seq
	full := map[string]any{"tenant": t.wire()}
	for k, v := range data {
		full[k] = v
	}
	raw, err := json.Marshal(full)
	if err != nil {
		return nil, err
	}
	return json.Marshal(crm.Call{Type: callType, Timestamp: s.now().UTC(), Seq: &seq, Data: raw})
}
