package models_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/seed"
)

func TestRepeatedCallGetsTheFirstAnswerForADay(t *testing.T) {
	each(t, func(t *testing.T, db *seed.DB, clock *seed.Clock) {
		ctx := context.Background()
		save := func(body string) string {
			t.Helper()
			a, err := db.CRMCalls.SaveAnswer(ctx, models.CallAnswer{WebhookID: "msg_1", BodyHash: body, Status: 202, Body: body})
			if err != nil {
				t.Fatal(err)
			}
			return a.Body
		}
		if save("first") != "first" || save("second") != "first" {
			t.Error("the second answer replaced the first")
		}
		clock.Add(25 * time.Hour)
		if _, err := db.CRMCalls.AnswerAllTenants(ctx, "msg_1"); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("answer after a day: error %v, want ErrNotFound", err)
		}
		if save("third") != "third" || save("fourth") != "third" {
			t.Error("an expired answer was not replaced, or was replaced twice")
		}
	})
}

func TestAdvanceSequenceRefusesLowerAndEqualNumbers(t *testing.T) {
	each(t, func(t *testing.T, db *seed.DB, _ *seed.Clock) {
		for _, step := range []struct {
			subject  string
			seq      int64
			advanced bool
		}{{"user:1", 5, true}, {"user:1", 5, false}, {"user:1", 4, false}, {"user:2", 4, true}, {"user:1", 6, true}} {
			advanced, err := db.CRMCalls.AdvanceSequence(context.Background(), "t_9", step.subject, step.seq)
			if err != nil || advanced != step.advanced {
				t.Errorf("%s to %d: advanced %t, %v; want %t", step.subject, step.seq, advanced, err, step.advanced)
			}
		}
	})
}

func TestHashOfACallIsKeyed(t *testing.T) {
	each(t, func(t *testing.T, db *seed.DB, _ *seed.Clock) {
		a, err := db.CRMCalls.SaveAnswer(t.Context(), models.CallAnswer{WebhookID: "w1", BodyHash: "plain hash", Status: 202})
		if err != nil || a.BodyHash == "plain hash" || !db.CRMCalls.IsTo(a, "plain hash") || db.CRMCalls.IsTo(a, "another") {
			t.Errorf("stored %+v, %v", a, err)
		}
		if old := (models.CallAnswer{BodyHash: "plain hash"}); !db.CRMCalls.IsTo(old, "plain hash") {
			t.Error("an answer of an older program is not found")
		}
	})
}

func TestHashesOfRequestsAreKeyedByTheUpgrade(t *testing.T) {
	each(t, func(t *testing.T, db *seed.DB, _ *seed.Clock) {
		ctx, plain := t.Context(), strings.Repeat("a", 64)
		db.Tenant("t_9")
		if _, _, err := db.Batches.Create(ctx, ledger.Batch{ID: "b1", TenantID: "t_9", BodyHash: plain, IdempotencyKey: "k1"}); err != nil {
			t.Fatal(err)
		}
		keyed := func(hash string) (string, error) { return db.Tenants.RequestHash(ctx, "t_9", hash) }
		if err := ledger.RekeyRequests(ctx, db.Ledger, "t_9", keyed); err != nil {
			t.Fatal(err)
		}
		want, err := keyed(plain)
		if b, getErr := db.Batches.Get(ctx, "t_9", "", "b1"); err != nil || getErr != nil || b.BodyHash != want || want == plain {
			t.Errorf("hash %q, want %q; %v, %v", b.BodyHash, want, err, getErr)
		}
	})
}
