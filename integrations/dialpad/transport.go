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
//   - Transport.RoundTrip replays on a reused connection in two cases.
//     When nothing was written, it needs an empty body or GetBody.
//     When the server closed before its first byte, it needs
//     Request.isReplayable: a GET, or an Idempotency-Key header.
//     A POST with a body and without either meets neither case.
//   - HTTP/2 replays after REFUSED_STREAM and GOAWAY, and also needs
//     GetBody. The default transport still speaks HTTP/1.1 only: with
//     HTTP/2 one dying connection would leave every text in flight
//     uncertain at once.
//   - http.Client posts again on 307 and 308. RoundTrip follows nothing.
//
// httptrace alone can't distinguish NotSent from Lost: WroteHeaders and
// WroteRequest fire when the request is in a bufio buffer, before the
// flush. So the default transport's connections count their writes.

// newTransport returns the default transport. Tests pass their own
// certificate in tlsConfig.
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
			return &countingConn{Conn: conn}, nil
		},
		// Counted above TLS: below, the closing alert would count as
		// a written request.
		DialTLSContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
			defer cancel()
			conn, err := (&tls.Dialer{NetDialer: dialer, Config: tlsConfig}).DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return &countingConn{Conn: conn}, nil
		},
		Protocols:              protocols,
		TLSHandshakeTimeout:    5 * time.Second,
		ResponseHeaderTimeout:  20 * time.Second,
		MaxIdleConns:           256,
		MaxIdleConnsPerHost:    128,
		IdleConnTimeout:        30 * time.Second, // shorter than servers' own: they must not close first
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true,
	}
}

// countingConn counts writes. Once sealed it accepts no more.
type countingConn struct {
	net.Conn
	mu     sync.Mutex
	writes uint64
	sealed bool
}

func (w *countingConn) Write(b []byte) (int, error) {
	w.mu.Lock()
	if w.sealed {
		w.mu.Unlock()
		return 0, net.ErrClosed
	}
	w.writes++ // before the write: one in progress counts
	w.mu.Unlock()
	n, err := w.Conn.Write(b)
	if n == 0 && err != nil {
		w.mu.Lock()
		w.writes--
		w.mu.Unlock()
	}
	return n, err
}

func (w *countingConn) mark() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.writes
}

// seal closes the connection for writing and reports whether anything
// was written since mark. The lock makes the answer final: net/http's
// write loop is another goroutine and may be about to flush.
func (w *countingConn) seal(mark uint64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sealed = true
	return w.writes != mark
}

// writeTracker finds out whether one request was written.
type writeTracker struct {
	mu            sync.Mutex // GotConn runs again for a GET that net/http replays
	gotConnection bool
	conn          *countingConn
	mark          uint64
}

func (w *writeTracker) gotConn(info httptrace.GotConnInfo) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gotConnection = true
	w.conn, _ = info.Conn.(*countingConn)
	if tlsConn, ok := info.Conn.(*tls.Conn); ok { // through an HTTP proxy
		w.conn, _ = tlsConn.NetConn().(*countingConn)
	}
	if w.conn != nil {
		w.mark = w.conn.mark()
	}
}

// written reports, after a failed round trip, whether any byte of the
// request may have been sent. With another transport than ours, having
// got a connection counts as written.
func (w *writeTracker) written() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.conn == nil {
		return w.gotConnection
	}
	return w.conn.seal(w.mark)
}

// roundTripError is a round trip without a response.
type roundTripError struct {
	written bool
	err     error
}

func (e *roundTripError) Error() string { return e.err.Error() }
func (e *roundTripError) Unwrap() error { return e.err }

// singleAttempt is a RoundTripper for x/oauth2. It removes what would
// let net/http replay a body, and reports whether it was written.
type singleAttempt struct{ rt http.RoundTripper }

func (o singleAttempt) RoundTrip(req *http.Request) (*http.Response, error) {
	w := new(writeTracker)
	ctx := httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{GotConn: w.gotConn})
	req = req.WithContext(ctx)
	req.GetBody = nil
	resp, err := o.rt.RoundTrip(req)
	if err != nil {
		return nil, &roundTripError{written: w.written(), err: err}
	}
	return resp, nil
}
