package database

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/rivermigrate"

	"dialpad-texting/models/migrations"
)

// migrationLock is the key of the advisory lock for migrations. It is
// arbitrary but must never change.
const migrationLock = 0x6469616c

// Migrate migrates the schema to the newest version: ours with goose,
// the job queue's with River. Several processes may call it at once.
func (d *DB) Migrate(ctx context.Context) error {
	unlock, err := d.lockMigrations(ctx)
	if err != nil {
		return fmt.Errorf("lock the migrations: %w", err)
	}
	defer unlock()
	p, err := d.goose()
	if err != nil {
		return err
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	m, err := rivermigrate.New(d.driver, nil)
	if err != nil {
		return err
	}
	// Without a transaction: Postgres can't use an enum value in the
	// transaction that adds it.
	if _, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("migrate the job queue: %w", err)
	}
	return nil
}

// SchemaCurrent returns an error unless the schema is the one that
// this program was built for.
func (d *DB) SchemaCurrent(ctx context.Context) error {
	p, err := d.goose()
	if err != nil {
		return err
	}
	pending, err := p.HasPending(ctx)
	if err != nil {
		return fmt.Errorf("read the schema's version: %w", err)
	}
	if pending {
		return errors.New("the database schema is older than this program: run `dialpad-texting migrate` first")
	}
	m, err := rivermigrate.New(d.driver, nil)
	if err != nil {
		return err
	}
	res, err := m.Validate(ctx, nil)
	if err != nil {
		return fmt.Errorf("read the job queue's schema version: %w", err)
	}
	if !res.OK {
		return errors.New("the job queue's schema is older than this program: run `dialpad-texting migrate` first")
	}
	return nil
}

func (d *DB) goose() (*goose.Provider, error) {
	dialect, files := goose.DialectPostgres, migrations.Postgres()
	if d.Embedded() {
		dialect, files = goose.DialectSQLite3, migrations.SQLite()
	}
	return goose.NewProvider(dialect, d.sql, files)
}

// lockMigrations locks both migrators; goose's own lock would not
// cover River.
func (d *DB) lockMigrations(ctx context.Context) (unlock func(), err error) {
	if d.Embedded() {
		return d.lockFile(ctx)
	}
	conn, err := d.sql.Conn(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", migrationLock); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return func() {
		_, _ = conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", migrationLock)
		_ = conn.Close()
	}, nil
}

// lockFile locks a file beside the database's, or nothing if the
// database is in memory.
func (d *DB) lockFile(ctx context.Context) (func(), error) {
	var path string
	row := d.sql.QueryRowContext(ctx, "SELECT file FROM pragma_database_list WHERE name = 'main'")
	if err := row.Scan(&path); err != nil {
		return nil, err
	}
	if path == "" {
		return func() {}, nil
	}
	f, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		_ = f.Close()
		return nil, err
	}
	return func() { _ = f.Close() }, nil
}
