package sandbox

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"

	"dialpad-texting/integrations/crm"
)

// AppClient makes the CRM's signed calls to the app.
type AppClient struct {
	*state
	client *http.Client
}

// Definition returns the app's automation action.
func (s *AppClient) Definition(ctx context.Context, tenantKey string) (crm.Definition, error) {
	var d crm.Definition
	err := s.call(ctx, tenantKey, "/automation/definition", crm.CallDefinition, nil, &d)
	return d, err
}

// Options returns the choices of an input. cursor may be "".
func (s *AppClient) Options(ctx context.Context, tenantKey, field, q, cursor, value string) (crm.Options, error) {
	var o crm.Options
	data := map[string]any{"field": field, "q": q, "cursor": nil, "value": s.jsonID(value)}
	if cursor != "" {
		data["cursor"] = cursor
	}
	err := s.call(ctx, tenantKey, "/automation/options", crm.CallOptions, data, &o)
	return o, err
}

// Execute makes the app text a record. A CallbackID "" is generated.
func (s *AppClient) Execute(ctx context.Context, tenantKey string, e crm.Execute) (crm.Execution, error) {
	if e.CallbackID == "" {
		e.CallbackID = "cb_" + rand.Text()
	}
	var x crm.Execution
	err := s.call(ctx, tenantKey, "/automation/execute", crm.CallExecute, map[string]any{
		"callback_id": e.CallbackID, "workflow": e.Workflow, "module": e.Module,
		"record_id": s.jsonID(e.RecordID), "inputs": e.Inputs,
	}, &x)
	return x, err
}

// SendEvent sends an event about the tenant to the app, with the tenant
// as it is now and the next seq. data holds the event's own fields.
func (s *AppClient) SendEvent(ctx context.Context, tenantKey, eventType string, data map[string]any) error {
	return s.call(ctx, tenantKey, "/crm/events", eventType, data, nil)
}

// call makes one signed call to the app and decodes its answer.
func (s *AppClient) call(ctx context.Context, tenantKey, path, callType string, data map[string]any, into any) error {
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

// envelope returns the body of a call.
func (s *AppClient) envelope(tenantKey, callType string, data map[string]any) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tenant(tenantKey)
	if t == nil {
		return nil, fmt.Errorf("crm sandbox: no tenant %q", tenantKey)
	}
	s.seq++
	seq := s.seq
	full := map[string]any{"tenant": t.toCRM()}
	maps.Copy(full, data)
	raw, err := json.Marshal(full)
	if err != nil {
		return nil, err
	}
	return json.Marshal(crm.Call{Type: callType, Timestamp: s.now().UTC(), Seq: &seq, Data: raw})
}
