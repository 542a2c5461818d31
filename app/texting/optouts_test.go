package texting_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/riverqueue/river"

	"dialpad-texting/app/texting"
	"dialpad-texting/integrations/crm"
	crmsandbox "dialpad-texting/integrations/crm/sandbox"
	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/queue"
)

// sides are the keeper of opt-outs and the Dialpad that it reads.
type sides struct {
	*texting.OptOuts
	*world
	phone *sandbox.Sandbox
}

func eachSides(t *testing.T, f func(t *testing.T, s *sides)) {
	t.Helper()
	each(t, func(t *testing.T, w *world) {
		s := &sides{world: w}
		s.phone = sandbox.New(sandbox.Options{Now: w.clock.Now, TextsPerMinute: -1, RequestsPerSecond: -1})
		s.phone.SeedDemo()
		server := httptest.NewServer(s.phone)
		t.Cleanup(func() { server.Close(); s.phone.Close() })
		dp := dialpad.New(dialpad.Config{BaseURL: server.URL, Now: w.clock.Now})
		_, err := w.db.Connections.Save(ctx, models.NewConnection{TenantID: "t_9", CompanyID: company, CompanyName: "Acme Inc", DialpadUserID: sandbox.AnaID,
			ConnectedBy: "ana@acme.com", ConnectedByUser: "42", Grant: models.Grant{Access: s.phone.IssueToken(sandbox.AnaID)}})
		must(t, err)
		must(t, w.db.Connections.MarkReady(ctx, "t_9"))
		s.OptOuts = texting.NewOptOuts(w.db.Store, dp, w.crm, w.market, slog.New(slog.DiscardHandler))
		w.Texting = texting.New(w.db.Store, w.crm, w.market, texting.Config{Now: w.clock.Now, OptOuts: s.Fresh})
		f(t, s)
	})
}

// says has a phone answer Ana's number, and what the webhook brought of it applied.
func (s *sides) says(number, word string) {
	s.t.Helper()
	_, err := s.db.SaveEvent(ctx, ledger.WebhookEvent{TenantID: "t_9", Kind: ledger.EventSMS, Direction: "inbound", FromNumber: number, ToNumber: "+14155550100",
		OptWord: word, BodyHash: fmt.Sprint(number, word, s.clock.Now())})
	must(s.t, err)
	events, err := s.db.Events.PendingAllTenants(ctx, s.clock.Now().Add(time.Second), 10)
	must(s.t, err)
	for _, e := range events {
		e, err := s.db.Events.Get(ctx, "t_9", e.ID)
		must(s.t, err)
		must(s.t, s.Heard(ctx, e))
	}
	if left, _ := s.db.Events.PendingAllTenants(ctx, s.clock.Now().Add(time.Second), 10); len(left) != 0 {
		s.t.Error("an event stayed open")
	}
	s.clock.Add(time.Second)
}

// reads has Dialpad's list read.
func (s *sides) reads() texting.OptOutCounts {
	s.t.Helper()
	n, err := s.Read(ctx, "t_9")
	must(s.t, err)
	return n
}

// out tells whether a number gets nothing from us now.
func (s *sides) out(number string) bool {
	s.t.Helper()
	out, err := s.db.Suppressions.Contains(ctx, "t_9", number)
	must(s.t, err)
	return out
}

