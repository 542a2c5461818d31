package ledger_test

import (
	"testing"
	"time"

	"dialpad-texting/models"
	"dialpad-texting/models/database"
	"dialpad-texting/models/ledger"
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

// TestTakeoverFromAnOlderProgram has a worker die whose program is older than
// the mark before a request: what it claimed may have gone out, also where a
// newer program had claimed it before.
func TestTakeoverFromAnOlderProgram(t *testing.T) {
	modeltest.Each(t, seed.Migrate, func(t *testing.T, dsn string) {
		ctx, clock := t.Context(), seed.NewClock()
		db := seed.Store(t, dsn, clock.Now)
		text := db.Tenant("t_9").Connected("c9").Account("1", "ana@acme.com", "+14155550100").Batch("b1", ledger.ClassBulk, "1", "ana@acme.com", 1)[0]
		acquire := func(owner string) ledger.Lane {
			lanes, err := db.Lanes.AcquireAllTenants(ctx, owner, 10*time.Second, 0, 10)
			if err != nil || len(lanes) != 1 {
				t.Fatal(lanes, err)
			}
			return lanes[0]
		}
		claim := func(l ledger.Lane) int {
			got, _, err := db.Lanes.Claim(ctx, l, ledger.ClaimParams{N: 1, Base: clock.Now()})
			if err != nil || len(got) != 1 {
				t.Fatal(got, err)
			}
			return got[0].Attempt
		}
		lane, due := acquire("w1"), clock.Now()
		attempt := claim(lane)
		if _, err := db.Settle(ctx, []ledger.Outcome{{ID: text.ID, Attempt: attempt, State: ledger.Waiting, DueAt: &due}}); err != nil {
			t.Fatal(err)
		}
		if m, err := db.Messages.Get(ctx, "t_9", "", text.ID); err != nil || m.Posted != nil {
			t.Fatalf("the mark of a message that is not sending: %v, %v", m.Posted, err)
		}
		if n, _, err := db.Lanes.QueueDue(ctx, lane, 1); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		claim(lane)
		unmark(t, dsn) // an older program's claim leaves the mark as it is
		clock.Add(11 * time.Second)
		acquire("w2")
		if m, err := db.Messages.Get(ctx, "t_9", "", text.ID); err != nil || m.State != ledger.Uncertain {
			t.Errorf("the message is %s, %v", m.State, err)
		}
	})
}

func unmark(t *testing.T, dsn string) {
	t.Helper()
	db, err := database.Open(t.Context(), dsn, database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if err := db.Gorm(t.Context()).Exec("UPDATE messages SET posted = NULL").Error; err != nil {
		t.Fatal(err)
	}
}

// TestLeasesGoByPostgresClock has a worker whose clock is 15 s ahead.
func TestLeasesGoByPostgresClock(t *testing.T) {
	t.Parallel()
	dsn := modeltest.Postgres(t, seed.Migrate)
	open := func(now func() time.Time) *models.Store {
		s, err := models.Open(t.Context(), dsn, models.Options{Vault: seed.Vault(), Now: now, LeaseClock: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	db := seed.Store(t, dsn, time.Now)
	db.Tenant("t_9").Connected("c9").Account("1", "ana@acme.com", "+14155550100").Batch("b1", ledger.ClassBulk, "1", "ana@acme.com", 2)
	right, ahead := open(time.Now), open(func() time.Time { return time.Now().Add(15 * time.Second) })
	lanes, err := right.Lanes.AcquireAllTenants(t.Context(), "right", 12*time.Second, 0, 10)
	if err != nil || len(lanes) != 1 {
		t.Fatalf("leased %d lanes, %v", len(lanes), err)
	}
	if stolen, err := ahead.Lanes.AcquireAllTenants(t.Context(), "ahead", 12*time.Second, 0, 10); err != nil || len(stolen) != 0 {
		t.Errorf("a worker whose clock is ahead took %d live lanes, %v", len(stolen), err)
	}
	if got, _, err := right.Lanes.Claim(t.Context(), lanes[0], ledger.ClaimParams{N: 1, Base: time.Now()}); err != nil || len(got) != 1 {
		t.Errorf("the owner claimed %d, %v", len(got), err)
	}
	if kept, err := ahead.Lanes.RenewAllTenants(t.Context(), "right", 12*time.Second, []string{"c9"}); err != nil || !kept["c9"] {
		t.Errorf("a live lease is not renewed: %v, %v", kept, err)
	}
}
