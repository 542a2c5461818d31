package ledger_test

import (
	"testing"
	"time"

	"dialpad-texting/models/ledger/ledgertest"
	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/seed"
)

func TestLedgerOnSQLite(t *testing.T) {
	t.Parallel()
	ledgertest.Run(t, func(t *testing.T, clock *seed.Clock) *seed.DB {
		return seed.Store(t, modeltest.SQLite(t, seed.Migrate), clock.Now)
	})
}

func TestLedgerOnPostgres(t *testing.T) {
	t.Parallel()
	ledgertest.Run(t, func(t *testing.T, clock *seed.Clock) *seed.DB {
		return seed.Store(t, modeltest.Postgres(t, seed.Migrate), clock.Now)
	})
}

func TestClaimManySkipsLockedLanes(t *testing.T) {
	t.Parallel()
	ledgertest.ClaimManySkipsLocked(t, seed.Store(t, modeltest.Postgres(t, seed.Migrate), time.Now))
}
