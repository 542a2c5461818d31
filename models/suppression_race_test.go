package models_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"dialpad-texting/models"
	"dialpad-texting/models/seed"
)

// TestNewerStopOutlivesAnOlderStart stores a STOP while an older START
// lifts the STOP before it.
func TestNewerStopOutlivesAnOlderStart(t *testing.T) {
	const tries = 300
	each(t, func(t *testing.T, db *seed.DB, clock *seed.Clock) {
		db.Tenant("t_9")
		ctx, base := context.Background(), clock.Now().Add(-time.Hour)
		say := func(number string, minute int, optOut bool) {
			said := models.Said{Number: number, Source: models.OptOutReply, At: base.Add(time.Duration(minute) * time.Minute)}
			err := db.Tx(ctx, func(tx *models.Store) (err error) {
				if optOut {
					_, err = tx.Suppressions.OptOut(ctx, "t_9", said)
				} else {
					_, err = tx.Suppressions.OptIn(ctx, "t_9", said, models.OptOutReply)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		}
		for i := range tries {
			number := fmt.Sprintf("+1415555%04d", i)
			say(number, 1, true)
			var both sync.WaitGroup
			both.Go(func() { say(number, 2, false) })
			both.Go(func() { say(number, 3, true) })
			both.Wait()
			out, err := db.Suppressions.Contains(ctx, "t_9", number)
			if err != nil || !out {
				t.Fatalf("try %d: the newer STOP is lost (%v)", i, err)
			}
		}
	})
}
