package dialpad

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"time"
)

// Why a POST is never on the wire twice (net/http of Go 1.26):
//
//   - Transport.roundTrip replays on a reused connection in two cases. When nothing was written, it needs an empty body
//     or GetBody. When the server hung up before its first byte, it needs Request.isReplayable: a GET, or a request
//     that carries Idempotency-Key. We send neither that header nor a GetBody, so a POST with a body meets neither.
//   - HTTP/2 replays after REFUSED_STREAM and GOAWAY, and needs GetBody too. The default transport speaks HTTP/1.1
//     alone all the same: with HTTP/2 one dying connection would make every text in flight uncertain at once.
//   - http.Client re-posts on 307 and 308. We call RoundTrip, which follows nothing.
//
// httptrace alone can't tell "not sent" from "lost": WroteHeaders and WroteRequest fire when the request is in a bufio
// buffer, before it is flushed. So the default transport's connections count what they write.

// newTransport is the default transport. tlsConfig lets tests bring their own certificate.
func newTransport(tlsConfig *tls.Config) *http.Transport {
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return &wireConn{Conn: conn}, nil
		},
		// Counting above TLS, since below it the closing alert would count as a written request.
		DialTLSContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
			defer cancel()
			conn, err := (&tls.Dialer{NetDialer: dialer, Config: tlsConfig}).DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return &wireConn{Conn: conn}, nil
		},
		Protocols:              protocols,
		TLSHandshakeTimeout:    5 * time.Second,
		ResponseHeaderTimeout:  20 * time.Second,
		MaxIdleConns:           256,
		MaxIdleConnsPerHost:    128,
		IdleConnTimeout:        30 * time.Second, // shorter than most servers': they should not hang up first
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true,
	}
}

// wireConn knows whether anything was written to it since a moment, and can be sealed so that nothing more ever is.
type wireConn struct {
	net.Conn
	mu     sync.Mutex
	writes uint64
	sealed bool
}

func (w *wireConn) Write(b []byte) (int, error) {
	w.mu.Lock()
	if w.sealed {
		w.mu.Unlock()
		return 0, net.ErrClosed
	}
	w.writes++ // before the write: one that is under way counts as written
	w.mu.Unlock()
	n, err := w.Conn.Write(b)
	if n == 0 && err != nil {
		w.mu.Lock()
		w.writes--
		w.mu.Unlock()
	}
	return n, err
}

func (w *wireConn) mark() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.writes
}

// seal ends the connection for writing and says whether anything was written since mark. The lock makes the answer
// final: net/http's write loop is another goroutine and may be about to flush.
func (w *wireConn) seal(mark uint64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sealed = true
	return w.writes != mark
}

// wire watches one request's way onto the wire.
type wire struct {
	mu   sync.Mutex // GotConn may run once more for a GET that net/http replays
	got  bool
	conn *wireConn
	mark uint64
}

func (w *wire) gotConn(info httptrace.GotConnInfo) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.got = true
	w.conn, _ = info.Conn.(*wireConn)
	if tlsConn, ok := info.Conn.(*tls.Conn); ok { // through an HTTP proxy
		w.conn, _ = tlsConn.NetConn().(*wireConn)
	}
	if w.conn != nil {
		w.mark = w.conn.mark()
	}
}

// written says, after a failed round trip, whether any byte of the request may have left. With a foreign transport,
// having had a connection counts as written.
func (w *wire) written() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.conn == nil {
		return w.got
	}
	return w.conn.seal(w.mark)
}

// roundTripError is a round trip that brought no answer.
type roundTripError struct {
	written bool
	err     error
}

func (e *roundTripError) Error() string { return e.err.Error() }
func (e *roundTripError) Unwrap() error { return e.err }

// onceTripper does one round trip, without anything that would let net/http replay a body, and knows what was written.
type onceTripper struct{ rt http.RoundTripper }

func (o onceTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	w := new(wire)
	ctx := httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{GotConn: w.gotConn})
	req = req.WithContext(ctx)
	req.GetBody = nil
	resp, err := o.rt.RoundTrip(req)
	if err != nil {
		return nil, &roundTripError{written: w.written(), err: err}
	}
	return resp, nil
}
