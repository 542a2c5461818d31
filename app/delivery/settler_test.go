package delivery

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"dialpad-texting/models/ledger"
	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/seed"
)

func TestRefusedOutcomeDoesNotBlockTheOthers(t *testing.T) {
	modeltest.Each(t, seed.Migrate, func(t *testing.T, dsn string) {
		ctx := context.Background()
		db := seed.Store(t, dsn, time.Now)
		db.Tenant("t_9").Connected("c1").Account("1", "ana@acme.com", "+14155550100").Batch("b1", ledger.ClassBulk, "1", "ana@acme.com", 9)
		lanes, err := db.Lanes.AcquireAllTenants(ctx, "w1", time.Minute, 0, 1)
		if err != nil || len(lanes) != 1 {
			t.Fatal(lanes, err)
		}
		claimed, _, err := db.Lanes.Claim(ctx, lanes[0], ledger.ClaimParams{N: 9})
		if err != nil || len(claimed) != 9 {
			t.Fatal(len(claimed), err)
		}
		durable, written := 0, 0
		var group []outcome
		for i, c := range claimed {
			o := ledger.Outcome{ID: c.ID, Attempt: c.Attempt, State: ledger.Sent, DialpadID: fmt.Sprint("d", i)}
			if i == 4 {
				o.Attempt = 1 << 40 // Postgres: integer out of range
			}
			group = append(group, outcome{o, func(_ ledger.Outcome, ok bool) {
				durable++
				if ok {
					written++
				}
			}})
		}
		newSettler(db.Store, slog.New(slog.NewTextHandler(t.Output(), nil))).write(group)
		n, err := db.Counters.ByBatch(ctx, "t_9", []string{"b1"})
		if err != nil || n["b1"].Sent != 8 || n["b1"].Sending != 1 || durable != 9 || written != 8 && !db.Embedded() { // SQLite finds no such attempt and writes nothing
			t.Errorf("%+v, %d durable, %d written, %v", n["b1"], durable, written, err)
		}
	})
}
