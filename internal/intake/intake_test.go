package intake

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func read(b *Body, body io.Reader, length int64) (string, error) {
	r := httptest.NewRequest(http.MethodPost, "/", body)
	r.ContentLength = length
	content, err := b.Read(httptest.NewRecorder(), r)
	return string(content), err
}

func TestReadLimitsBodies(t *testing.T) {
	p := NewPool(Limits{Client: 1 << 20, Total: 1 << 20})
	for _, n := range []int{0, 1, 1023, 1024, 1025, 16 << 10, 16<<10 + 1, 99_999, 100_000} {
		for _, announced := range []int64{int64(n), -1} {
			b := p.Open("a", 100_000, time.Minute)
			content := strings.Repeat("x", n)
			if got, err := read(b, strings.NewReader(content), announced); err != nil || got != content || !b.WasRead() {
				t.Errorf("%d bytes, announced %d: %d bytes, %v", n, announced, len(got), err)
			}
			if held := p.Held(); held < n || held > 2*n+2048 {
				t.Errorf("%d bytes hold %d", n, held)
			}
			b.Release()
			b.Release()
		}
	}
	for _, announced := range []int64{100_001, -1, 10} {
		b := p.Open("a", 100_000, time.Minute)
		var tooLarge *http.MaxBytesError
		if _, err := read(b, strings.NewReader(strings.Repeat("x", 100_001)), announced); !errors.As(err, &tooLarge) || b.WasRead() {
			t.Errorf("announced %d: %v", announced, err)
		}
		b.Release()
	}
	b := p.Open("a", 100_000, time.Minute)
	if _, err := read(b, io.MultiReader(strings.NewReader("x"), broken{}), -1); !errors.Is(err, io.ErrUnexpectedEOF) || b.WasRead() {
		t.Errorf("a body that breaks off: %v", err)
	}
	b.Release()
	if p.Held() != 0 || len(p.small.clients)+len(p.large.clients) != 0 {
		t.Errorf("%d bytes are held at the end", p.Held())
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// Large bodies leave room for small ones, a client leaves room for others.
func TestBodiesShareTheBudget(t *testing.T) {
	p := NewPool(Limits{Client: 256 << 10, Total: 1 << 20})
	hold := func(client string, n int) error {
		_, err := read(p.Open(client, 1<<20, time.Minute), strings.NewReader(strings.Repeat("x", n)), -1)
		return err
	}
	if err := hold("greedy", 300<<10); !errors.Is(err, ErrBusy) {
		t.Errorf("more than one may have: %v", err)
	}
	if err := hold("greedy", 1000); err != nil {
		t.Errorf("a small one of the same client: %v", err)
	}
	for i := range 20 {
		_ = hold(fmt.Sprint("client ", i), 200<<10)
	}
	if err := hold("other", 200<<10); !errors.Is(err, ErrBusy) {
		t.Errorf("more than all may have: %v", err)
	}
	if err := hold("other", 16<<10-1); err != nil {
		t.Errorf("a small one beside them: %v", err)
	}
	for i := range 1000 {
		_ = hold(fmt.Sprint("small ", i), 16<<10-1)
	}
	if err := hold("late", 100); !errors.Is(err, ErrBusy) {
		t.Errorf("more small ones than all may have: %v", err)
	}
	if p.Held() > 2*(1<<20) {
		t.Errorf("%d bytes are held", p.Held())
	}
}

// Clients behind a proxy that does not name them have no share each.
func TestUnknownClientsHaveNoShare(t *testing.T) {
	p := NewPool(Limits{Client: 64 << 10, Total: 1 << 20})
	if _, err := read(p.Open("", 1<<20, time.Minute), strings.NewReader(strings.Repeat("x", 500<<10)), -1); err != nil {
		t.Error(err)
	}
}

func TestSlowBodiesEnd(t *testing.T) {
	p := NewPool(Limits{Client: 1 << 20, Total: 1 << 20})
	result := make(chan error, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b := p.Open("", 1000, 50*time.Millisecond)
		defer b.Release()
		_, err := b.Read(w, r)
		result <- err
	}))
	t.Cleanup(server.Close)
	c, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprint(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf")
	if err := <-result; !errors.Is(err, ErrSlow) {
		t.Errorf("got %v", err)
	}
}

func TestFailuresCountByAddress(t *testing.T) {
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	f := NewFailures(5, 1, func() time.Time { return now })
	for range 5 {
		if f.Exceeded("a") {
			t.Fatal("too early")
		}
		f.Add("a")
	}
	if !f.Exceeded("a") || f.Exceeded("b") {
		t.Error("five failures are allowed, of one address")
	}
	now = now.Add(time.Second)
	if f.Exceeded("a") {
		t.Error("a second later one more is allowed")
	}
	f.Add("")
	for i := range 3 * maxAddresses {
		f.Add(fmt.Sprint(i))
	}
	if n := f.addresses.Len(); n > maxAddresses {
		t.Errorf("%d addresses are remembered", n)
	}
}

func TestClient(t *testing.T) {
	for address, want := range map[string]string{
		"203.0.113.7": "203.0.113.7", "::ffff:203.0.113.7": "203.0.113.7", "2001:db8:1:2:3::4": "2001:db8:1:2::/64",
		"fe80::1%eth0": "fe80::/64", "": "", "x": "",
	} {
		if got := Client(address); got != want {
			t.Errorf("Client(%q) = %q, want %q", address, got, want)
		}
	}
	for address, want := range map[string]bool{
		"127.0.0.1": true, "::1": true, "10.1.2.3": true, "::ffff:192.168.0.1": true, "fd00::1": true, "169.254.1.1": true, "": true,
		"203.0.113.7": false, "2001:db8::1": false,
	} {
		if got := IsShared(address); got != want {
			t.Errorf("IsShared(%q) = %v", address, got)
		}
	}
}
