package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/riverqueue/river"
	"gorm.io/gorm"
)

// Enqueue inserts jobs in the open transaction, so that they are
// committed together with their rows, or else in a transaction of its
// own.
func (d *DB) Enqueue(ctx context.Context, jobs ...river.JobArgs) error {
	if len(jobs) == 0 {
		return nil
	}
	return d.Tx(ctx, func(tx *DB) error {
		sqlTx, err := tx.sqlTx()
		if err != nil {
			return err
		}
		if len(jobs) == 1 {
			_, err = tx.queue.InsertTx(ctx, sqlTx, jobs[0], nil)
		} else {
			params := make([]river.InsertManyParams, len(jobs))
			for i, j := range jobs {
				params[i] = river.InsertManyParams{Args: j}
			}
			_, err = tx.queue.InsertManyTx(ctx, sqlTx, params)
		}
		if err != nil {
			return fmt.Errorf("enqueue: %w", err)
		}
		return nil
	})
}

// sqlTx returns the *sql.Tx inside GORM's transaction.
func (d *DB) sqlTx() (*sql.Tx, error) {
	switch p := d.gorm.Statement.ConnPool.(type) {
	case *sql.Tx:
		return p, nil
	case *gorm.PreparedStmtTX:
		if tx, ok := p.Tx.(*sql.Tx); ok {
			return tx, nil
		}
	}
	return nil, errors.New("no open transaction")
}
