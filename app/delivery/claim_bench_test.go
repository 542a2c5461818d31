package delivery_test

import (
	"context"
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"dialpad-texting/models/ledger"
)

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkClaim claims 64 texts of a tenant
// that stores 10,000 or a million others.
func BenchmarkClaim(b *testing.B) {
	for _, name := range []string{"sqlite", "postgres"} {
		for _, stored := range []int{10_000, 1_000_000} {
			b.Run(fmt.Sprint(name, "/", stored), func(b *testing.B) {
				l := newLoad(b, fresh(b, name), instant)
				t := l.addCompany(1, 0, 0)
				t.Batch("old", ledger.ClassBulk, sender(t), "ana1@acme.com", 1)
				l.copyMessages("old", stored, ledger.Sent)
				t.Batch("new", ledger.ClassBulk, sender(t), "ana1@acme.com", 1)
				l.copyMessages("new", 64*(b.N+2), ledger.Queued)
				l.benchmarkClaims(b, t.Lane)
			})
		}
	}
}

func (l *load) benchmarkClaims(b *testing.B, lane string) {
	lanes, err := l.db.Lanes.AcquireAllTenants(context.Background(), "w1", time.Hour, 0, 10)
	l.must(err)
	at := slices.IndexFunc(lanes, func(one ledger.Lane) bool { return one.ID == lane })
	b.ResetTimer()
	for range b.N {
		got, _, err := l.db.Lanes.Claim(context.Background(), lanes[at], ledger.ClaimParams{N: 64, Base: time.Now()})
		if err != nil || len(got) < 63 { // one of two to the same number waits for the other's answer
			b.Fatal(len(got), err)
		}
		b.StopTimer()
		outcomes := make([]ledger.Outcome, len(got))
		for i, c := range got {
			outcomes[i] = ledger.Outcome{ID: c.ID, Attempt: c.Attempt, State: ledger.Sent, DialpadID: c.ID}
		}
		_, err = l.db.Settle(context.Background(), outcomes)
		l.must(err)
		b.StartTimer()
	}
}
