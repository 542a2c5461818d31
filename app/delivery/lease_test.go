package delivery

import (
	"context"
	"testing"
	"time"

	"dialpad-texting/models/ledger"
	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/seed"
)

// takeoverLimit is how soon the product
// promises to go on with a dead worker's lanes.
const takeoverLimit = 15 * time.Second

func TestDeadWorkersLaneIsLeasedAgainWithinTheLimit(t *testing.T) {
	cfg := Config{}.withDefaults()
	if longest := cfg.Lease + cfg.Poll; longest >= takeoverLimit {
		t.Errorf("a takeover takes up to %v", longest)
	}
	modeltest.Each(t, seed.Migrate, func(t *testing.T, dsn string) {
		ctx, clock := context.Background(), seed.NewClock()
		db := seed.Store(t, dsn, clock.Now)
		texts := db.Tenant("t_9").Connected("c1").Account("1", "ana@acme.com", "+14155550100").Batch("b1", ledger.ClassBulk, "1", "ana@acme.com", 5)
		acquire := func(worker string) []ledger.Lane {
			lanes, err := db.Lanes.AcquireAllTenants(ctx, worker, cfg.Lease, acquireAhead, maxAcquire)
			if err != nil {
				t.Fatal(err)
			}
			return lanes
		}
		dead := acquire("dead")
		claimed, _, err := db.Lanes.Claim(ctx, dead[0], ledger.ClaimParams{N: 1, Base: clock.Now()})
		if err != nil || len(claimed) != 1 {
			t.Fatal(len(claimed), err)
		}
		if _, err := db.Messages.MarkPostedAllTenants(ctx, []ledger.PostRef{{ID: claimed[0].ID, Attempt: claimed[0].Attempt}}); err != nil {
			t.Fatal(err)
		}
		clock.Add(cfg.Lease - acquireAhead - time.Second)
		if early := acquire("alive"); len(early) != 0 {
			t.Error("taken over although the lease is valid")
		}
		clock.Add(acquireAhead + time.Second + cfg.Poll)
		alive := acquire("alive")
		if len(alive) != 1 || alive[0].Fence <= dead[0].Fence {
			t.Fatalf("after the lease: %+v", alive)
		}
		counts, err := db.Counters.ByBatch(ctx, "t_9", []string{"b1"})
		if c := counts["b1"]; err != nil || c.Uncertain != 1 || c.Queued != len(texts)-1 {
			t.Errorf("what was in flight must be uncertain: %+v, %v", c, err)
		}
		if _, _, err := db.Lanes.Claim(ctx, dead[0], ledger.ClaimParams{N: 1, Base: clock.Now()}); err == nil {
			t.Error("the dead worker claims with its old fence")
		}
	})
}
