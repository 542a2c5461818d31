package optout_test

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

	"dialpad-texting/app/apierror"
	"dialpad-texting/app/optout"
	"dialpad-texting/integrations/crm"
	crmsandbox "dialpad-texting/integrations/crm/sandbox"
	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/integrations/dialpad/sandbox"
	. "dialpad-texting/internal/apptest"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/queue"
)

// sides are the opt-outs and the Dialpad that they read.
type sides struct {
	*optout.OptOuts
	*World
	phone *sandbox.Sandbox
}

func eachSides(t *testing.T, f func(t *testing.T, s *sides)) {
	t.Helper()
	Each(t, func(t *testing.T, w *World) {
		s := &sides{World: w}
		s.phone = sandbox.New(sandbox.Options{Now: w.Clock.Now, TextsPerMinute: -1, RequestsPerSecond: -1})
		s.phone.SeedDemo()
		server := httptest.NewServer(s.phone)
		t.Cleanup(func() { server.Close(); s.phone.Close() })
		dp := dialpad.New(dialpad.Config{BaseURL: server.URL, Now: w.Clock.Now})
		_, err := w.DB.Connections.Save(Ctx, models.NewConnection{TenantID: "t_9", CompanyID: Company, CompanyName: "Acme Inc", DialpadUserID: sandbox.AnaID,
			ConnectedBy: "ana@acme.com", ConnectedByUser: "42", Grant: models.Grant{Access: s.phone.IssueToken(sandbox.AnaID)}})
		Must(t, err)
		Must(t, w.DB.Connections.MarkReady(Ctx, "t_9"))
		s.OptOuts = optout.New(w.DB.Store, dp, w.CRM, w.Tokens, slog.New(slog.DiscardHandler))
		w.Services = w.Process(w.CRM, s.Refresh)
		f(t, s)
	})
}

// reply stores and applies the event of a phone that answers Ana's
// number.
func (s *sides) reply(number, word string) {
	s.T.Helper()
	at := s.Clock.Now()
	_, err := s.DB.SaveEvent(Ctx, ledger.WebhookEvent{TenantID: "t_9", Kind: ledger.EventSMS, Direction: "inbound", FromNumber: number, ToNumber: "+14155550100",
		EventAt: &at, OptWord: word, BodyHash: fmt.Sprint(number, word, s.Clock.Now())})
	Must(s.T, err)
	events, err := s.DB.Events.PendingAllTenants(Ctx, s.Clock.Now().Add(time.Second), 10)
	Must(s.T, err)
	for _, e := range events {
		e, err := s.DB.Events.Get(Ctx, "t_9", e.ID)
		Must(s.T, err)
		Must(s.T, s.ApplyReply(Ctx, e))
	}
	if left, _ := s.DB.Events.PendingAllTenants(Ctx, s.Clock.Now().Add(time.Second), 10); len(left) != 0 {
		s.T.Error("an event stayed open")
	}
	s.Clock.Add(time.Second)
}

// readList applies Dialpad's list.
func (s *sides) readList() optout.ListCounts {
	s.T.Helper()
	n, err := s.ReadList(Ctx, "t_9")
	Must(s.T, err)
	return n
}

// isSuppressed reports whether a number is suppressed.
func (s *sides) isSuppressed(number string) bool {
	s.T.Helper()
	out, err := s.DB.Suppressions.Contains(Ctx, "t_9", number)
	Must(s.T, err)
	return out
}

func TestEachSideLiftsItsOwnOptOut(t *testing.T) {
	eachSides(t, func(t *testing.T, s *sides) {
		steps := []struct {
			what string
			do   func()
			out  bool
			jobs int // so far
		}{
			{"at first", func() { s.readList() }, false, 0},
			{"a STOP that only we received", func() { s.reply(Bob, "stop") }, true, 1},
			{"again", func() { s.reply(Bob, "stop") }, true, 1},
			{"the CRM too", func() { s.Suppress(Bob, models.OptOutCRM) }, true, 1},
			{"Dialpad too", func() { s.phone.Reply(Bob, "+14155550100", "STOP"); s.readList() }, true, 1},
			{"its list again", func() { s.readList() }, true, 1},
			{"the CRM takes it back", func() { _, err := s.DB.Suppressions.Remove(Ctx, "t_9", Bob, models.OptOutCRM); Must(t, err) }, true, 1},
			{"a START that only we received", func() { s.reply(Bob, "start") }, true, 1},
			{"Dialpad received it too", func() { s.phone.Reply(Bob, "+14155550100", "START"); s.readList() }, false, 2},
			{"its list again", func() { s.readList() }, false, 2},
		}
		for _, step := range steps {
			step.do()
			if s.isSuppressed(Bob) != step.out || s.CountJobs("tell_opt_out") != step.jobs {
				t.Errorf("%s: out %v, %d jobs", step.what, s.isSuppressed(Bob), s.CountJobs("tell_opt_out"))
			}
		}
	})
}

func TestReadListReadsAllPages(t *testing.T) {
	eachSides(t, func(t *testing.T, s *sides) {
		for i := range 150 {
			s.phone.Reply(fmt.Sprintf("+1%d55501%02d", 212+i/100*100, i%100), "+14155550100", "STOP")
		}
		if n := s.readList(); n.Listed != 150 || n.OptedOut != 150 || n.OptedIn != 0 {
			t.Errorf("%+v", n)
		}
		if n := s.readList(); n.Listed != 150 || n.OptedOut != 0 {
			t.Errorf("again %+v", n)
		}
		c, err := s.DB.Connections.Get(Ctx, "t_9")
		if err != nil || c.OptOutsAt == nil || !c.OptOutsAt.Equal(s.Clock.Now()) {
			t.Errorf("read at %v, %v", c.OptOutsAt, err)
		}
	})
}

