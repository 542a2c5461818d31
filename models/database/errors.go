package database

import (
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"
)

var (
	// ErrNotFound says that the tenant has no such row.
	ErrNotFound = errors.New("not found")
	// ErrConflict says that a unique rule of the database refused a
	// row.
	ErrConflict = errors.New("conflict")
	// ErrLost says that another process changed the row first.
	ErrLost = errors.New("changed by another process")
)

// Translate returns ErrNotFound or ErrConflict for GORM's own errors,
// and any other error as it is.
func Translate(err error) error {
	switch {
	case errors.Is(err, gorm.ErrRecordNotFound):
		return ErrNotFound
	case errors.Is(err, gorm.ErrDuplicatedKey):
		return ErrConflict
	}
	return err
}

// LostIfUnchanged returns ErrLost when an update changed no row.
func LostIfUnchanged(r *gorm.DB) error {
	if r.Error != nil {
		return Translate(r.Error)
	}
	if r.RowsAffected == 0 {
		return ErrLost
	}
	return nil
}

// isTransient reports whether Postgres ended a transaction for another one's
// sake (deadlock_detected, serialization_failure). The same may succeed now.
func isTransient(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "40P01" || pg.Code == "40001")
}

// RefusedData reports whether the database refused a statement for its
// values (SQLSTATE classes 22 and 23), so that a retry is useless.
func RefusedData(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return strings.HasPrefix(pg.Code, "22") || strings.HasPrefix(pg.Code, "23")
	}
	return errors.Is(err, gorm.ErrCheckConstraintViolated) ||
		errors.Is(err, gorm.ErrForeignKeyViolated) || errors.Is(err, gorm.ErrDuplicatedKey)
}
