package models_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"dialpad-texting/models"
	"dialpad-texting/models/seed"
)

func TestTheFirstAnswerToACallStandsForADay(t *testing.T) {
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
			t.Error("the first answer does not stand")
		}
		clock.Add(25 * time.Hour)
		if _, err := db.CRMCalls.AnswerAllTenants(ctx, "msg_1"); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("after a day: %v", err)
		}
		if save("third") != "third" || save("fourth") != "third" {
			t.Error("a day later the id can't be answered anew")
		}
	})
}

func TestALowerSequenceIsNoNews(t *testing.T) {
	each(t, func(t *testing.T, db *seed.DB, _ *seed.Clock) {
		for _, step := range []struct {
			subject string
			seq     int64
			news    bool
		}{{"user:1", 5, true}, {"user:1", 5, false}, {"user:1", 4, false}, {"user:2", 4, true}, {"user:1", 6, true}} {
			if news, err := db.CRMCalls.AdvanceSequence(context.Background(), "t_9", step.subject, step.seq); err != nil || news != step.news {
				t.Errorf("%s %d: %v %v", step.subject, step.seq, news, err)
			}
		}
	})
}
