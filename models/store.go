// Package models keeps what the product knows, on Postgres or on an embedded
// SQLite: one file per noun with its type, states and queries. Batches,
// messages, lanes and events are in models/ledger.
//
// Every query takes ctx, then the tenant. One that crosses tenants says so in
// its name: …AllTenants.
package models

import (
	"context"
	"database/sql"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"gorm.io/gorm"

	"dialpad-texting/models/database"
	"dialpad-texting/models/ledger"
)

// Errors of this package and of models/ledger.
var (
	ErrNotFound = database.ErrNotFound // the tenant has no such row
	ErrConflict = database.ErrConflict // a unique rule of the database refused a row
	ErrLost     = database.ErrLost     // another process changed the row first
)

// Store gives access to the database, each noun by its own type. The zero value
// is not usable; Open makes one. A Store handed to a Tx function works inside
// that transaction.
type Store struct {
	*ledger.Ledger // Batches, Messages, Lanes, Events, Callbacks

	Tenants         Tenants
	Installations   Installations
	Connections     Connections
	ConnectAttempts ConnectAttempts
	Accounts        Accounts
	Users           Users
	Sessions        Sessions
	Suppressions    Suppressions
	CRMCalls        CRMCalls
	Audits          Audits
	Workers         Workers

	db    *database.DB
	vault *Vault
	keys  *numberKeys
}

// Tables, each with its queries.
type (
	// Tenants are the CRM accounts.
	Tenants struct{ s *Store }
	// Installations are the tenants' installations of the app.
	Installations struct{ s *Store }
	// Connections are the tenants' Dialpad grants.
	Connections struct{ s *Store }
	// ConnectAttempts are admins' ways to Dialpad's consent and back.
	ConnectAttempts struct{ s *Store }
	// Accounts are the companies' Dialpad users.
	Accounts struct{ s *Store }
	// Users are the CRM's users.
	Users struct{ s *Store }
	// Sessions are what launches opened.
	Sessions struct{ s *Store }
	// Suppressions are the numbers not to be texted.
	Suppressions struct{ s *Store }
	// CRMCalls are the CRM's signed calls.
	CRMCalls struct{ s *Store }
	// Audits are what was done, by whom.
	Audits struct{ s *Store }
	// Workers are the processes that do background work.
	Workers struct{ s *Store }
)

// Options are what a Store needs beside its address.
type Options struct {
	Vault    *Vault
	Now      func() time.Time // nil: time.Now
	Log      *slog.Logger
	MaxConns int // 0: 24 on Postgres, 4 on SQLite
}

// Open opens `postgres://…` or `sqlite:path`.
func Open(ctx context.Context, address string, o Options) (*Store, error) {
	db, err := database.Open(ctx, address, database.Options{Now: o.Now, MaxConns: o.MaxConns})
	if err != nil {
		return nil, err
	}
	return storeOver(db, ledger.New(db), o.Vault, newNumberKeys()), nil
}

func storeOver(db *database.DB, l *ledger.Ledger, vault *Vault, keys *numberKeys) *Store {
	s := &Store{Ledger: l, db: db, vault: vault, keys: keys}
	s.Tenants, s.Installations, s.Connections = Tenants{s}, Installations{s}, Connections{s}
	s.ConnectAttempts, s.Accounts, s.Users, s.Sessions = ConnectAttempts{s}, Accounts{s}, Users{s}, Sessions{s}
	s.Suppressions, s.CRMCalls, s.Audits, s.Workers = Suppressions{s}, CRMCalls{s}, Audits{s}, Workers{s}
	return s
}

// Tx runs f in one transaction. Inside, use the Store that f is given: on SQLite
// the outer one would wait for itself.
func (s *Store) Tx(ctx context.Context, f func(tx *Store) error) error {
	return s.db.Tx(ctx, func(db *database.DB) error {
		return f(storeOver(db, s.Ledger.In(db), s.vault, s.keys))
	})
}

// Close closes the database.
func (s *Store) Close() error { return s.db.Close() }

// Embedded tells whether this is the embedded SQLite.
func (s *Store) Embedded() bool { return s.db.Embedded() }

// Now returns the time by the store's clock, in UTC.
func (s *Store) Now() time.Time { return s.db.Now() }

// Vault seals and opens the secrets of this database.
func (s *Store) Vault() *Vault { return s.vault }

// Ping checks that the database answers.
func (s *Store) Ping(ctx context.Context) error { return s.db.Ping(ctx) }

// Migrate brings the schema to the newest version. Several replicas may call it
// at once.
func (s *Store) Migrate(ctx context.Context) error { return s.db.Migrate(ctx) }

// SchemaCurrent returns nil, or why the schema is not the one that this program
// was built for.
func (s *Store) SchemaCurrent(ctx context.Context) error { return s.db.SchemaCurrent(ctx) }

// River returns a job client over this database; the workers are the caller's.
func (s *Store) River(cfg *river.Config) (*river.Client[*sql.Tx], error) { return s.db.River(cfg) }

// Enqueue adds jobs in the open transaction, so that a job exists exactly when
// the rows it is about do.
func (s *Store) Enqueue(ctx context.Context, jobs ...river.JobArgs) error {
	return s.db.Enqueue(ctx, jobs...)
}

func (s *Store) q(ctx context.Context) *gorm.DB { return s.db.Gorm(ctx) }

// NewID returns a sortable public id (RFC 9562, UUIDv7).
func NewID() string { return database.NewID() }
