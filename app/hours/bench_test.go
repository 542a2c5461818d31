package hours

import (
	"testing"
	"time"
)

// BenchmarkNext decides for one recipient of a bulk.
func BenchmarkNext(b *testing.B) {
	p, at := Policy{From: "20:00", To: "09:00", Laws: true}, time.Date(2026, 12, 2, 3, 40, 0, 0, time.UTC)
	for b.Loop() {
		p.Next(at, Recipient{"+12125550142", Zone("America/New_York ", "+12125550142", "UTC")})
	}
}
