package jobs

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

func TestTenantGateLeavesWorkersToOthers(t *testing.T) {
	now := time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC)
	g := newTenantGate(func() time.Time { return now }, map[string]river.QueueConfig{"crm": {MaxWorkers: 16}, "own": {MaxWorkers: 16}}, "own")
	ids, release := int64(0), make(chan struct{})
	// begin starts a job and returns how long it has to wait, 0 if it runs.
	begin := func(queue, tenant string) time.Duration {
		ids++
		running, refused := make(chan struct{}), make(chan error, 1)
		job := &rivertype.JobRow{ID: ids, Queue: queue, EncodedArgs: fmt.Appendf(nil, `{"tenant_id":%q}`, tenant)}
		go func() {
			refused <- g.Work(context.Background(), job, func(context.Context) error { close(running); <-release; return nil })
		}()
		select {
		case <-running:
			return 0
		case err := <-refused:
			var snooze *river.JobSnoozeError
			if !errors.As(err, &snooze) {
				t.Fatal(err)
			}
			return snooze.Duration
		}
	}
	count := func(queue, tenant string, jobs int) (admitted int) {
		for range jobs {
			if begin(queue, tenant) == 0 {
				admitted++
			}
		}
		return admitted
	}
	if got := count("crm", "t_1", 10); got != 4 {
		t.Errorf("one tenant has %d of 16 workers", got)
	}
	if d := begin("crm", "t_1"); d != busyDelay {
		t.Errorf("one more waits %v", d)
	}
	if got := count("crm", "t_2", 2); got != 2 {
		t.Errorf("another tenant has %d workers", got)
	}
	if got := count("own", "t_1", 10); got != 10 {
		t.Errorf("%d jobs run in a queue without a gate", got)
	}
	now = now.Add(slowAfter)
	if d := begin("crm", "t_2"); d != slowDelay {
		t.Errorf("one more job of a tenant whose jobs hang waits %v", d)
	}
	if got := count("crm", "t_3", 4); got != 4 {
		t.Errorf("a third tenant has %d workers", got)
	}
	close(release)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		g.mu.Lock()
		left := len(g.running)
		g.mu.Unlock()
		if left == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d tenants still have jobs", left)
		}
	}
	if d := begin("crm", "t_1"); d != 0 {
		t.Errorf("after all have ended one waits %v", d)
	}
}
