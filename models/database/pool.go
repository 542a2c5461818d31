package database

import (
	"context"
	"sync/atomic"
	"time"
)

// PoolStats is how the connections to the database are used, and how often and
// for how long callers have waited for one: on Postgres for a connection, on
// SQLite for the turn to write too.
type PoolStats struct {
	Used, Idle, Max int
	Waits           int64
	Waited          time.Duration
}

// waits counts what had to wait for SQLite's only writer.
type waits struct{ n, nanoseconds atomic.Int64 }

// PoolStats returns the present figures; Waits and Waited since the start.
func (d *DB) PoolStats() PoolStats {
	if d.pool != nil {
		s := d.pool.Stat()
		return PoolStats{Used: int(s.AcquiredConns()), Idle: int(s.IdleConns()), Max: int(s.MaxConns()),
			Waits: s.EmptyAcquireCount(), Waited: s.EmptyAcquireWaitTime()}
	}
	s := d.sql.Stats()
	return PoolStats{Used: s.InUse, Idle: s.Idle, Max: s.MaxOpenConnections, Waits: s.WaitCount + d.waits.n.Load(),
		Waited: s.WaitDuration + time.Duration(d.waits.nanoseconds.Load())}
}

// lockWriter waits for the turn to write to SQLite.
func (d *DB) lockWriter(ctx context.Context) error {
	select {
	case d.writer <- struct{}{}:
		return nil
	default:
	}
	began := d.now()
	defer func() {
		d.waits.n.Add(1)
		d.waits.nanoseconds.Add(int64(d.now().Sub(began)))
	}()
	select {
	case d.writer <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