func TestOneSideIsEnoughAndEachLiftsItsOwn(t *testing.T) {
	eachSides(t, func(t *testing.T, s *sides) {
		steps := []struct {
			what string
			do   func()
			out  bool
			tell int // jobs so far
		}{
			{"at first", func() { s.reads() }, false, 0},
			{"a STOP that only we heard", func() { s.says(bob, "stop") }, true, 1},
			{"again", func() { s.says(bob, "stop") }, true, 1},
			{"the CRM too", func() { s.suppress(bob, models.OptOutCRM) }, true, 1},
			{"Dialpad too", func() { s.phone.Reply(bob, "+14155550100", "STOP"); s.reads() }, true, 1},
			{"its list again", func() { s.reads() }, true, 1},
			{"the CRM takes it back", func() { _, err := s.db.Suppressions.Remove(ctx, "t_9", bob, models.OptOutCRM); must(t, err) }, true, 1},
			{"a START that only we heard", func() { s.says(bob, "start") }, true, 1},
			{"Dialpad heard it too", func() { s.phone.Reply(bob, "+14155550100", "START"); s.reads() }, false, 2},
			{"its list again", func() { s.reads() }, false, 2},
		}
		for _, step := range steps {
			step.do()
			if s.out(bob) != step.out || s.jobs("tell_opt_out") != step.tell {
				t.Errorf("%s: out %v, %d told", step.what, s.out(bob), s.jobs("tell_opt_out"))
			}
		}
	})
}

func TestTheWholeListIsRead(t *testing.T) {
	eachSides(t, func(t *testing.T, s *sides) {
		for i := range 150 {
			s.phone.Reply(fmt.Sprintf("+1%d55501%02d", 212+i/100*100, i%100), "+14155550100", "STOP")
		}
		if n := s.reads(); n.Listed != 150 || n.OptedOut != 150 || n.OptedIn != 0 {
			t.Errorf("%+v", n)
		}
		if n := s.reads(); n.Listed != 150 || n.OptedOut != 0 {
			t.Errorf("again %+v", n)
		}
		c, err := s.db.Connections.Get(ctx, "t_9")
		if err != nil || c.OptOutsAt == nil || !c.OptOutsAt.Equal(s.clock.Now()) {
			t.Errorf("read at %v, %v", c.OptOutsAt, err)
		}
	})
}

func TestTheCRMIsToldUntilItHeard(t *testing.T) {
	eachSides(t, func(t *testing.T, s *sides) {
		job := func(out bool) queue.SyncOptOut {
			key, err := s.db.Tenants.NumberKey(ctx, "t_9", bob)
			must(t, err)
			return queue.SyncOptOut{TenantID: "t_9", NumberKey: key, Number: s.db.Suppressions.SealNumber("t_9", bob), OptedOut: out, Source: models.OptOutReply}
		}
		s.says(bob, "stop")
		s.host.Break(crmsandbox.Fault{Kind: crmsandbox.FaultDown})
		if err := s.Tell(ctx, job(true)); err == nil {
			t.Error("a CRM that is down was told")
		}
		s.host.Mend()
		must(t, s.Tell(ctx, job(true)))
		if !s.host.IsOptedOut("t_9", bob) {
			t.Error("the CRM does not know")
		}
		must(t, s.Tell(ctx, job(false))) // overtaken: it was undone
		if !s.host.IsOptedOut("t_9", bob) {
			t.Error("the CRM was told what no longer holds")
		}
		s.says(bob, "start")
		must(t, s.Tell(ctx, job(false)))
		if s.host.IsOptedOut("t_9", bob) {
			t.Error("the CRM still thinks so")
		}
	})
}

func TestABulkReadsDialpadsListFirst(t *testing.T) {
	eachSides(t, func(t *testing.T, s *sides) {
		s.reads()
		s.phone.Reply(bob, "+14155550100", "STOP")
		s.clock.Add(4 * time.Minute)
		v := s.prepared(s.bulk("ana", crm.ModuleContact, "7", "20"), "k1", says(hi))
		if v.Counts.Skipped != 0 {
			t.Errorf("the list was read although it is fresh: %+v", v.Counts)
		}
		s.settle(ledger.Sent, s.claim()...)
		s.clock.Add(2 * time.Minute)
		v = s.prepared(s.bulk("ana", crm.ModuleContact, "7", "20"), "k2", says(hi))
		if v.Counts.Skipped != 1 || v.Counts.Queued != 1 {
			t.Errorf("the list was not read: %+v", v.Counts)
		}
		s.phone.Fault(sandbox.Fault{Kind: sandbox.ErrorBeforeAccepting})
		s.clock.Add(time.Hour)
		v = s.prepared(s.bulk("ana", crm.ModuleContact, "1"), "k3", says(hi))
		if v.Counts.Queued != 1 {
			t.Errorf("a bulk waits for Dialpad's list: %+v", v.Counts)
		}
	})
}

