package database

import (
	"context"
	"sync/atomic"
	"time"
)

// DeleteJobs deletes the jobs of a kind and a tenant, whatever their state,
// whose argument of a name has one of the values. Call it in a transaction.
func (d *DB) DeleteJobs(ctx context.Context, kind, tenantID, name string, values []string) error {
	return d.Gorm(ctx).Exec("DELETE FROM river_job WHERE kind = ? AND args ->> 'tenant_id' = ? AND args ->> '"+name+"' IN ?", kind, tenantID, values).Error
}

// logState says when SQLite's log was last emptied, in Unix seconds; 0 asks for it
// now. So does a start: the process before may have died.
type logState struct{ emptied atomic.Int64 }

// logAge is how long the log is not emptied without an erasure. What is stored
// for a moment only, such as events, is in the log for so long.
const logAge = time.Hour

const (
	truncateTimeout = 2 * time.Second
	// truncateWait is how long a truncation waits for readers, in milliseconds.
	// Writers wait with it.
	truncateWait = "100"
	usualWait    = "10000" // as in sqlite.DSN
)

// TruncateLog moves SQLite's log (WAL) into the database and empties its file, in
// which older versions of the rows are. Where a reader still needs it, it is left
// for TruncateLogIfDue. On Postgres it does nothing.
func (d *DB) TruncateLog(ctx context.Context) error {
	if !d.Embedded() {
		return nil
	}
	d.log.emptied.Store(0)
	return d.TruncateLogIfDue(ctx)
}

// TruncateLogIfDue is TruncateLog where one was left, and once an hour.
func (d *DB) TruncateLogIfDue(ctx context.Context) error {
	if !d.Embedded() || d.Now().Sub(time.Unix(d.log.emptied.Load(), 0)) < logAge {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, truncateTimeout)
	defer cancel()
	if err := d.lockWriter(ctx); err != nil {
		return err
	}
	defer func() { <-d.writer }()
	conn, err := d.sql.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	defer func() { _, _ = conn.ExecContext(context.WithoutCancel(ctx), "PRAGMA busy_timeout = "+usualWait) }()
	if _, err := conn.ExecContext(ctx, "PRAGMA busy_timeout = "+truncateWait); err != nil {
		return err
	}
	var busy bool
	var frames, moved int
	if err := conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &moved); err != nil {
		return err
	}
	if !busy {
		d.log.emptied.Store(d.Now().Unix())
	}
	return nil
}
