package crm

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"
)

const (
	callTimeout = 15 * time.Second
	maxAnswer   = 16 << 20 // bytes; 200 records with every field fit many times over
	maxDrained  = 64 << 10
)

// Types of the calls to the CRM.
const (
	CallRecords  = "records.resolve"
	CallFields   = "fields.list"
	CallTemplate = "templates.list"
	CallUsers    = "users.list"
	CallActivity = "activity.upsert"
	CallOptOut   = "optout.upsert"
	CallComplete = "automation.complete"
)

// Client makes the signed calls to the CRM. It is safe for concurrent use and
// retries nothing: reads may be tried again by the caller, writes are tried
// again by whoever keeps their id.
type Client struct {
	url     string
	secrets Secrets
	http    *http.Client
	now     func() time.Time
}

// New makes a client for the CRM at apiURL, in which {linkname} stands for the
// tenant's. httpClient may be nil; it is copied, never follows redirects (the
// body would go elsewhere, signed) and has a time-out.
func New(apiURL string, secrets Secrets, httpClient *http.Client, now func() time.Time) *Client {
	own := http.Client{}
	if httpClient != nil {
		own = *httpClient
	}
	if own.Timeout == 0 {
		own.Timeout = callTimeout
	}
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if now == nil {
		now = time.Now
	}
	return &Client{url: apiURL, secrets: secrets, http: &own, now: now}
}

// NewID makes a fresh webhook-id. A write keeps its id over all its tries, so
// that the CRM can tell a repeat.
func NewID() string { return "msg_" + rand.Text() }

// read makes a call with an answer, which is decoded into a map first: an
// answer without the field it is all about is garbage, not an empty list.
func (c *Client) read(ctx context.Context, t Tenant, callType, field string, data, into any) error {
	body, status, err := c.call(ctx, NewID(), t, callType, data)
	if err != nil {
		return err
	}
	body = withoutNUL(body)
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil {
		return &Error{Kind: Garbage, Type: callType, Status: status, Err: errors.New("not a JSON object")}
	}
	if _, ok := fields[field]; !ok {
		return &Error{Kind: Garbage, Type: callType, Status: status, Err: fmt.Errorf("no %q in the answer", field)}
	}
	if err := json.Unmarshal(body, into); err != nil {
		return &Error{Kind: Garbage, Type: callType, Status: status, Err: wrongType(err)}
	}
	return nil
}

// write makes a call without an answer: any 2xx will do.
func (c *Client) write(ctx context.Context, id string, t Tenant, callType string, data any) error {
	if id == "" {
		return &Error{Kind: Refused, Type: callType, Err: errors.New("a write needs an id")}
	}
	_, _, err := c.call(ctx, id, t, callType, data)
	return err
}

func (c *Client) call(ctx context.Context, id string, t Tenant, callType string, data any) ([]byte, int, error) {
	req, err := c.request(ctx, id, t, callType, data)
	if err != nil {
		return nil, 0, &Error{Kind: Refused, Type: callType, Err: err}
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, 0, unanswered(callType, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		_, _ = io.CopyN(io.Discard, resp.Body, maxDrained) // so that the connection can be used again
		return nil, resp.StatusCode, refusal(callType, resp, c.now())
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, resp.StatusCode, unanswered(callType, err)
	}
	if len(body) > maxAnswer {
		return nil, resp.StatusCode, &Error{Kind: Garbage, Type: callType, Status: resp.StatusCode, Err: errors.New("answer too large")}
	}
	if isPage(resp) {
		return nil, resp.StatusCode, &Error{Kind: Garbage, Type: callType, Status: resp.StatusCode, Err: errors.New("answered with a page")}
	}
	return body, resp.StatusCode, nil
}

func (c *Client) request(ctx context.Context, id string, t Tenant, callType string, data any) (*http.Request, error) {
	if strings.Contains(c.url, "{linkname}") && !isLabel(t.Linkname) {
		return nil, errors.New("the tenant's linkname is no DNS label")
	}
	now := c.now()
	raw, err := json.Marshal(data)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(Call{Type: callType, Timestamp: now.UTC().Truncate(time.Millisecond), Data: raw})
	if err != nil {
		return nil, err
	}
	address := strings.ReplaceAll(c.url, "{linkname}", t.Linkname)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("the CRM's address cannot be used")
	}
	req.Header = c.secrets.Sign(id, now, body)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "dialpad-texting")
	return req, nil
}

// isPage spots the login or maintenance page that a proxy answers with 200,
// to writes too, where there is no body to fail on.
func isPage(resp *http.Response) bool {
	kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return err == nil && kind == "text/html"
}

// wrongType says which field was wrong and leaves the value out.
func wrongType(err error) error {
	var te *json.UnmarshalTypeError
	if errors.As(err, &te) {
		return fmt.Errorf("%s has the wrong type", te.Field)
	}
	return errors.New("a field has the wrong type")
}
