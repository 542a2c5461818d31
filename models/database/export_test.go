package database

import (
	"context"
	"errors"
)

// MigrateTo migrates the schema up or down to a version.
func (d *DB) MigrateTo(ctx context.Context, version int64) error {
	p, err := d.goose()
	if err != nil {
		return err
	}
	if v, err := p.GetDBVersion(ctx); err != nil || v > version {
		_, downErr := p.DownTo(ctx, version)
		return errors.Join(err, downErr)
	}
	_, err = p.UpTo(ctx, version)
	return err
}
