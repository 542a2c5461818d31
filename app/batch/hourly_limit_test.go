package batch_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dialpad-texting/app/apierror"
	"dialpad-texting/app/audience"
	"dialpad-texting/app/batch"
	. "dialpad-texting/internal/apptest"
	"dialpad-texting/models/ledger"
)

// limited makes the services those of a process that allows 3 texts one by
// one in an hour.
func limited(w *World) Services {
	return NewLimitedServices(w.DB.Store, w.CRM, w.Eligible, audience.Config{Now: w.Clock.Now, Notify: func() {}}, batch.Config{OneToOnePerHour: 3})
}

func TestOneToOnesAreLimitedByTheHour(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		w.Clock.Add(48 * time.Minute)
		w.Services = limited(w)
		for i := range 3 {
			w.MustCreate(w.One("ana", "7", Bob), fmt.Sprint("k", i), Text("Hi"))
		}
		_, err := w.Create(t.Context(), w.One("ana", "7", Bob), "k3", Text("Hi"))
		var refused *apierror.Error
		if !errors.As(err, &refused) || refused.Code != "hourly_limit" || !strings.Contains(refused.Message, "3 texts one by one within this hour") ||
			!strings.Contains(refused.Message, "in 12 min,") || refused.Details["retry_after"] != 720 {
			t.Fatalf("the fourth: %v %+v", err, refused)
		}
		if again, err := w.Create(t.Context(), w.One("ana", "7", Bob), "k1", Text("Hi")); err != nil || again.State != ledger.BatchSending {
			t.Errorf("the same key again: %v", err)
		}
		w.MustCreate(w.One("ben", "7", Bob), "k0", Text("Hi"))
		w.MustCreate(w.Bulk("ana", "contact", "7"), "bulk", Text("Hi"))
		w.Clock.Add(12 * time.Minute)
		w.MustCreate(w.One("ana", "7", Bob), "k3", Text("Hi"))
		_, err = w.DB.DeleteExpiredAllTenants(t.Context())
		Must(t, err)
	})
}

// Processes share the count.
func TestLimitHoldsForSimultaneousTexts(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		processes := []Services{limited(w), limited(w)}
		var accepted atomic.Int64
		var all sync.WaitGroup
		for i := range 12 {
			all.Go(func() {
				_, err := processes[i%2].Create(t.Context(), w.One("ana", "7", Bob), fmt.Sprint("k", i), Text("Hi"))
				var refused *apierror.Error
				switch {
				case err == nil:
					accepted.Add(1)
				case !errors.As(err, &refused) || refused.Code != batch.CodeHourlyLimit:
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := accepted.Load(); n != 3 {
			t.Errorf("%d were accepted", n)
		}
	})
}
