package jobs

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

const (
	// A tenant's jobs get a quarter of a queue's workers, and slowLimit of
	// them while one has been running for slowAfter: then Dialpad or the CRM
	// hangs for this tenant, and must not make others wait.
	tenantShare = 4
	slowAfter   = 3 * time.Second
	slowLimit   = 2
	// A job that must not start yet is fetched again after busyDelay, or
	// slowDelay. River is exact to the moment for up to five seconds.
	busyDelay = time.Second
	slowDelay = 5 * time.Second
)

// tenantGate keeps one tenant's jobs from taking all workers of a queue. It is
// River's middleware. The zero value is not usable.
type tenantGate struct {
	river.MiddlewareDefaults
	now    func() time.Time
	limits map[string]int // by queue; a queue without one has no gate

	mu      sync.Mutex
	running map[gateKey]map[int64]time.Time // when each job began
}

type gateKey struct{ queue, tenantID string }

func newTenantGate(now func() time.Time, queues map[string]river.QueueConfig, open ...string) *tenantGate {
	g := &tenantGate{now: now, limits: map[string]int{}, running: map[gateKey]map[int64]time.Time{}}
	for name, q := range queues {
		g.limits[name] = max(slowLimit, q.MaxWorkers/tenantShare)
	}
	for _, name := range open {
		delete(g.limits, name)
	}
	return g
}

// Work implements rivertype.WorkerMiddleware.
func (g *tenantGate) Work(ctx context.Context, job *rivertype.JobRow, work func(context.Context) error) error {
	var args struct {
		TenantID string `json:"tenant_id"`
	}
	if err := json.Unmarshal(job.EncodedArgs, &args); err != nil || args.TenantID == "" || g.limits[job.Queue] == 0 {
		return work(ctx) // the job itself reports args that can't be read
	}
	key := gateKey{job.Queue, args.TenantID}
	if delay := g.enter(key, job.ID); delay > 0 {
		return river.JobSnooze(delay)
	}
	defer g.leave(key, job.ID)
	return work(ctx)
}

// enter admits a job, or returns how long it has to wait.
func (g *tenantGate) enter(key gateKey, id int64) time.Duration {
	now := g.now()
	g.mu.Lock()
	defer g.mu.Unlock()
	running := g.running[key]
	if len(running) >= slowLimit {
		for _, began := range running {
			if now.Sub(began) >= slowAfter {
				return slowDelay
			}
		}
	}
	if len(running) >= g.limits[key.queue] {
		return busyDelay
	}
	if running == nil {
		running = map[int64]time.Time{}
		g.running[key] = running
	}
	running[id] = now
	return 0
}

func (g *tenantGate) leave(key gateKey, id int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if delete(g.running[key], id); len(g.running[key]) == 0 {
		delete(g.running, key)
	}
}
