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
	"strings"
	"sync"
	"time"
)

const (
	// callTimeout bounds a whole call, body included. The transport's
	// own timeout ends with the response header.
	callTimeout = 30 * time.Second

	maxBody   = 1 << 20 // bytes of a response body
	userAgent = "dialpad-go"
)

var (
	errTooLarge  = errors.New("response is larger than 1 MiB")
	errShape     = errors.New("response is not the expected JSON")
	errNoID      = errors.New("response has no id")
	errInvalidID = errors.New("not a Dialpad id")
	errBaseURL   = errors.New("base URL does not parse")
)

// Header values shared between requests; net/http only reads them.
var (
	jsonType  = []string{"application/json"}
	agentName = []string{userAgent}
)

var bodyBuffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// requester makes authenticated JSON requests.
type requester struct {
	base string // scheme and host
	rt   http.RoundTripper
	now  func() time.Time

	observe func(call, outcome string, took time.Duration)
}

// observed reports a call that began at began and ended with err.
func (r *requester) observed(call string, began time.Time, err error) {
	outcome := "ok"
	if err != nil {
		outcome = string(KindOf(err))
	}
	r.observe(call, outcome, r.now().Sub(began))
}

// callName names a call by its path: the first word after the version, without
// ids.
func callName(path string) string {
	name := strings.TrimPrefix(strings.TrimPrefix(path, "/api/v2/"), "/")
	name, _, _ = strings.Cut(name, "/")
	return name
}

// get reads path?query into out.
func (r *requester) get(ctx context.Context, token, path string, query url.Values, out any) error {
	return r.call(ctx, http.MethodGet, token, path, query, nil, out)
}

// delete deletes path/id.
func (r *requester) delete(ctx context.Context, token, path, id string) error {
	return r.call(ctx, http.MethodDelete, token, path+"/"+url.PathEscape(id), nil, nil, nil)
}

// call makes one request and decodes the response into out (nil: not
// needed). in is marshalled to JSON (nil: no body).
func (r *requester) call(ctx context.Context, method, token, path string, query url.Values, in, out any) error {
	u, err := url.Parse(r.base + path)
	if err != nil {
		return baseURLError()
	}
	u.RawQuery = query.Encode()
	var body []byte
	if in != nil {
		if body, err = json.Marshal(in); err != nil {
			return invalidIDError() // only ids can fail to marshal
		}
	}
	return r.send(ctx, method, token, u, body, out)
}

// send makes one HTTP round trip. It does not retry.
func (r *requester) send(ctx context.Context, method, token string, u *url.URL, body []byte, out any) (err error) {
	began := r.now()
	defer func() { r.observed(callName(u.Path), began, err) }()
	idempotent := method == http.MethodGet || method == http.MethodDelete
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	tracker := new(writeTracker)
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: tracker.gotConn})
	resp, err := r.rt.RoundTrip(newRequest(ctx, method, token, u, body))
	if err != nil {
		return transportError(idempotent, &roundTripError{written: tracker.written(), err: err})
	}
	defer func() { _ = resp.Body.Close() }()
	buf := bodyBuffers.Get().(*bytes.Buffer)
	defer bodyBuffers.Put(buf)
	buf.Reset()
	readErr := readLimited(buf, resp.Body)
	switch {
	case resp.StatusCode < 200 || resp.StatusCode > 299: // even with half a body the status is known
		return statusError(idempotent, resp.StatusCode, resp.Header, buf.Bytes(), r.now())
	case readErr != nil:
		e := transportError(idempotent, readErr)
		e.Status = resp.StatusCode
		return e
	case out != nil && !decodeObject(buf.Bytes(), out):
		e := transportError(idempotent, errShape)
		e.Status = resp.StatusCode
		return e
	}
	return nil
}

// newRequest builds what http.NewRequest would, but without GetBody
// (see transport.go) and without parsing the URL again.
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

func readLimited(buf *bytes.Buffer, r io.Reader) error {
	n, err := buf.ReadFrom(io.LimitReader(r, maxBody+1))
	if err != nil {
		return err
	}
	if n > maxBody {
		return errTooLarge
	}
	return nil
}

// listAll reads every page of path. It stops at a cursor that repeats,
// which would never end.
func listAll[J, T any](ctx context.Context, r *requester, token, path string, convert func(J) T) ([]T, error) {
	var all []T
	seen := map[string]bool{}
	query := url.Values{}
	for {
		var page struct {
			Items  lenientList[J] `json:"items"`
			Cursor lenientString  `json:"cursor"`
		}
		if err := r.get(ctx, token, path, query, &page); err != nil {
			return nil, err
		}
		for _, item := range page.Items {
			all = append(all, convert(item))
		}
		next := string(page.Cursor)
		if next == "" || seen[next] {
			return all, nil
		}
		seen[next] = true
		query = url.Values{"cursor": {next}}
	}
}
