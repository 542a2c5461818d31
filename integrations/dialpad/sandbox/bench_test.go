package sandbox_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/integrations/dialpad/sandbox"
)

// BenchmarkSendSMS measures client, loopback and sandbox together.
func BenchmarkSendSMS(b *testing.B) {
	s := sandbox.New(sandbox.Options{TextsPerMinute: -1, RequestsPerSecond: -1, CountOnly: true})
	defer s.Close()
	s.SeedDemo()
	server := httptest.NewServer(s)
	defer server.Close()
	client := dialpad.New(dialpad.Config{BaseURL: server.URL})
	defer client.CloseIdleConnections()
	token := s.IssueToken(sandbox.AnaID)
	b.ReportAllocs()
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := client.SendSMS(b.Context(), token, hello); err != nil {
				b.Error(err)
			}
		}
	})
	if got := s.Accepted(); got != b.N {
		b.Errorf("accepted %d of %d", got, b.N)
	}
}

// BenchmarkSandbox measures the sandbox without a network.
func BenchmarkSandbox(b *testing.B) {
	s := sandbox.New(sandbox.Options{TextsPerMinute: -1, RequestsPerSecond: -1, CountOnly: true})
	defer s.Close()
	s.SeedDemo()
	token := s.IssueToken(sandbox.AnaID)
	b.ReportAllocs()
	var refused atomic.Int64
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r := httptest.NewRequest(http.MethodPost, "/api/v2/sms", strings.NewReader(`{"user_id":`+sandbox.BenID+`,"to_numbers":["+14155550142"],"text":"Hi"}`))
			r.Header.Set("Authorization", "Bearer "+token)
			w := httptest.NewRecorder()
			if s.ServeHTTP(w, r); w.Code != http.StatusOK {
				refused.Add(1)
			}
		}
	})
	if refused.Load() > 0 {
		b.Errorf("%d refused", refused.Load())
	}
}
