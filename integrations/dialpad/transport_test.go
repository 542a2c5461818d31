package dialpad

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

var text = SMS{UserID: "5835806903417907", ToNumber: "+14155550142", Text: "Hi"}

// postCalls are the calls that must never be sent twice.
var postCalls = []struct {
	name string
	ok   string
	do   func(context.Context, *Client) error
}{
	{"sms", smsOK, func(ctx context.Context, c *Client) error { _, err := c.SendSMS(ctx, "token", text); return err }},
	{"refresh", tokenOK, func(ctx context.Context, c *Client) error { _, err := c.Refresh(ctx, "old"); return err }},
	{"exchange", tokenOK, func(ctx context.Context, c *Client) error { _, err := c.Exchange(ctx, "code", "verifier"); return err }},
}

func TestPostIsSentOnceWhateverTheServerDoes(t *testing.T) {
	endings := []struct {
		name string
		bad  func(*net.TCPConn, int32) bool
		want Kind
	}{
		{"closed after reading the request", closeConn, Lost},
		{"resetConn after reading the request", func(c *net.TCPConn, _ int32) bool { return resetConn(c, "") }, Lost},
		{"resetConn in the middle of the header", func(c *net.TCPConn, _ int32) bool { return resetConn(c, "HTTP/1.1 200 OK\r\nConte") }, Lost},
		{"closed in the middle of the body", func(c *net.TCPConn, _ int32) bool {
			write(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"id\":")
			return false
		}, Lost},
		{"answers no HTTP", func(c *net.TCPConn, _ int32) bool { write(c, "hello\r\n\r\n"); return false }, Lost},
		{"307", func(c *net.TCPConn, _ int32) bool {
			return write(c, "HTTP/1.1 307 Temporary Redirect\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n")
		}, Lost},
		{"308", func(c *net.TCPConn, _ int32) bool {
			return write(c, "HTTP/1.1 308 Permanent Redirect\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n")
		}, Lost},
		{"500", func(c *net.TCPConn, _ int32) bool {
			return write(c, "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n")
		}, Lost},
		{"401", func(c *net.TCPConn, _ int32) bool {
			return write(c, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
		}, Unauthorized},
	}
	for _, call := range postCalls {
		for _, ending := range endings {
			t.Run(call.name+"/"+ending.name, func(t *testing.T) {
				// net/http replays on reused connections only.
				s := newRawServer(t, func(c *net.TCPConn, n int32) bool {
					if n == 1 {
						return write(c, call.ok)
					}
					return ending.bad(c, n)
				})
				c := New(Config{BaseURL: s.url})
				if err := call.do(t.Context(), c); err != nil {
					t.Fatalf("first call: %v", err)
				}
				err := call.do(t.Context(), c)
				if got := KindOf(err); got != ending.want {
					t.Errorf("kind = %q (%v), want %q", got, err, ending.want)
				}
				if got := s.posts.Load(); got != 2 {
					t.Errorf("server saw %d POSTs for 2 calls", got)
				}
			})
		}
	}
}

// The server closes idle connections while the client reuses them.
// Whichever wins, the client's error must match what the server saw.
func TestIdleConnectionClosedByServerIsClassifiedRight(t *testing.T) {
	for _, call := range postCalls {
		t.Run(call.name, func(t *testing.T) {
			s := newRawServer(t, func(c *net.TCPConn, _ int32) bool { write(c, call.ok); return false })
			c := New(Config{BaseURL: s.url})
			var seen int32
			for i := range 300 {
				err := call.do(t.Context(), c)
				got := s.posts.Load() - seen
				seen += got
				switch KindOf(err) {
				case "":
					if err != nil || got != 1 {
						t.Fatalf("call %d: err %v, but the server saw %d POSTs", i, err, got)
					}
				case NotSent:
					if got != 0 {
						t.Fatalf("call %d: not sent, but the server saw %d POSTs", i, got)
					}
				case Lost:
					if got > 1 {
						t.Fatalf("call %d: the server saw %d POSTs", i, got)
					}
				default:
					t.Fatalf("call %d: %v", i, err)
				}
			}
		})
	}
}

// Cancels when the connection is ready and the write loop is about to
// flush. What is reported as not sent must never arrive, even later.
func TestCancelDuringWriteNeverReportsNotSentWrongly(t *testing.T) {
	s := newRawServer(t, func(c *net.TCPConn, _ int32) bool { return write(c, smsOK) })
	c := New(Config{BaseURL: s.url})
	var notSent []string
	kinds := map[Kind]int{}
	for i := range 500 {
		ctx, cancel := context.WithCancel(t.Context())
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) {
			if i%2 == 0 {
				cancel()
			} else {
				go cancel()
			}
		}})
		token := fmt.Sprintf("token-%d-", i)
		_, err := c.SendSMS(ctx, token, text)
		cancel()
		kinds[KindOf(err)]++
		if KindOf(err) == NotSent {
			notSent = append(notSent, token)
		}
	}
	arrived := s.close()
	for _, token := range notSent {
		if strings.Contains(arrived, token) {
			t.Errorf("%s counts as not sent, and arrived", token)
		}
	}
	if kinds[NotSent] == 0 {
		t.Errorf("kinds: %v: the moment was never hit", kinds)
	}
}

