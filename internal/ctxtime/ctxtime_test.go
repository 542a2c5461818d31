package ctxtime_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"dialpad-texting/internal/ctxtime"
)

func TestSleepWaitsOrReturnsTheContextsError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		if err := ctxtime.Sleep(t.Context(), time.Minute); err != nil || time.Since(began) != time.Minute {
			t.Errorf("slept %v, %v", time.Since(began), err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began = time.Now()
		err := ctxtime.Sleep(ctx, time.Minute)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("slept %v, %v", time.Since(began), err)
		}
		if err := ctxtime.Sleep(t.Context(), 0); err != nil {
			t.Error(err)
		}
	})
}

func TestEveryCallsAtOnceAndAtEachInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 35*time.Second)
		defer cancel()
		began := time.Now()
		var at []time.Duration
		ctxtime.Every(ctx, 10*time.Second, func(context.Context) { at = append(at, time.Since(began)) })
		if len(at) != 4 || at[0] != 0 || at[3] != 30*time.Second {
			t.Errorf("called at %v", at)
		}
	})
}

func TestWithGraceEndsLaterThanItsParent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parent, end := context.WithCancel(t.Context())
		ctx, cancel := ctxtime.WithGrace(parent, time.Minute)
		defer cancel()
		end()
		began := time.Now()
		<-ctx.Done()
		if time.Since(began) != time.Minute {
			t.Errorf("ended %v after its parent", time.Since(began))
		}
		early, cancel := ctxtime.WithGrace(t.Context(), time.Minute)
		cancel()
		if early.Err() == nil {
			t.Error("its cancel does not end it")
		}
	})
}
