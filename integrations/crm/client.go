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
	maxAnswer   = 16 << 20 // bytes; far more than 200 records need
	maxDrained  = 64 << 10 // bytes read to reuse the connection
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

// Client makes signed calls to the CRM. It is safe for concurrent use.
// It does not retry; a caller that retries a write must keep its id.
type Client struct {
	url     string
	secrets Secrets
	http    *http.Client
	now     func() time.Time
	observe func(call, outcome string, took time.Duration)
}

// New returns a client for the CRM at apiURL, in which {linkname}
// stands for the tenant's. httpClient may be nil. It is copied; the
// copy has a timeout and follows no redirect, which would take the
// signed body elsewhere.
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
	return &Client{url: apiURL, secrets: secrets, http: &own, now: now, observe: func(string, string, time.Duration) {}}
}

// Observe has f called after each call with its type, its outcome ("ok" or a
// Kind) and how long it took. Call it before the first call.
func (c *Client) Observe(f func(call, outcome string, took time.Duration)) { c.observe = f }

// NewID returns a new webhook-id. Retries of a write keep their id, so
// that the CRM recognises them.
func NewID() string { return "msg_" + rand.Text() }

// read makes a call and decodes its answer. An answer without field is
// garbage, not an empty list.
func (c *Client) read(ctx context.Context, t Tenant, callType, field string, data, into any) error {
	body, status, err := c.call(ctx, NewID(), t, callType, data)
	if err != nil {
		return err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil {
		return garbage(callType, status, errors.New("not a JSON object"))
	}
	if _, ok := fields[field]; !ok {
		return garbage(callType, status, fmt.Errorf("no %q in the answer", field))
	}
	if err := json.Unmarshal(body, into); err != nil {
		return garbage(callType, status, typeError(err))
	}
	return nil
}

// write makes a call whose answer has no content: any 2xx will do.
func (c *Client) write(ctx context.Context, id string, t Tenant, callType string, data any) error {
	if id == "" {
		return &Error{Kind: Refused, Type: callType, Err: errors.New("a write needs an id")}
	}
	_, _, err := c.call(ctx, id, t, callType, data)
	return err
}

func (c *Client) call(ctx context.Context, id string, t Tenant, callType string, data any) ([]byte, int, error) {
	began := c.now()
	body, status, err := c.roundTrip(ctx, id, t, callType, data)
	outcome := "ok"
	if err != nil {
		outcome = KindOf(err).String()
	}
	c.observe(callType, outcome, c.now().Sub(began))
	return body, status, err
}

func (c *Client) roundTrip(ctx context.Context, id string, t Tenant, callType string, data any) ([]byte, int, error) {
	req, err := c.request(ctx, id, t, callType, data)
	if err != nil {
		return nil, 0, &Error{Kind: Refused, Type: callType, Err: err}
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, 0, transportError(callType, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		_, _ = io.CopyN(io.Discard, resp.Body, maxDrained)
		return nil, resp.StatusCode, statusError(callType, resp, c.now())
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, resp.StatusCode, transportError(callType, err)
	}
	if len(body) > maxAnswer {
		return nil, resp.StatusCode, garbage(callType, resp.StatusCode, errors.New("answer too large"))
	}
	if isHTML(resp) {
		return nil, resp.StatusCode, garbage(callType, resp.StatusCode, errors.New("answer is HTML"))
	}
	return body, resp.StatusCode, nil
}

func (c *Client) request(ctx context.Context, id string, t Tenant, callType string, data any) (*http.Request, error) {
	if strings.Contains(c.url, "{linkname}") && !isDNSLabel(t.Linkname) {
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

// isHTML detects the login or maintenance page that a proxy answers
// with 200, also to writes, which have no body to decode.
func isHTML(resp *http.Response) bool {
	kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return err == nil && kind == "text/html"
}

// typeError names the field and leaves out its value.
func typeError(err error) error {
	var te *json.UnmarshalTypeError
	if errors.As(err, &te) {
		return fmt.Errorf("%s has the wrong type", te.Field)
	}
	return errors.New("a field has the wrong type")
}

// errRepeatedCursor: an answer's next is the cursor of the request.
var errRepeatedCursor = errors.New("next repeats the cursor")

// checkCursor refuses an answer that would make paging endless.
func checkCursor(callType, next, cursor string) error {
	if next != "" && next == cursor {
		return garbage(callType, http.StatusOK, errRepeatedCursor)
	}
	return nil
}