func TestFailureBeforeWriteIsNotSent(t *testing.T) {
	closed := httptest.NewServer(nil)
	closed.Close()
	untrusted := httptest.NewUnstartedServer(http.NotFoundHandler())
	untrusted.Config.ErrorLog = log.New(io.Discard, "", 0)
	untrusted.StartTLS()
	defer untrusted.Close()
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	open := newRawServer(t, closeConn)
	for _, tc := range []struct {
		name string
		url  string
		ctx  context.Context
	}{
		{"connection refused", closed.URL, t.Context()},
		{"no such host", "http://nowhere.invalid", t.Context()},
		{"certificate not trusted", untrusted.URL, t.Context()},
		{"cancelled before the call", open.url, cancelled},
	} {
		for _, call := range postCalls {
			t.Run(tc.name+"/"+call.name, func(t *testing.T) {
				err := call.do(tc.ctx, New(Config{BaseURL: tc.url}))
				if KindOf(err) != NotSent {
					t.Errorf("kind = %q (%v), want not_sent", KindOf(err), err)
				}
			})
		}
	}
	if open.posts.Load() != 0 {
		t.Errorf("a cancelled call reached the server")
	}
}

func TestCancelWhileWaitingIsLost(t *testing.T) {
	release := make(chan struct{})
	read := make(chan struct{}, 1)
	s := newRawServer(t, func(*net.TCPConn, int32) bool { read <- struct{}{}; <-release; return false })
	defer close(release)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-read; cancel() }()
	_, err := New(Config{BaseURL: s.url}).SendSMS(ctx, "token", text)
	if KindOf(err) != Lost || !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v, want lost because of the cancelled context", err)
	}
	if s.posts.Load() != 1 {
		t.Errorf("server saw %d POSTs", s.posts.Load())
	}
}

// With another transport (HTTP/2 replays after GOAWAY and
// REFUSED_STREAM) the request itself must forbid a replay.
func TestRequestsAreNotReplayable(t *testing.T) {
	for _, call := range postCalls {
		rt := roundTripFunc(func(req *http.Request) (*http.Response, error) {
			if req.GetBody != nil || req.Header.Get("Idempotency-Key") != "" || req.Header.Get("X-Idempotency-Key") != "" {
				t.Errorf("%s: net/http may replay this request", call.name)
			}
			return nil, errors.New("connection died")
		})
		_ = call.do(t.Context(), New(Config{BaseURL: "http://127.0.0.1:1", HTTPClient: &http.Client{Transport: rt}}))
	}
}

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestSealedConnectionRefusesWrites(t *testing.T) {
	here, there := net.Pipe()
	defer func() { _, _ = here.Close(), there.Close() }()
	go func() { _, _ = io.Copy(io.Discard, there) }()
	w := &countingConn{Conn: here}
	mark := w.mark()
	if w.seal(mark) {
		t.Error("fresh connection counts as written")
	}
	if n, err := w.Write([]byte("x")); n != 0 || !errors.Is(err, net.ErrClosed) {
		t.Errorf("Write after seal = %d, %v", n, err)
	}
	w = &countingConn{Conn: here}
	mark = w.mark()
	if _, err := w.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if !w.seal(mark) {
		t.Error("a write was not noticed")
	}
}

func TestCallHasATimeout(t *testing.T) {
	var deadline time.Time
	rt := roundTripFunc(func(req *http.Request) (*http.Response, error) {
		deadline, _ = req.Context().Deadline()
		return nil, errors.New("stop")
	})
	_, _ = New(Config{HTTPClient: &http.Client{Transport: rt}}).SendSMS(t.Context(), "token", text)
	if until := time.Until(deadline); until <= 0 || until > callTimeout {
		t.Errorf("call may last %v", until)
	}
}

// Over TLS the closing alert is written to the connection too. It must
// not count as the request.
func TestTLSCloseAlertIsNoWrite(t *testing.T) {
	var posts atomic.Int32
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if posts.Add(1) == 2 {
			panic(http.ErrAbortHandler)
		}
		if r.ProtoMajor != 1 {
			t.Errorf("protocol %s", r.Proto)
		}
		_, _ = io.WriteString(w, `{"id":"1"}`)
	}))
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	c := New(Config{BaseURL: server.URL})
	c.api.rt = newTransport(&tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12})
	if _, err := c.SendSMS(t.Context(), "token", text); err != nil {
		t.Fatal(err)
	}
	if _, err := c.SendSMS(t.Context(), "token", text); KindOf(err) != Lost {
		t.Errorf("connection closed: %v, want lost", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { cancel() }})
	if _, err := c.SendSMS(ctx, "token", text); KindOf(err) == NotSent && posts.Load() != 2 {
		t.Errorf("not sent (%v), but the server saw %d POSTs", err, posts.Load())
	}
	c.CloseIdleConnections()
	server.Close()
	if _, err := c.SendSMS(t.Context(), "token", text); KindOf(err) != NotSent {
		t.Errorf("server gone: %v, want not sent", err)
	}
}
