package models_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"dialpad-texting/models"
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
