package models_test

import (
	"context"
	"testing"
	"time"

	"dialpad-texting/models"
	"dialpad-texting/models/seed"
)

// TestOptOutSaidAgainNamesItsOwnPerson marks a number twice: who
// recorded it and how come from the same time as the moment, in any
// order of arrival.
func TestOptOutSaidAgainNamesItsOwnPerson(t *testing.T) {
	each(t, func(t *testing.T, db *seed.DB, clock *seed.Clock) {
		db.Tenant("t_9")
		ctx := context.Background()
		monday := models.Said{Number: "+14155550142", Source: models.OptOutPerson, At: clock.Now().Add(-48 * time.Hour).UTC(), UserID: "41", Note: "by phone"}
		tuesday := monday
		tuesday.At, tuesday.UserID, tuesday.Note = clock.Now().Add(-24*time.Hour).UTC(), "42", "in the shop"
		for _, order := range [][]models.Said{{monday, tuesday}, {tuesday, monday}} {
			for _, said := range order {
				if _, err := db.Suppressions.OptOut(ctx, "t_9", said); err != nil {
					t.Fatal(err)
				}
			}
			list, err := db.Suppressions.Of(ctx, "t_9", monday.Number)
			if err != nil || len(list) != 1 || !list[0].SaidAt.Equal(tuesday.At) || list[0].UserID != "42" || list[0].Reason != "in the shop" {
				t.Errorf("got %+v, %v", list, err)
			}
			if _, err := db.Suppressions.Remove(ctx, "t_9", monday.Number, models.OptOutPerson); err != nil {
				t.Fatal(err)
			}
		}
	})
}
