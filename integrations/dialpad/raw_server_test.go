package dialpad

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// rawServer counts the POSTs that reach it. It reads the connection
// itself, so that no HTTP server hides one, and lets tests fail the way
// real networks do.
type rawServer struct {
	url   string
	posts atomic.Int32
	close func() string // stops the server and returns all it received
	wg    sync.WaitGroup
	mu    sync.Mutex
	raw   strings.Builder
}

// newRawServer starts a server. answer handles the server's nth request
// (from 1); false closes the connection.
func newRawServer(t *testing.T, answer func(conn *net.TCPConn, n int32) bool) *rawServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &rawServer{url: "http://" + l.Addr().String()}
	var open sync.Map
	s.wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			open.Store(conn, true)
			s.wg.Go(func() { s.serve(conn.(*net.TCPConn), answer) })
		}
	})
	s.close = func() string {
		_ = l.Close()
		// Bytes in flight still arrive: the client closes at EOF.
		open.Range(func(conn, _ any) bool { _ = conn.(*net.TCPConn).CloseWrite(); return true })
		s.wg.Wait()
		return s.raw.String()
	}
	t.Cleanup(func() { s.close() })
	return s
}

func (s *rawServer) serve(conn *net.TCPConn, answer func(*net.TCPConn, int32) bool) {
	defer func() { _ = conn.Close() }()
	r := bufio.NewReader(io.TeeReader(conn, s))
	for {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, req.Body); err != nil {
			return
		}
		n := s.posts.Add(1)
		if !answer(conn, n) {
			return
		}
	}
}

// Write records received bytes.
func (s *rawServer) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.raw.Write(b)
}

const smsOK = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 36\r\n\r\n" + `{"id":"1","message_status":"sent"}  `
const tokenOK = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 41\r\n\r\n" + `{"access_token":"a","refresh_token":"r"} `

func write(conn net.Conn, words string) bool {
	_, err := io.WriteString(conn, words)
	return err == nil
}

func closeConn(*net.TCPConn, int32) bool { return false }

func resetConn(conn *net.TCPConn, halfAnswer string) bool {
	write(conn, halfAnswer)
	_ = conn.SetLinger(0) // close becomes RST
	return false
}
