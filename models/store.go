// Package models keeps what the product knows: one file per noun with its type, states, rules and queries, on
// Postgres and on an embedded SQLite.
//
// Every query takes ctx, then the tenant; one that crosses tenants says so in its name (All…).
package models

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
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

	"dialpad-texting/models/sqlite"
)

// ErrNotFound says that there is no such thing for this tenant.
var ErrNotFound = errors.New("not found")

// ErrConflict says that a unique rule of the database refused a row.
var ErrConflict = errors.New("conflict")

// ErrLost says that another process changed the row first.
var ErrLost = errors.New("changed by another process")

// Store is the database. The zero value is not usable; Open makes one. A Store handed to a Tx function works inside
// that transaction.
type Store struct {
	db     *gorm.DB
	sql    *sql.DB
	pool   *pgxpool.Pool
	driver riverdriver.Driver[*sql.Tx]
	queue  *river.Client[*sql.Tx]
	vault  *Vault
	now    func() time.Time
	log    *slog.Logger
	inTx   bool
	keys   *numberKeys
	writer chan struct{} // one writer of this process at a time; nil on Postgres
}

// Options are what a Store needs beside its address.
type Options struct {
	Vault    *Vault
	Now      func() time.Time
	Log      *slog.Logger
	MaxConns int // 0 means 24 on Postgres, 4 on SQLite
}

// Open opens `postgres://…` or `sqlite:path`.
func Open(ctx context.Context, address string, o Options) (*Store, error) {
	s := &Store{vault: o.Vault, now: o.Now, log: o.Log, keys: newNumberKeys()}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	dialector, err := s.connect(ctx, address, o.MaxConns)
	if err != nil {
		return nil, err
	}
	s.db, err = gorm.Open(dialector, &gorm.Config{
		TranslateError: true,
		NowFunc:        func() time.Time { return s.now().UTC() },
		// Query texts carry numbers and messages: GORM's own logger stays silent, errors are logged where they are handled.
		Logger:                 logger.Discard,
		SkipDefaultTransaction: true,
	})
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	s.queue, err = river.NewClient(s.driver, &river.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, fmt.Errorf("open the job queue: %w", err)
	}
	return s, nil
}

func (s *Store) connect(ctx context.Context, address string, maxConns int) (gorm.Dialector, error) {
	if path, ok := strings.CutPrefix(address, "sqlite:"); ok {
		db, err := sqlite.Open(path)
		if err != nil {
			return nil, fmt.Errorf("open the database file: %w", err)
		}
		// Opened anew, a connection reads the whole schema again; kept, each has its own copy and page cache. One
		// writes at a time, the others read.
		n := or(maxConns, 4)
		db.SetMaxOpenConns(n)
		db.SetMaxIdleConns(n)
		s.sql, s.driver, s.writer = db, riversqlite.New(db), make(chan struct{}, 1)
		return sqlite.New(db), db.PingContext(ctx)
	}
	cfg, err := pgxpool.ParseConfig(address)
	if err != nil {
		return nil, errors.New("DATABASE_URL is not a Postgres address") // the cause would print the password
	}
	cfg.MaxConns = int32(or(maxConns, 24))
	// One plan for every call: planning a claim anew costs as much as running it, and its partial indexes are chosen by
	// the statement's own literals.
	cfg.ConnConfig.RuntimeParams["plan_cache_mode"] = "force_generic_plan"
	cfg.ConnConfig.StatementCacheCapacity = 128 // each connection keeps its own; ours are some hundred, few of them often used
	cfg.ConnConfig.RuntimeParams["jit"] = "off" // compiling costs more than any statement of ours
	s.pool, err = pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	db := stdlib.OpenDBFromPool(s.pool)
	db.SetMaxIdleConns(0) // the pgx pool keeps the connections
	s.sql, s.driver = db, riverdatabasesql.NewWithPgxListener(db, s.pool)
	return postgres.New(postgres.Config{Conn: db}), db.PingContext(ctx)
}

// Close closes the database.
func (s *Store) Close() error {
	err := s.sql.Close()
	if s.pool != nil {
		s.pool.Close()
	}
	return err
}

// Embedded tells whether this is the embedded SQLite.
func (s *Store) Embedded() bool { return s.pool == nil }

// Now is the store's clock, in UTC.
func (s *Store) Now() time.Time { return s.now().UTC() }

// Vault seals and opens the secrets of this database.
func (s *Store) Vault() *Vault { return s.vault }

// Ping asks the database for a sign of life.
func (s *Store) Ping(ctx context.Context) error { return s.sql.PingContext(ctx) }

// River returns a job client over this database; the workers are the caller's.
func (s *Store) River(cfg *river.Config) (*river.Client[*sql.Tx], error) {
	return river.NewClient(s.driver, cfg)
}

// Tx runs f in one transaction. Inside, use the Store it is given: on SQLite the outer one would wait for itself.
func (s *Store) Tx(ctx context.Context, f func(tx *Store) error) error {
	if s.inTx {
		return f(s)
	}
	if s.writer != nil {
		// SQLite has one writer, and whoever waits for it there sleeps and looks again, up to 100 ms: here they queue.
		select {
		case s.writer <- struct{}{}:
			defer func() { <-s.writer }()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return s.db.WithContext(ctx).Transaction(func(db *gorm.DB) error {
		tx := *s
		tx.db, tx.inTx = db, true
		return f(&tx)
	})
}

func (s *Store) q(ctx context.Context) *gorm.DB { return s.db.WithContext(ctx) }

// raw is the open transaction, or the pool.
func (s *Store) raw() gorm.ConnPool { return s.db.Statement.ConnPool }

// moment is a time parameter inside an expression, where Postgres can't infer its type.
func (s *Store) moment(param string) string {
	if s.Embedded() {
		return param
	}
	return "CAST(" + param + " AS timestamptz)"
}

// list is a subquery of the strings in a parameter (toJSON): a list of parameters would be another statement, to be
// parsed and planned anew, for each length.
func (s *Store) list() string {
	if s.Embedded() {
		return "(SELECT value FROM json_each(?))"
	}
	return "(SELECT json_array_elements_text(CAST(? AS json)))"
}

// NewID returns a sortable public id (RFC 9562, UUIDv7).
func NewID() string { return uuid.Must(uuid.NewV7()).String() }

// one gives ErrNotFound for GORM's own word.
func one(err error) error {
	switch {
	case errors.Is(err, gorm.ErrRecordNotFound):
		return ErrNotFound
	case errors.Is(err, gorm.ErrDuplicatedKey):
		return ErrConflict
	}
	return err
}

// changed gives ErrLost when a guarded update touched nothing.
func changed(r *gorm.DB) error {
	if r.Error != nil {
		return one(r.Error)
	}
	if r.RowsAffected == 0 {
		return ErrLost
	}
	return nil
}

func or[T comparable](v, other T) T {
	var zero T
	if v == zero {
		return other
	}
	return v
}
