package sandbox_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/integrations/dialpad/sandbox"
)

func TestEachFaultOnSendSMS(t *testing.T) {
	for _, tc := range []struct {
		fault    sandbox.Fault
		want     dialpad.Kind
		accepted int
	}{
		{sandbox.Fault{Kind: sandbox.Slow, Delay: time.Millisecond}, "", 1},
		{sandbox.Fault{Kind: sandbox.TimeoutAfterAccepting}, dialpad.Lost, 1},
		{sandbox.Fault{Kind: sandbox.TimeoutAfterAccepting, Delay: time.Millisecond}, dialpad.Lost, 1},
		{sandbox.Fault{Kind: sandbox.DropBeforeReading}, dialpad.Lost, 0},
		{sandbox.Fault{Kind: sandbox.DropAfterAccepting}, dialpad.Lost, 1},
		{sandbox.Fault{Kind: sandbox.ResetMidResponse}, dialpad.Lost, 1},
		{sandbox.Fault{Kind: sandbox.TooManyRequests, RetryAfter: 7 * time.Second}, dialpad.RateLimited, 0},
		{sandbox.Fault{Kind: sandbox.ForbiddenRate}, dialpad.RateLimited, 0},
		{sandbox.Fault{Kind: sandbox.Forbidden}, dialpad.Forbidden, 0},
		{sandbox.Fault{Kind: sandbox.ErrorBeforeAccepting}, dialpad.Lost, 0},
		{sandbox.Fault{Kind: sandbox.ErrorAfterAccepting}, dialpad.Lost, 1},
		{sandbox.Fault{Kind: sandbox.UnavailableRetryAfter, RetryAfter: 7 * time.Second}, dialpad.NotSent, 0},
		{sandbox.Fault{Kind: sandbox.Unauthorized}, dialpad.Unauthorized, 0},
	} {
		t.Run(string(tc.fault.Kind), func(t *testing.T) {
			w := newWorld(t, nil)
			token := w.IssueToken(sandbox.AnaID)
			tc.fault.Path, tc.fault.Times = "/api/v2/sms", 1
			w.Fault(tc.fault)
			ctx, cancel := context.WithCancel(t.Context())
			if tc.fault.Kind == sandbox.TimeoutAfterAccepting && tc.fault.Delay == 0 {
				go func() { // gives up once the text was accepted
					for w.Accepted() == 0 {
						time.Sleep(time.Millisecond)
					}
					cancel()
				}()
			}
			_, err := w.client.SendSMS(ctx, token, hello)
			cancel()
			wantKind(t, err, tc.want)
			var e *dialpad.Error
			if errors.As(err, &e) && e.RetryAfter != tc.fault.RetryAfter {
				t.Errorf("RetryAfter = %v, want %v", e.RetryAfter, tc.fault.RetryAfter)
			}
			if got := w.Accepted(); got != tc.accepted {
				t.Errorf("accepted %d, want %d", got, tc.accepted)
			}
			if got := w.SMSPosts(); got != 1 {
				t.Errorf("%d POSTs for one call", got)
			}
			if _, err := w.client.SendSMS(t.Context(), token, hello); err != nil {
				t.Errorf("after the fault: %v", err)
			}
		})
	}
}

func TestFaultEveryAndTimes(t *testing.T) {
	w := newWorld(t, nil)
	token := w.IssueToken(sandbox.AnaID)
	w.Fault(sandbox.Fault{Kind: sandbox.TooManyRequests, Path: "/api/v2/sms", Every: 3, Times: 2})
	var got []bool
	for range 8 {
		_, err := w.client.SendSMS(t.Context(), token, hello)
		got = append(got, err == nil)
	}
	if diff := cmp.Diff([]bool{true, true, false, true, true, false, true, true}, got); diff != "" {
		t.Error(diff)
	}
	w.Fault(sandbox.Fault{Kind: sandbox.RefreshFails})
	grant := w.connect(t, sandbox.AnaID) // the code grant passes
	_, err := w.client.Refresh(t.Context(), grant.Refresh)
	wantKind(t, err, dialpad.Lost)
	w.ClearFaults()
	if _, err := w.client.Refresh(t.Context(), grant.Refresh); err != nil {
		t.Errorf("token not used up, but refresh failed: %v", err)
	}
}