func TestASTOPInMidBulkStopsTheRestToThatPerson(t *testing.T) {
	eachSides(t, func(t *testing.T, s *sides) {
		s.prepared(s.bulk("ana", crm.ModuleContact, "7", "20"), "k1", says(hi))
		s.says(bob, "stop")
		for _, c := range s.claim() {
			if c.Suppressed != (c.ToNumber == bob) {
				t.Errorf("suppressed %v", c.Suppressed)
			}
		}
		_, err := s.Create(ctx, s.one("ana", "7", bob), "k2", says("Hi"))
		var p *texting.Problem
		if !errors.As(err, &p) || p.Message != "Unsubscribed from Text" {
			t.Error(err)
		}
	})
}

// answers is a CRM that answers every call with a status, and keeps the calls' webhook-ids.
func answers(t *testing.T, status *int) (*crm.Client, *[]string) {
	t.Helper()
	ids := &[]string{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*ids = append(*ids, r.Header.Get("webhook-id"))
		if *status == http.StatusServiceUnavailable {
			w.Header().Set("Retry-After", "3600")
		}
		w.WriteHeader(*status)
	}))
	t.Cleanup(server.Close)
	secrets, err := crm.ParseSecrets("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
	must(t, err)
	return crm.New(server.URL+"/{linkname}", secrets, nil, time.Now), ids
}

func TestAnOptOutIsToldUnderOneIDUntilTheCRMTakesIt(t *testing.T) {
	eachSides(t, func(t *testing.T, s *sides) {
		status := 0
		client, ids := answers(t, &status)
		o := texting.NewOptOuts(s.db.Store, nil, client, s.market, slog.New(slog.DiscardHandler))
		key, err := s.db.Tenants.NumberKey(ctx, "t_9", bob)
		must(t, err)
		s.says(bob, "stop")
		job := queue.SyncOptOut{TenantID: "t_9", NumberKey: key, Number: s.db.Suppressions.SealNumber("t_9", bob), OptedOut: true, Source: models.OptOutReply, Since: s.clock.Now().UnixNano()}
		tell := func(code int) time.Duration {
			t.Helper()
			status = code
			err := o.Tell(ctx, job)
			var later *river.JobSnoozeError
			if err == nil || !errors.As(err, &later) {
				must(t, err)
				return 0
			}
			return later.Duration
		}
		for _, step := range []struct {
			after time.Duration
			code  int
			wait  time.Duration
		}{
			{0, 401, 2 * time.Second}, {time.Minute, 403, 15 * time.Second}, {time.Minute, 503, time.Hour}, {10 * time.Minute, 500, 3 * time.Minute},
			{240 * time.Hour, 401, 6 * time.Hour}, {0, 302, 6 * time.Hour}, {0, 204, 0}, {0, 404, 0}, {0, 410, 0}, {0, 422, 0}, {0, 400, 0},
		} {
			s.clock.Add(step.after)
			if wait := tell(step.code); wait != step.wait {
				t.Errorf("after a %d the CRM is asked again after %s, not %s", step.code, wait, step.wait)
			}
		}
		if got := slices.Compact(slices.Clone(*ids)); len(got) != 1 || got[0] == "" {
			t.Errorf("the webhook-ids of one change: %q", got)
		}
		job.Since++
		tell(204)
		if got := slices.Compact(slices.Clone(*ids)); len(got) != 2 {
			t.Errorf("another change has the same webhook-id: %q", got)
		}
	})
}
