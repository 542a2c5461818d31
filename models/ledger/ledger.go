// Package ledger stores batches, messages, lanes, attempts, events and
// automation calls. No other package writes these tables.
//
// A message is committed before its request to Dialpad, is claimed by
// one worker at a time, and its states only move forward. Statements
// that are more than a lookup are in sql/, one per file, in a folder
// per dialect where the databases differ.
package ledger

import (
	"context"

	"gorm.io/gorm"

	"dialpad-texting/models/database"
)

// Ledger gives access to its tables, each by its own type. New returns
// one; the Ledger that is passed to a Tx function works inside that
// transaction.
type Ledger struct {
	Batches   Batches
	Messages  Messages
	Timelines Timelines
	Resends   Resends
	Lanes     Lanes
	Events    Events
	Callbacks Callbacks
	Figures   Figures
	Counters  Counters
	Retention Retention
	OnHold    OnHold
	Pairs     Pairs

	db  *database.DB
	sql statements
}

// Batches queries and changes the requests to text.
type Batches struct{ l *Ledger }

// Messages queries and changes the texts, one per recipient.
type Messages struct{ l *Ledger }

// Resends finds and takes what is sent again.
type Resends struct{ l *Ledger }

// Timelines queries and changes which messages are current in the CRM's
// timelines, and which worker writes them.
type Timelines struct{ l *Ledger }

// Lanes queries and changes the queues of the Dialpad companies.
type Lanes struct{ l *Ledger }

// Events queries and changes the events of Dialpad's webhooks.
type Events struct{ l *Ledger }

// Callbacks queries and changes the calls of the automation action.
type Callbacks struct{ l *Ledger }

// OnHold queries the batches that are held, by their causes.
type OnHold struct{ l *Ledger }

// Pairs queries what was posted between two numbers.
type Pairs struct{ l *Ledger }

// Figures queries the counts of texts by day, sender and template.
type Figures struct{ l *Ledger }

// Counters counts messages and batches by their states.
type Counters struct{ l *Ledger }

// Retention deletes what ended long ago.
type Retention struct{ l *Ledger }

// New returns the ledger in a database.
func New(db *database.DB) *Ledger { return newLedger(db, statementsFor(db.Embedded())) }

func newLedger(db *database.DB, sql statements) *Ledger {
	l := &Ledger{db: db, sql: sql}
	l.Batches, l.Messages, l.Lanes = Batches{l}, Messages{l}, Lanes{l}
	l.Resends, l.Timelines, l.Events = Resends{l}, Timelines{l}, Events{l}
	l.Callbacks, l.Figures, l.OnHold = Callbacks{l}, Figures{l}, OnHold{l}
	l.Counters, l.Retention, l.Pairs = Counters{l}, Retention{l}, Pairs{l}
	return l
}

// In returns the ledger inside an open transaction.
func (l *Ledger) In(tx *database.DB) *Ledger { return newLedger(tx, l.sql) }

// Tx runs f in one transaction, or in the one that is already open.
func (l *Ledger) Tx(ctx context.Context, f func(tx *Ledger) error) error {
	return l.db.Tx(ctx, func(db *database.DB) error { return f(l.In(db)) })
}

// q returns the query builder.
func (l *Ledger) q(ctx context.Context) *gorm.DB { return l.db.Gorm(ctx) }

// query reads the rows of a statement into out. It avoids gorm's Scan,
// which formats the statement with its values for a log that is
// discarded.
func (l *Ledger) query(ctx context.Context, name string, args map[string]any, out any) error {
	if args == nil {
		return l.q(ctx).Raw(l.sql.text(name)).Find(out).Error
	}
	return l.q(ctx).Raw(l.sql.text(name), args).Find(out).Error
}

// ofUser restricts a query to a user's rows; "" restricts nothing.
func ofUser(q *gorm.DB, userID string) *gorm.DB {
	if userID == "" {
		return q
	}
	return q.Where("user_id = ?", userID)
}

// exec runs a statement without rows.
func (l *Ledger) exec(ctx context.Context, name string, args map[string]any) error {
	return l.q(ctx).Exec(l.sql.text(name), args).Error
}
