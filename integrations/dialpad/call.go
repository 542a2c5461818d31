package dialpad

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync"
)

const (
	maxBody   = 1 << 20 // bytes of an answer that we read
	userAgent = "dialpad-go"
)

var (
	errTooLarge = errors.New("answer is larger than 1 MiB")
	errShape    = errors.New("answer is not the JSON that was expected")
	errNoID     = errors.New("answer has no id")
	errNotAnID  = errors.New("not a Dialpad id")
)

// Header values are shared between requests; net/http reads them only.
var (
	jsonType  = []string{"application/json"}
	agentName = []string{userAgent}
)

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// get reads path?query into out.
func (c *Client) get(ctx context.Context, token, path string, query url.Values, out any) error {
	return c.call(ctx, http.MethodGet, token, path, query, nil, out)
}

// call sends one request and decodes the answer into out (nil = none wanted). in is marshalled to JSON (nil = no body).
func (c *Client) call(ctx context.Context, method, token, path string, query url.Values, in, out any) error {
	u, err := url.Parse(c.base + path)
	if err != nil {
		return errBaseURL()
	}
	u.RawQuery = query.Encode()
	var body []byte
	if in != nil {
		if body, err = json.Marshal(in); err != nil {
			return &Error{Kind: Refused, Err: errNotAnID} // only ids can fail to marshal
		}
	}
	return c.send(ctx, method, token, u, body, out)
}

func (c *Client) send(ctx context.Context, method, token string, u *url.URL, body []byte, out any) error {
	repeatable := method == http.MethodGet || method == http.MethodDelete
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	w := new(wire)
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: w.gotConn})
	resp, err := c.rt.RoundTrip(newRequest(ctx, method, token, u, body))
	if err != nil {
		return noAnswer(repeatable, &roundTripError{written: w.written(), err: err})
	}
	defer func() { _ = resp.Body.Close() }()
	buf := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(buf)
	buf.Reset()
	readErr := readCapped(buf, resp.Body)
	switch {
	case resp.StatusCode < 200 || resp.StatusCode > 299: // also with half a body: the status has been said
		return badStatus(repeatable, resp.StatusCode, resp.Header, buf.Bytes(), c.now())
	case readErr != nil:
		e := noAnswer(repeatable, readErr)
		e.Status = resp.StatusCode
		return e
	case out != nil && !decode(buf.Bytes(), out):
		e := noAnswer(repeatable, errShape)
		e.Status = resp.StatusCode
		return e
	}
	return nil
}

// newRequest builds by hand what http.NewRequest would: no GetBody (see transport.go), no URL to parse again.
func newRequest(ctx context.Context, method, token string, u *url.URL, body []byte) *http.Request {
	req := &http.Request{
		Method: method, URL: u, Host: u.Host, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Authorization": {"Bearer " + token}, "Accept": jsonType, "User-Agent": agentName},
	}
	if body != nil {
		req.Header["Content-Type"] = jsonType
		req.Body = io.NopCloser(bytes.NewReader(body))
		req.ContentLength = int64(len(body))
	}
	return req.WithContext(ctx)
}

func readCapped(buf *bytes.Buffer, r io.Reader) error {
	n, err := buf.ReadFrom(io.LimitReader(r, maxBody+1))
	if err != nil {
		return err
	}
	if n > maxBody {
		return errTooLarge
	}
	return nil
}

// errBaseURL: url.Parse's own error would quote the address, which may hold an e-mail.
func errBaseURL() error { return &Error{Kind: NotSent, Err: errors.New("base URL does not parse")} }

// noID is the error of a 2xx to a POST that names nothing: it was probably accepted, and we can't say as what.
func noID() error { return &Error{Kind: Lost, Status: http.StatusOK, Err: errNoID} }

// collect pages through a list. It stops at a cursor that repeats, which would never end.
func collect[T any](page func(cursor string) ([]T, string, error)) ([]T, error) {
	var all []T
	for cursor, seen := "", map[string]bool{}; ; {
		items, next, err := page(cursor)
		if err != nil {
			return nil, err
		}
		all = append(all, items...)
		if next == "" || seen[next] {
			return all, nil
		}
		seen[next] = true
		cursor = next
	}
}