func TestSyncToCRMSkipsUndoneChanges(t *testing.T) {
	eachSides(t, func(t *testing.T, s *sides) {
		job := func(out bool) queue.SyncOptOut {
			key, err := s.DB.Tenants.NumberKey(Ctx, "t_9", Bob)
			Must(t, err)
			return queue.SyncOptOut{TenantID: "t_9", NumberKey: key, Number: s.DB.Suppressions.SealNumber("t_9", Bob), OptedOut: out, Source: models.OptOutReply}
		}
		s.reply(Bob, "stop")
		s.Host.Break(crmsandbox.Fault{Kind: crmsandbox.FaultDown})
		if err := s.SyncToCRM(Ctx, job(true)); err == nil {
			t.Error("a CRM that is down was notified")
		}
		s.Host.Mend()
		Must(t, s.SyncToCRM(Ctx, job(true)))
		if !s.Host.IsOptedOut("t_9", Bob) {
			t.Error("the CRM does not know")
		}
		Must(t, s.SyncToCRM(Ctx, job(false))) // overtaken: it was undone
		if !s.Host.IsOptedOut("t_9", Bob) {
			t.Error("an outdated opt-out was sent to the CRM")
		}
		s.reply(Bob, "start")
		Must(t, s.SyncToCRM(Ctx, job(false)))
		if s.Host.IsOptedOut("t_9", Bob) {
			t.Error("the CRM still thinks so")
		}
	})
}

func TestPrepareRefreshesAnOldList(t *testing.T) {
	eachSides(t, func(t *testing.T, s *sides) {
		s.readList()
		s.phone.Reply(Bob, "+14155550100", "STOP")
		s.Clock.Add(4 * time.Minute)
		v := s.MustPrepare(s.Bulk("ana", crm.ModuleContact, "7", "20"), "k1", Text(Hi))
		if v.Counts.Skipped != 0 {
			t.Errorf("the list was read although it is fresh: %+v", v.Counts)
		}
		s.Settle(ledger.Sent, s.Claim()...)
		s.Clock.Add(2 * time.Minute)
		v = s.MustPrepare(s.Bulk("ana", crm.ModuleContact, "7", "20"), "k2", Text(Hi))
		if v.Counts.Skipped != 1 || v.Counts.Queued != 1 {
			t.Errorf("the list was not read: %+v", v.Counts)
		}
		s.phone.Fault(sandbox.Fault{Kind: sandbox.ErrorBeforeAccepting})
		s.Clock.Add(time.Hour)
		v = s.MustPrepare(s.Bulk("ana", crm.ModuleContact, "1"), "k3", Text(Hi))
		if v.Counts.Queued != 1 {
			t.Errorf("a bulk waits for Dialpad's list: %+v", v.Counts)
		}
	})
}

func TestStopInMidBulkSuppressesTheRest(t *testing.T) {
	eachSides(t, func(t *testing.T, s *sides) {
		s.MustPrepare(s.Bulk("ana", crm.ModuleContact, "7", "20"), "k1", Text(Hi))
		s.reply(Bob, "stop")
		for _, c := range s.Claim() {
			if c.Suppressed != (c.ToNumber == Bob) {
				t.Errorf("suppressed %v", c.Suppressed)
			}
		}
		_, err := s.Create(Ctx, s.One("ana", "7", Bob), "k2", Text("Hi"))
		var p *apierror.Error
		if !errors.As(err, &p) || p.Message != "Unsubscribed from Text" {
			t.Error(err)
		}
	})
}

// answeringCRM is a CRM that answers every call with a status, and keeps the
// calls' webhook-ids.
func answeringCRM(t *testing.T, status *int) (*crm.Client, *[]string) {
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
	Must(t, err)
	return crm.New(server.URL+"/{linkname}", secrets, nil, time.Now), ids
}

func TestSyncToCRMBackoffAndID(t *testing.T) {
	eachSides(t, func(t *testing.T, s *sides) {
		status := 0
		client, ids := answeringCRM(t, &status)
		o := optout.New(s.DB.Store, nil, client, s.Tokens, slog.New(slog.DiscardHandler))
		key, err := s.DB.Tenants.NumberKey(Ctx, "t_9", Bob)
		Must(t, err)
		s.reply(Bob, "stop")
		job := queue.SyncOptOut{TenantID: "t_9", NumberKey: key, Number: s.DB.Suppressions.SealNumber("t_9", Bob), OptedOut: true, Source: models.OptOutReply, Since: s.Clock.Now().UnixNano()}
		sync := func(code int) time.Duration {
			t.Helper()
			status = code
			err := o.SyncToCRM(Ctx, job)
			var later *river.JobSnoozeError
			if err == nil || !errors.As(err, &later) {
				Must(t, err)
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
			s.Clock.Add(step.after)
			if wait := sync(step.code); wait != step.wait {
				t.Errorf("after a %d the CRM is asked again after %s, not %s", step.code, wait, step.wait)
			}
		}
		if got := slices.Compact(slices.Clone(*ids)); len(got) != 1 || got[0] == "" {
			t.Errorf("the webhook-ids of one change: %q", got)
		}
		job.Since++
		sync(204)
		if got := slices.Compact(slices.Clone(*ids)); len(got) != 2 {
			t.Errorf("another change has the same webhook-id: %q", got)
		}
	})
}
