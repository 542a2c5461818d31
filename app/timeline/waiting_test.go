package timeline_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dialpad-texting/app/timeline"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/seed"
)

// recorder keeps the activities that it is given.
type recorder struct{ got []crm.Activity }

func (r *recorder) UpsertActivity(_ context.Context, _ crm.Tenant, _ string, a crm.Activity) error {
	r.got = append(r.got, a)
	return nil
}

func TestTheCRMIsToldOfAHeldSchedule(t *testing.T) {
	modeltest.Each(t, seed.Migrate, func(t *testing.T, dsn string) {
		ctx, clock := t.Context(), seed.NewClock()
		db := seed.Store(t, dsn, clock.Now)
		db.Tenant("t_9").Connected("c1").Account("1", "ana@acme.com", "+14155550100")
		at := clock.Now().Add(time.Hour)
		b := ledger.Batch{ID: "b1", TenantID: "t_9", UserID: "42", SenderUserID: "43", Source: ledger.SourceOneToOne, Module: crm.ModuleContact,
			RecordIDs: []string{"7"}, ToNumber: "+14155550142", Message: "Hi {{Contact.firstName}}", State: ledger.BatchScheduled, SendAt: &at,
			IdempotencyKey: "k", CreatedAt: clock.Now(), UpdatedAt: clock.Now()}
		if _, _, err := db.Batches.Create(ctx, b); err != nil {
			t.Fatal(err)
		}
		c := &recorder{}
		syncer := timeline.New(db.Store, c)
		sync := func() {
			t.Helper()
			if err := syncer.SyncWaiting(ctx, "t_9", "b1"); err != nil {
				t.Fatal(err)
			}
		}
		sync() // nothing has happened yet
		if _, err := db.Batches.Hold(ctx, "t_9", "", ledger.HeldBroken, "It broke"); err != nil {
			t.Fatal(err)
		}
		sync()
		if _, err := db.Batches.Release(ctx, "t_9", ledger.HeldBroken); err != nil {
			t.Fatal(err)
		}
		sync()
		held := crm.Activity{MessageID: "b1", ContactID: "7", UserID: "43", To: "+14155550142", Status: "held", Error: "It broke", Source: "one", BatchID: "b1"}
		released := held
		released.Status, released.Error = "queued", ""
		if d := cmp.Diff([]crm.Activity{held, released}, c.got); d != "" {
			t.Error(d)
		}
	})
}
