// Package models stores the product's records in Postgres or an embedded
// SQLite. Each noun has a file with its type, states and queries.
// Batches, messages, lanes and events are in models/ledger.
//
// Every query has ctx, then the tenant, as its first parameters. The name
// of a query across tenants ends in AllTenants.
package models

import (
	"context"
	"database/sql"
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

// Store gives access to the records, each noun by its own type. Open
// returns one; the zero value is not usable. The Store that is passed to
// a Tx function works inside that transaction.
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
	Drafts          Drafts
	Replies         Replies
	Audits          Audits
	Workers         Workers
	Rounds          Rounds
	HourlyTexts     HourlyTexts

	db    *database.DB
	vault *Vault
	keys  *numberKeys
}

// The queries of each table.
type (
	// Tenants queries the CRM accounts.
	Tenants struct{ s *Store }
	// Installations queries the tenants' installations of the app.
	Installations struct{ s *Store }
	// Connections queries the tenants' Dialpad grants.
	Connections struct{ s *Store }
	// ConnectAttempts queries the runs of Dialpad's OAuth flow.
	ConnectAttempts struct{ s *Store }
	// Accounts queries the stored Dialpad users.
	Accounts struct{ s *Store }
	// Users queries the stored CRM users.
	Users struct{ s *Store }
	// Sessions queries the sessions and the used launch tokens.
	Sessions struct{ s *Store }
	// Suppressions queries the numbers not to be texted.
	Suppressions struct{ s *Store }
	// CRMCalls queries the answers to the CRM's signed calls.
	CRMCalls struct{ s *Store }
	// Drafts queries what people are writing.
	Drafts struct{ s *Store }
	// Replies queries what people answered.
	Replies struct{ s *Store }
	// Audits queries the audit log.
	Audits struct{ s *Store }
	// Workers queries the processes that do background work.
	Workers struct{ s *Store }
	// HourlyTexts queries how many texts people asked for lately.
	HourlyTexts struct{ s *Store }
	// Rounds queries what one process of the fleet does at a time.
	Rounds struct{ s *Store }
)

// Options are the parameters of Open.
type Options struct {
	Vault *Vault
	Now   func() time.Time // nil: time.Now
	// LeaseClock makes Postgres's own clock count for leases.
	LeaseClock bool
}

// Open opens the database at `postgres://…` or `sqlite:path`.
func Open(ctx context.Context, address string, o Options) (*Store, error) {
	db, err := database.Open(ctx, address, database.Options{Now: o.Now, LeaseClock: o.LeaseClock})
	if err != nil {
		return nil, err
	}
	return newStore(db, ledger.New(db), o.Vault, newNumberKeys()), nil
}

func newStore(db *database.DB, l *ledger.Ledger, vault *Vault, keys *numberKeys) *Store {
	s := &Store{Ledger: l, db: db, vault: vault, keys: keys}
	s.Tenants, s.Installations, s.Connections = Tenants{s}, Installations{s}, Connections{s}
	s.ConnectAttempts, s.Accounts, s.Users, s.Sessions = ConnectAttempts{s}, Accounts{s}, Users{s}, Sessions{s}
	s.Suppressions, s.CRMCalls, s.Drafts, s.Audits, s.Workers = Suppressions{s}, CRMCalls{s}, Drafts{s}, Audits{s}, Workers{s}
	s.Rounds, s.Replies, s.HourlyTexts = Rounds{s}, Replies{s}, HourlyTexts{s}
	return s
}

// Tx runs f in one transaction. f must use tx alone: on SQLite another
// Store would wait for this transaction.
func (s *Store) Tx(ctx context.Context, f func(tx *Store) error) error {
	return s.db.Tx(ctx, func(db *database.DB) error {
		return f(newStore(db, s.Ledger.In(db), s.vault, s.keys))
	})
}

// Close closes the database.
func (s *Store) Close() error { return s.db.Close() }

// Embedded reports whether the database is the embedded SQLite.
func (s *Store) Embedded() bool { return s.db.Embedded() }

// Now returns the time by the store's clock, in UTC.
func (s *Store) Now() time.Time { return s.db.Now() }

// Vault returns the vault that seals this database's secrets.
func (s *Store) Vault() *Vault { return s.vault }

// PoolStats returns how the connections to the database are used.
func (s *Store) PoolStats() database.PoolStats { return s.db.PoolStats() }

// Ping checks that the database answers.
func (s *Store) Ping(ctx context.Context) error { return s.db.Ping(ctx) }

// Migrate migrates the schema to the newest version, and the rows that
// SQL can't. Several processes
// may call it at once.
func (s *Store) Migrate(ctx context.Context) error {
	if err := s.db.Migrate(ctx); err != nil {
		return err
	}
	return s.upgradeData(ctx)
}

// SchemaCurrent returns an error unless the schema is the one that this
// program was built for.
func (s *Store) SchemaCurrent(ctx context.Context) error { return s.db.SchemaCurrent(ctx) }

// River returns a job client over this database.
func (s *Store) River(cfg *river.Config) (*river.Client[*sql.Tx], error) { return s.db.River(cfg) }

// Enqueue inserts jobs in the open transaction, if there is one, so that
// they are committed together with their rows.
func (s *Store) Enqueue(ctx context.Context, jobs ...river.JobArgs) error {
	return s.db.Enqueue(ctx, jobs...)
}

// q returns the query builder.
func (s *Store) q(ctx context.Context) *gorm.DB { return s.db.Gorm(ctx) }

// NewID returns a sortable public id (RFC 9562, UUIDv7).
func NewID() string { return database.NewID() }

// IsID reports whether s may be from NewID.
func IsID(s string) bool { return database.IsID(s) }

// RefusedData reports whether the database refused a statement's values: the same
// values will be refused again.
func RefusedData(err error) bool { return database.RefusedData(err) }
