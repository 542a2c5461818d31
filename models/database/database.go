// Package database opens Postgres or an embedded SQLite and hides
// their differences from the packages that store rows.
package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"dialpad-texting/internal/ctxtime"
	"dialpad-texting/models/sqlite"
)

// DB is an open database. Open returns one; the DB that is passed to a
// Tx function works inside that transaction.
type DB struct {
	gorm       *gorm.DB
	sql        *sql.DB
	pool       *pgxpool.Pool // nil on SQLite
	driver     riverdriver.Driver[*sql.Tx]
	queue      *river.Client[*sql.Tx] // inserts jobs, runs none
	now        func() time.Time
	leaseClock bool
	inTx       bool
	writer     chan struct{} // holds a value during a transaction; nil on Postgres
	waits      *waits        // for writer
	log        *logState     // of SQLite
}

const (
	maxSQLiteConns   = 4
	maxPostgresConns = 24
)

// Options are the optional parameters of Open.
type Options struct {
	Now func() time.Time // nil: time.Now
	// LeaseClock makes Postgres's own clock count for leases. Tests that
	// inject a clock leave it out.
	LeaseClock bool
}

// Open opens the database at `postgres://…` or `sqlite:path`.
func Open(ctx context.Context, address string, o Options) (*DB, error) {
	d := &DB{now: o.Now, leaseClock: o.LeaseClock}
	if d.now == nil {
		d.now = time.Now
	}
	dialector, err := d.connect(ctx, address)
	if err != nil {
		return nil, err
	}
	d.gorm, err = gorm.Open(dialector, &gorm.Config{
		TranslateError: true,
		NowFunc:        func() time.Time { return d.now().UTC() },
		// Statements contain numbers and texts, so GORM must not log
		// them.
		Logger:                 logger.Discard,
		SkipDefaultTransaction: true,
	})
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	d.queue, err = river.NewClient(d.driver, &river.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, fmt.Errorf("open the job queue: %w", err)
	}
	return d, nil
}

func (d *DB) connect(ctx context.Context, address string) (gorm.Dialector, error) {
	if path, ok := strings.CutPrefix(address, "sqlite:"); ok {
		return d.connectSQLite(ctx, path)
	}
	return d.connectPostgres(ctx, address)
}

func (d *DB) connectSQLite(ctx context.Context, path string) (gorm.Dialector, error) {
	db, err := sqlite.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the database file: %w", err)
	}
	// Each new connection reads the whole schema, so all stay open.
	db.SetMaxOpenConns(maxSQLiteConns)
	db.SetMaxIdleConns(maxSQLiteConns)
	d.sql, d.driver, d.writer = db, riversqlite.New(db), make(chan struct{}, 1)
	d.waits, d.log = &waits{}, &logState{}
	return sqlite.New(db), db.PingContext(ctx)
}

func (d *DB) connectPostgres(ctx context.Context, address string) (gorm.Dialector, error) {
	cfg, err := pgxpool.ParseConfig(address)
	if err != nil {
		// The error would print the password.
		return nil, errors.New("DATABASE_URL is not a Postgres address")
	}
	cfg.MaxConns = maxPostgresConns
	// Planning a claim costs as much as running it, so plans are reused. The
	// literals in the statements select the partial indexes.
	cfg.ConnConfig.RuntimeParams["plan_cache_mode"] = "force_generic_plan"
	// Each connection has a cache of its own, and few statements are
	// frequent.
	cfg.ConnConfig.StatementCacheCapacity = 128
	cfg.ConnConfig.RuntimeParams["jit"] = "off" // compiling costs more than running
	d.pool, err = pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	db := stdlib.OpenDBFromPool(d.pool)
	db.SetMaxIdleConns(0) // the pgx pool keeps the connections
	d.sql, d.driver = db, riverdatabasesql.NewWithPgxListener(db, d.pool)
	return postgres.New(postgres.Config{Conn: db}), db.PingContext(ctx)
}

// Close closes the database.
func (d *DB) Close() error {
	err := d.sql.Close()
	if d.pool != nil {
		d.pool.Close()
	}
	return err
}

// Embedded reports whether this is the embedded SQLite.
func (d *DB) Embedded() bool { return d.pool == nil }

// LeasesByItsClock reports whether leases go by the database's clock.
func (d *DB) LeasesByItsClock() bool { return d.leaseClock && !d.Embedded() }

// Now returns the time by the injected clock, in UTC.
func (d *DB) Now() time.Time { return d.now().UTC() }

// Ping checks that the database answers.
func (d *DB) Ping(ctx context.Context) error { return d.sql.PingContext(ctx) }

// River returns a job client over this database.
func (d *DB) River(cfg *river.Config) (*river.Client[*sql.Tx], error) {
	return river.NewClient(d.driver, cfg)
}

// Gorm returns the query builder, in the open transaction if there is
// one.
func (d *DB) Gorm(ctx context.Context) *gorm.DB { return d.gorm.WithContext(ctx) }

// Tx runs f in one transaction, or in the one that is already open. f
// must use tx alone: on SQLite another DB would wait for this
// transaction. f runs again where Postgres ended the transaction for a
// deadlock, so it must set what it returns anew.
func (d *DB) Tx(ctx context.Context, f func(tx *DB) error) error {
	if d.inTx {
		return f(d)
	}
	for try := 1; ; try++ {
		err := d.tx(ctx, f)
		if try == maxTries || !isTransient(err) {
			return err
		}
		pause := rand.N(time.Duration(try) * maxRetryPause) //nolint:gosec // no secret
		if ctxtime.Sleep(ctx, pause) != nil {
			return err
		}
	}
}

// maxTries is how often a transaction runs that Postgres ends. Transactions
// that ended each other pause for times that differ.
const (
	maxTries      = 5
	maxRetryPause = 20 * time.Millisecond
)

func (d *DB) tx(ctx context.Context, f func(tx *DB) error) error {
	if d.writer != nil {
		// SQLite allows one writer and polls for up to 100 ms when
		// there is another. A channel waits no longer than needed.
		if err := d.lockWriter(ctx); err != nil {
			return err
		}
		defer func() { <-d.writer }()
	}
	return d.Gorm(ctx).Transaction(func(db *gorm.DB) error {
		tx := *d
		tx.gorm, tx.inTx = db, true
		return f(&tx)
	})
}

// NewID returns a sortable public id (RFC 9562, UUIDv7).
func NewID() string { return uuid.Must(uuid.NewV7()).String() }

// IsID reports whether s may be from NewID. What is not is no row's, and
// need not even be text that a database takes.
func IsID(s string) bool { return len(s) == len(uuid.Nil.String()) && uuid.Validate(s) == nil }
