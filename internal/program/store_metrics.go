package program

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

const (
	// backlogAge is how old the figures of the database may be: scrapes of many
	// must not cost it more than those of one.
	backlogAge     = 5 * time.Second
	backlogTimeout = 5 * time.Second
	// workerAge is since when a live worker was seen.
	workerAge = time.Minute
)

// storeMetrics exposes what waits in the database, and for the database. Every
// process has the same backlog.
type storeMetrics struct {
	store *models.Store
	log   *slog.Logger

	mu      sync.Mutex
	readAt  time.Time
	isRead  bool
	backlog ledger.Backlog
	workers int
}

func newStoreMetrics(store *models.Store, log *slog.Logger) *storeMetrics {
	return &storeMetrics{store: store, log: log}
}

var (
	connectionsDesc = desc("database_connections", "Connections of this process to the database.", "state")
	waitsDesc       = desc("database_waits_total", "How often this process had to wait for a connection, or on SQLite to write.")
	waitedDesc      = desc("database_wait_seconds_total", "For how long.")
	readDesc        = desc("backlog_read", "1 if the figures of the backlog could be read, else 0, and then they are missing.")

	workersDesc       = desc("workers", "Workers seen within the last minute.")
	dueLanesDesc      = desc("lanes_due", "Lanes with due texts that no worker has leased (10000 at most).")
	dueDesc           = desc("lanes_due_seconds", "How long the first of them has been due.")
	queuedDesc        = desc("text_queued_seconds", "How long ago the oldest of the lanes' next texts was queued. A bulk takes as long as it takes.")
	lateDesc          = desc("text_late_seconds", "How long the next text of a lane could have gone and did not: its company's slot is past.")
	uncertainDesc     = desc("texts_uncertain", "Texts whose outcome is unknown (10000 at most).")
	eventsDesc        = desc("events_pending", "Dialpad's events that are due and not applied (10000 at most).", "kind")
	eventsLagDesc     = desc("events_lag_seconds", "How long the first of them has been due.", "kind")
	timelineDesc      = desc("timeline_pending", "Texts whose last change the CRM's timeline does not show (10000 at most).")
	timelineSinceDesc = desc("timeline_lag_seconds", "How old the first of those changes is.")
)

// Describe implements prometheus.Collector. It names no metric: which there are
// depends on the database.
func (m *storeMetrics) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (m *storeMetrics) Collect(ch chan<- prometheus.Metric) {
	pool := m.store.PoolStats()
	for state, n := range map[string]int{"used": pool.Used, "idle": pool.Idle, "max": pool.Max} {
		gauge(ch, connectionsDesc, float64(n), state)
	}
	counter(ch, waitsDesc, float64(pool.Waits))
	counter(ch, waitedDesc, pool.Waited.Seconds())
	b, workers, isRead := m.read()
	if !isRead {
		gauge(ch, readDesc, 0)
		return
	}
	gauge(ch, readDesc, 1)
	gauge(ch, workersDesc, float64(workers))
	m.collectBacklog(ch, b)
}

func (m *storeMetrics) collectBacklog(ch chan<- prometheus.Metric, b ledger.Backlog) {
	age := func(since *time.Time) float64 {
		if since == nil {
			return 0
		}
		return max(0, m.store.Now().Sub(*since).Seconds())
	}
	gauge(ch, dueLanesDesc, float64(b.DueLanes))
	gauge(ch, dueDesc, age(b.DueSince))
	gauge(ch, queuedDesc, age(b.QueuedSince))
	gauge(ch, lateDesc, age(b.LateSince))
	gauge(ch, uncertainDesc, float64(b.Uncertain))
	gauge(ch, eventsDesc, float64(b.Events), "delivery")
	gauge(ch, eventsDesc, float64(b.OtherEvents), "other")
	gauge(ch, eventsLagDesc, age(b.EventsSince), "delivery")
	gauge(ch, eventsLagDesc, age(b.OtherEventsSince), "other")
	gauge(ch, timelineDesc, float64(b.Timeline))
	gauge(ch, timelineSinceDesc, age(b.TimelineSince))
}

// read returns what waits in the database, read a moment ago at most.
func (m *storeMetrics) read() (ledger.Backlog, int, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if now := m.store.Now(); m.readAt.IsZero() || now.Sub(m.readAt) >= backlogAge {
		m.readAt = now
		ctx, cancel := context.WithTimeout(context.Background(), backlogTimeout)
		defer cancel()
		b, err := m.store.BacklogAllTenants(ctx)
		workers, workersErr := m.store.Workers.CountSince(ctx, now.Add(-workerAge))
		if m.isRead = err == nil && workersErr == nil; !m.isRead {
			m.log.Warn("read backlog for metrics failed", "err", err, "workers_err", workersErr)
		}
		m.backlog, m.workers = b, workers
	}
	return m.backlog, m.workers, m.isRead
}
