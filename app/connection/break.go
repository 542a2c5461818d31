package connection

import (
	"context"
	"errors"

	"dialpad-texting/app/eligibility"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// Break marks the connection broken and holds the open batches, because
// Dialpad refused this version of its token; version 0 means any version. A
// closer reason takes the place of reason where there is one. If the
// connection is broken already, or has a newer token, Break does nothing.
func (s *Tokens) Break(ctx context.Context, tenantID string, version int64, reason string) error {
	c, err := s.store.Connections.Get(ctx, tenantID)
	if errors.Is(err, models.ErrNotFound) {
		return nil
	}
	if err != nil || c.State != models.Connected || version != 0 && c.TokenVersion != version {
		return err
	}
	if s.appIsOff(ctx, c) {
		reason = appOffReason(c)
	} else if closer := adminReason(ctx, s.store, c); closer != "" {
		reason = closer
	}
	return s.breakConnection(ctx, c, version, reason)
}

func (s *Tokens) breakConnection(ctx context.Context, c models.Connection, version int64, reason string) error {
	s.forget(c.TenantID)
	return s.store.Tx(ctx, func(tx *models.Store) error {
		broke, err := tx.Connections.MarkBroken(ctx, c.TenantID, version, reason)
		if err == nil && !broke && version == 0 {
			_, err = tx.Connections.SetReason(ctx, c.TenantID, reason)
		}
		if err != nil || !broke {
			return err
		}
		if _, err := tx.Batches.Hold(ctx, c.TenantID, "", ledger.HeldBroken, reason); err != nil {
			return err
		}
		return tx.Audits.Add(ctx, c.TenantID, "", "connection.broken", map[string]string{"reason": reason})
	})
}

// breakRefused breaks a connection whose grant Dialpad refused with cause.
// It returns the refusal, or the error of the database.
func (s *Tokens) breakRefused(ctx context.Context, tenantID string, version int64, cause error) error {
	if err := s.Break(ctx, tenantID, version, GrantRefusedReason); err != nil {
		return err
	}
	refusal := eligibility.NotConnected(ledger.HeldBroken, GrantRefusedReason)
	refusal.Cause = cause
	return refusal
}

// appIsOff asks Dialpad whether the app was switched off for the company. No
// answer means no.
func (s *Tokens) appIsOff(ctx context.Context, c models.Connection) bool {
	g, err := s.store.Connections.OpenGrant(c)
	if err != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	settings, err := s.dp.AppSettings(ctx, g.Access)
	return err == nil && !settings.Enabled
}
