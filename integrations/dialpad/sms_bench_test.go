package dialpad

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// BenchmarkSendSMSWithoutNetwork measures what the client adds to
// net/http: its round trip is free.
func BenchmarkSendSMSWithoutNetwork(b *testing.B) {
	rt := roundTripFunc(func(req *http.Request) (*http.Response, error) {
		_, _ = io.Copy(io.Discard, req.Body)
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(
			`{"id":"1004","message_status":"pending","direction":"outbound","device_type":"public_api","from_number":"+14155550100",` +
				`"to_numbers":["+14155550142"],"text":"Hi","user_id":"2","target_id":"2","target_type":"user","created_date":"2013-01-01T00:00:00"}`))}, nil
	})
	c := New(Config{HTTPClient: &http.Client{Transport: rt}})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.SendSMS(b.Context(), "token", text); err != nil {
			b.Fatal(err)
		}
	}
}
