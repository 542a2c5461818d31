package sandbox

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"dialpad-texting/integrations/crm"
)

func TestFaultsCountDownByType(t *testing.T) {
	w := newWorld(t)
	w.Break(Fault{Type: crm.CallUsers, Kind: FaultDown, Next: 2})
	w.Break(Fault{Kind: FaultGarbageHTML, Next: 1})
	users := func() error { _, err := w.client.Users(ctx, w.acme, ""); return err }
	wantKind(t, "down", users(), crm.Unavailable)
	var e *crm.Error
	if errors.As(users(), &e); e == nil || e.RetryAfter != time.Second {
		t.Errorf("%+v", e)
	}
	wantKind(t, "page", users(), crm.Garbage)
	if err := users(); err != nil {
		t.Errorf("after the faults: %v", err)
	}
	for kind, want := range map[string]crm.Kind{FaultError: crm.Unavailable, FaultGarbageJSON: crm.Garbage, FaultRefuse: crm.Refused} {
		w.Break(Fault{Kind: kind})
		wantKind(t, kind, users(), want)
		wantKind(t, kind, users(), want)
		w.Mend()
	}
	w.Break(Fault{Kind: FaultSlow, Delay: time.Hour})
	impatient := crm.New(w.server.URL+"/{linkname}", w.opts.Secrets, &http.Client{Timeout: 20 * time.Millisecond}, w.clock.now)
	_, err := impatient.Users(ctx, w.acme, "")
	wantKind(t, "slow", err, crm.Unavailable)
	if len(w.Faults()) != 1 {
		t.Errorf("%+v", w.Faults())
	}
}
