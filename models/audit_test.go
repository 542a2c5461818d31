package models_test

import (
	"fmt"
	"testing"
	"time"

	"dialpad-texting/models"
	"dialpad-texting/models/seed"
)

func TestOldAuditsAreDeletedInSteps(t *testing.T) {
	each(t, func(t *testing.T, db *seed.DB, clock *seed.Clock) {
		ctx := t.Context()
		db.Tenant("t_9")
		for i := range 6 {
			if err := db.Audits.Add(ctx, "t_9", "42", fmt.Sprint("a", i), nil); err != nil {
				t.Fatal(err)
			}
			clock.Add(24 * time.Hour)
		}
		before := clock.Now().Add(-36 * time.Hour) // of six the last is younger
		for step, want := range []int64{3, 2, 0} {
			if n, err := db.Audits.DeleteOldAllTenants(ctx, before, 3); err != nil || n != want {
				t.Errorf("step %d deleted %d, %v; want %d", step, n, err, want)
			}
		}
		left, err := db.Audits.Page(ctx, "t_9", models.AuditFilter{}, "", 10)
		if err != nil || len(left) != 1 || left[0].Action != "a5" {
			t.Errorf("left %+v, %v", left, err)
		}
	})
}
