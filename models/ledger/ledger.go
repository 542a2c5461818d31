// Package ledger keeps batches, messages, lanes, attempts and events: what is
// to be sent, what is on the wire and what became of it. No other package
// writes these tables.
//
// A message is durable before its request leaves, is claimed by one worker at
// a time, and moves only forward. The SQL that is more than a lookup stands in
// sql/, one file a statement, by dialect where the two differ.
package ledger

import (
	"context"

	"gorm.io/gorm"

	"dialpad-texting/models/database"
)

// Ledger gives access to its tables, each by its own type. New makes one; a
// Ledger handed to a Tx function works inside that transaction.
type Ledger struct {
	Batches   Batches
	Messages  Messages
	Lanes     Lanes
	Events    Events
	Callbacks Callbacks

	db  *database.DB
	sql statements
}

// Batches are the requests to text.
type Batches struct{ l *Ledger }

// Messages are the texts, one row a person.
type Messages struct{ l *Ledger }

// Lanes are the companies' queues at Dialpad.
type Lanes struct{ l *Ledger }

// Events are what Dialpad's webhook told.
type Events struct{ l *Ledger }

// Callbacks are the calls of the automation action.
type Callbacks struct{ l *Ledger }

// New returns the ledger in a database.
func New(db *database.DB) *Ledger { return in(db, statementsFor(db.Embedded())) }

func in(db *database.DB, sql statements) *Ledger {
	l := &Ledger{db: db, sql: sql}
	l.Batches, l.Messages, l.Lanes = Batches{l}, Messages{l}, Lanes{l}
	l.Events, l.Callbacks = Events{l}, Callbacks{l}
	return l
}

// In returns the ledger inside an open transaction.
func (l *Ledger) In(tx *database.DB) *Ledger { return in(tx, l.sql) }

// Tx runs f in one transaction, or in the one that is already open.
func (l *Ledger) Tx(ctx context.Context, f func(tx *Ledger) error) error {
	return l.db.Tx(ctx, func(db *database.DB) error { return f(l.In(db)) })
}

func (l *Ledger) q(ctx context.Context) *gorm.DB { return l.db.Gorm(ctx) }

// query reads the rows of a statement into out. Not Scan: it would write the
// statement out with its values, for a log that nobody keeps.
func (l *Ledger) query(ctx context.Context, name string, args map[string]any, out any) error {
	return l.q(ctx).Raw(l.sql.text(name), args).Find(out).Error
}

func (l *Ledger) exec(ctx context.Context, name string, args map[string]any) error {
	return l.q(ctx).Exec(l.sql.text(name), args).Error
}
