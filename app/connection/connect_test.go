package connection_test

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"dialpad-texting/app/connection"
	"dialpad-texting/app/eligibility"
	"dialpad-texting/app/install"
	"dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/seed"
)

func newSQLite(t *testing.T) *world { return newWorld(t, modeltest.SQLite(t, seed.Migrate)) }

func (w *world) attempt() install.StatusAttempt {
	w.t.Helper()
	s, err := install.New(w.db.Store, w.eligible, w.Connections, w.clock.Now).Status(ctx, w.admin)
	must(w.t, err)
	if s.Attempt == nil {
		return install.StatusAttempt{}
	}
	return *s.Attempt
}

// stopped checks a result that stops the connect, and that nothing was
// connected.
func (w *world) stopped(out connection.Result, code, words string) {
	w.t.Helper()
	if out.Done || out.Confirm != nil || !strings.Contains(out.Message, words) || out.Title == "" {
		w.t.Errorf("outcome %+v, want %q", out, words)
	}
	if out.Link == nil || out.Link.URL != "http://acme.localhost:8090/app" {
		w.t.Errorf("no link: %+v", out.Link)
	}
	if a := w.attempt(); a.Step != models.StepFailed || a.Code != code || a.Message != out.Message {
		w.t.Errorf("the page says %+v, want code %s and the same sentence", a, code)
	}
	if _, err := w.db.Connections.Get(ctx, "t_9"); !errors.Is(err, models.ErrNotFound) {
		w.t.Errorf("a connection was stored: %v", err)
	}
}

// forgotten checks that no copy of a refused grant is kept and that
// Dialpad was not asked to revoke it.
func (w *world) forgotten() {
	w.t.Helper()
	a, err := w.db.ConnectAttempts.Latest(ctx, "t_9")
	must(w.t, err)
	must(w.t, w.CleanGrant(ctx, "t_9", a.ID))
	if n := w.requests(http.MethodPost, "/oauth2/deauthorize"); n != 0 || !a.GrantSealed.Empty() || w.db.CountJobs("clean_grant") != 0 {
		w.t.Errorf("revoked %d times, kept: %t, %d jobs", n, !a.GrantSealed.Empty(), w.db.CountJobs("clean_grant"))
	}
}

// demote makes the tenant's admin an ordinary user.
func (w *world) demote() {
	w.t.Helper()
	must(w.t, w.db.Users.Save(ctx, "t_9", []models.User{{UserID: "42", Email: "ana@acme.com", Name: "Admin", Role: "user", Active: true}}))
}

// givenBack runs the job that gives a refused grant back, and checks that
// Dialpad revoked it.
func (w *world) givenBack() {
	w.t.Helper()
	if n := w.db.CountJobs("clean_grant"); n != 1 {
		w.t.Fatalf("%d jobs to give the grant back", n)
	}
	a, err := w.db.ConnectAttempts.Latest(ctx, "t_9")
	must(w.t, err)
	if a.GrantSealed.Empty() {
		w.t.Fatal("no grant is kept to be given back")
	}
	must(w.t, w.CleanGrant(ctx, "t_9", a.ID))
	if n := w.requests(http.MethodPost, "/oauth2/deauthorize"); n != 1 {
		w.t.Errorf("revoked %d times", n)
	}
	must(w.t, w.CleanGrant(ctx, "t_9", a.ID))
	if n := w.requests(http.MethodPost, "/oauth2/deauthorize"); n != 1 {
		w.t.Errorf("revoked again: %d", n)
	}
}

func TestAdminConnects(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ticket := w.ticket(w.tenant, w.admin)
		if a := w.attempt(); a.Step != models.StepWaiting {
			t.Errorf("the page says %+v as soon as there is a ticket", a)
		}
		redirect, err := w.OpenWindow(ctx, ticket, "browser")
		must(t, err)
		if !strings.Contains(redirect, "code_challenge_method=S256") || strings.Contains(redirect, ticket) {
			t.Errorf("redirect %s", redirect)
		}
		q := w.consent(w.tenant, w.admin, "browser", sandbox.AnaID)
		out := w.connect(q)
		if !out.Done || !strings.Contains(out.Message, "Acme Inc") {
			t.Fatalf("outcome %+v", out)
		}
		c := w.connection()
		if c.State != models.Connected || c.Ready || c.CompanyID != sandbox.AcmeID || c.CompanyName != "Acme Inc" ||
			c.DialpadUserID != sandbox.AnaID || c.ConnectedBy != "ana@acme.com" || c.ConnectedByUser != "42" {
			t.Errorf("connection %+v", c)
		}
		if _, err := w.db.Lanes.Get(ctx, "t_9", sandbox.AcmeID); err != nil {
			t.Errorf("no lane: %v", err)
		}
		if n := w.db.CountJobs("finish_connect"); n != 1 {
			t.Errorf("%d jobs to finish", n)
		}
		if a := w.attempt(); a.Step != models.StepDirectory {
			t.Errorf("the page says %+v", a)
		}
		if r, err := w.eligible.CheckTenant(ctx, "t_9"); err != nil || r == nil {
			t.Errorf("may text before it is ready: %v", err)
		}
		w.finish("t_9")
		if r, err := w.eligible.CheckTenant(ctx, "t_9"); err != nil || r != nil {
			t.Errorf("may not text: %v %v", r, err)
		}
		if a := w.attempt(); a.Step != models.StepDone {
			t.Errorf("the page says %+v", a)
		}
		if len(w.db.AuditsOf("t_9", "connection.connected")) != 1 || len(w.db.AuditsOf("t_9", "connection.ready")) != 1 {
			t.Error("not in the audit, once each")
		}
	})
}

func TestTicketWorksOnceAndForTenMinutes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		refused := func(ticket, what string) {
			t.Helper()
			_, err := w.OpenWindow(ctx, ticket, "browser")
			var stop *connection.ConnectError
			if !errors.As(err, &stop) || stop.Message == "" || stop.Title == "" {
				t.Errorf("%s: %v", what, err)
			}
		}
		used := w.ticket(w.tenant, w.admin)
		_, err := w.OpenWindow(ctx, used, "browser")
		must(t, err)
		refused(used, "used")
		refused("no-ticket", "unknown")
		old := w.ticket(w.tenant, w.admin)
		newer := w.ticket(w.tenant, w.admin)
		refused(old, "an older ticket")
		w.clock.Add(10*time.Minute + time.Second)
		refused(newer, "expired")
		if a := w.attempt(); a.Step != models.StepFailed || a.Code != "expired" || !strings.Contains(a.Message, "closed") {
			t.Errorf("the page says %+v of a window that was closed", a)
		}
		w.clock.Add(11 * time.Minute)
		if a := w.attempt(); a.Step != "" {
			t.Errorf("the page still says %+v", a)
		}
	})
}

func TestEveryReasonThatStopsAConnect(t *testing.T) {
	for name, c := range map[string]struct {
		user, code, words string
		revoked           bool
		trouble           func(w *world, q *connection.CallbackQuery)
	}{
		"refused":        {user: sandbox.AnaID, code: "refused", words: "Access was not allowed", trouble: func(_ *world, q *connection.CallbackQuery) { q.Code, q.Error = "", "access_denied" }},
		"no code at all": {user: sandbox.AnaID, code: "refused", words: "Access was not allowed", trouble: func(_ *world, q *connection.CallbackQuery) { q.Code = "" }},
		"an unknown scope": {user: sandbox.AnaID, code: "misconfigured", words: "does not accept this app",
			trouble: func(_ *world, q *connection.CallbackQuery) { q.Code, q.Error = "", "invalid_scope" }},
		"Dialpad unavailable": {user: sandbox.AnaID, code: "dialpad_unreachable", words: "Dialpad is not answering. Try again in a few minutes.",
			trouble: func(_ *world, q *connection.CallbackQuery) { q.Code, q.Error = "", "temporarily_unavailable" }},
		"a wrong code":            {user: sandbox.AnaID, code: "expired", words: "not valid any more", trouble: func(_ *world, q *connection.CallbackQuery) { q.Code = "wrong" }},
		"no admin":                {user: sandbox.BenID, code: "not_admin", words: "ben@acme.com isn't a Dialpad company admin", revoked: true},
		"Dialpad down":            {user: sandbox.AnaID, code: "dialpad_unreachable", words: "Dialpad is not answering", trouble: fault("/oauth2/token", sandbox.ErrorBeforeAccepting)},
		"connection dropped":      {user: sandbox.AnaID, code: "dialpad_unreachable", words: "Dialpad is not answering", trouble: fault("/oauth2/token", sandbox.DropAfterAccepting)},
		"user request fails":      {user: sandbox.AnaID, code: "dialpad_unreachable", words: "Dialpad is not answering", trouble: fault("/api/v2/users", sandbox.ErrorBeforeAccepting)},
		"company request fails":   {user: sandbox.AnaID, code: "dialpad_unreachable", words: "Dialpad is not answering", revoked: true, trouble: fault("/api/v2/company", sandbox.TooManyRequests)},
		"company request refused": {user: sandbox.AnaID, code: "not_admin", words: "ana@acme.com isn't a Dialpad company admin", revoked: true, trouble: fault("/api/v2/company", sandbox.Forbidden)},
		"plan lost": {user: sandbox.AnaID, code: "plan_required", words: "plan does not include Dialpad any more", revoked: true, trouble: func(w *world, _ *connection.CallbackQuery) {
			_, err := w.db.Tenants.SaveSigned(ctx, models.SignedTenant{ID: "t_9", Linkname: "acme", Name: "Acme Inc", Plan: "starter", SignedAt: w.clock.Now().Add(time.Minute)})
			must(w.t, err)
		}},
		"removed": {user: sandbox.AnaID, code: "not_installed", words: "was removed meanwhile", revoked: true,
			trouble: func(w *world, _ *connection.CallbackQuery) { must(w.t, w.db.Installations.Uninstall(ctx, "t_9")) }},
		"admin demoted": {user: sandbox.AnaID, code: "admin_required", words: "Only an admin of your Salesmate account", revoked: true,
			trouble: func(w *world, _ *connection.CallbackQuery) { w.demote() }},
		"admin deactivated": {user: sandbox.AnaID, code: "cancelled", words: "deactivated", revoked: true,
			trouble: func(w *world, _ *connection.CallbackQuery) { must(w.t, w.db.Users.Deactivate(ctx, "t_9", "42")) }},
	} {
		t.Run(name, func(t *testing.T) {
			w := newSQLite(t)
			q := w.consent(w.tenant, w.admin, "browser", c.user)
			if c.trouble != nil {
				c.trouble(w, &q)
			}
			out := w.callback(q)
			w.sandbox.ClearFaults()
			w.stopped(out, c.code, c.words)
			if c.revoked {
				w.givenBack()
			} else if n := w.db.CountJobs("clean_grant"); n != 0 {
				t.Errorf("%d jobs without a grant", n)
			}
			if again := w.callback(q); again.Message != out.Message {
				t.Errorf("loaded again it says %+v", again)
			}
			if len(w.db.AuditsOf("t_9", "connect.failed")) != 1 {
				t.Error("not in the audit")
			}
		})
	}
}

func fault(path string, kind sandbox.FaultKind) func(*world, *connection.CallbackQuery) {
	return func(w *world, _ *connection.CallbackQuery) { w.sandbox.Fault(sandbox.Fault{Kind: kind, Path: path}) }
}

func TestCallbackNeedsItsBrowserAndState(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		q := w.consent(w.tenant, w.admin, "browser", sandbox.AnaID)
		stolen := q
		stolen.Browser = "another"
		if out := w.callback(stolen); out.Done || !strings.Contains(out.Message, "another browser") || out.Link == nil {
			t.Errorf("another browser: %+v", out)
		}
		wrong := q
		wrong.State = "made-up"
		if out := w.callback(wrong); out.Done || !strings.Contains(out.Message, "This window is over") {
			t.Errorf("an unknown state: %+v", out)
		}
		if n := w.requests(http.MethodPost, "/oauth2/token"); n != 0 {
			t.Errorf("the code was redeemed %d times", n)
		}
		w.clock.Add(11 * time.Minute)
		if out := w.callback(q); out.Done || !strings.Contains(out.Message, "This window is over") || out.Link == nil {
			t.Errorf("too late: %+v", out)
		}
	})
}

func TestConsentIsConfirmedFirst(t *testing.T) {
	for who, email := range map[string]string{"the admin's own": "ana@acme.com", "another person's": "boss@acme.com"} {
		t.Run(who, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				w.admin.Email = email
				w.confirmsFirst(email != "ana@acme.com")
			})
		})
	}
}

func (w *world) confirmsFirst(otherEmail bool) {
	t := w.t
	out := w.callback(w.consent(w.tenant, w.admin, "browser", sandbox.AnaID))
	if out.Done || out.Confirm == nil {
		t.Fatalf("not asked: %+v", out)
	}
	c := *out.Confirm
	if c.Company != "Acme Inc" || c.DialpadEmail != "ana@acme.com" || c.TenantName != "Acme Inc" || c.Linkname != "acme" || c.State == "" ||
		c.OtherEmail != otherEmail || c.Replaces != "" {
		t.Errorf("question %+v", c)
	}
	if _, err := w.db.Connections.Get(ctx, "t_9"); !errors.Is(err, models.ErrNotFound) {
		t.Fatalf("stored before it was confirmed: %v", err)
	}
	if a := w.attempt(); a.Step != models.StepConfirm {
		t.Errorf("the page says %+v", a)
	}
	if other, err := w.Confirm(ctx, c.State, "another"); err != nil || other.Done {
		t.Errorf("another browser confirmed: %+v %v", other, err)
	}
	done, err := w.Confirm(ctx, c.State, "browser")
	if err != nil || !done.Done {
		t.Fatalf("confirm: %+v %v", done, err)
	}
	if got := w.connection(); got.CompanyID != sandbox.AcmeID || got.ConnectedBy != "ana@acme.com" {
		t.Errorf("connection %+v", got)
	}
	if again, err := w.Confirm(ctx, c.State, "browser"); err != nil || !again.Done {
		t.Errorf("pressed twice: %+v %v", again, err)
	}
	if n := len(w.db.AuditsOf("t_9", "connection.connected")); n != 1 {
		t.Errorf("connected %d times", n)
	}
}

func TestSecondaryEmailIsTheAdmins(t *testing.T) {
	w := newSQLite(t)
	id := w.sandbox.AddUser(sandbox.User{CompanyID: sandbox.AcmeID, Emails: []string{"a.ruiz@acme.com", "ANA@Acme.com"}, IsSuperAdmin: true})
	if out := w.callback(w.consent(w.tenant, w.admin, "browser", id)); out.Confirm == nil || out.Confirm.OtherEmail {
		t.Errorf("one of the e-mails is the admin's: %+v", out)
	}
}

func TestDeclinedGrantIsGivenBack(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.admin.Email = "boss@acme.com"
		asked := w.callback(w.consent(w.tenant, w.admin, "browser", sandbox.AnaID))
		out, err := w.Decline(ctx, asked.Confirm.State, "browser")
		must(t, err)
		w.stopped(out, "cancelled", "was not connected")
		w.givenBack()
		if late, err := w.Confirm(ctx, asked.Confirm.State, "browser"); err != nil || late.Done {
			t.Errorf("confirmed after it was declined: %+v %v", late, err)
		}
	})
}

func TestUnconfirmedGrantIsGivenBackWhenItExpires(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.admin.Email = "boss@acme.com"
		asked := w.callback(w.consent(w.tenant, w.admin, "browser", sandbox.AnaID))
		if n, err := w.ExpireAttempts(ctx); err != nil || n != 0 {
			t.Fatalf("%d expired at once, %v", n, err)
		}
		w.clock.Add(10*time.Minute + time.Second)
		if n, err := w.ExpireAttempts(ctx); err != nil || n != 1 {
			t.Fatalf("%d expired, %v", n, err)
		}
		if n, err := w.ExpireAttempts(ctx); err != nil || n != 0 {
			t.Fatalf("%d expired again, %v", n, err)
		}
		if late, err := w.Confirm(ctx, asked.Confirm.State, "browser"); err != nil || late.Done {
			t.Errorf("confirmed too late: %+v %v", late, err)
		}
		w.givenBack()
	})
}

func TestGrantIsGivenBackAfterAnOutage(t *testing.T) {
	w := newSQLite(t)
	w.callback(w.consent(w.tenant, w.admin, "browser", sandbox.BenID))
	a, err := w.db.ConnectAttempts.Latest(ctx, "t_9")
	must(t, err)
	w.sandbox.Fault(sandbox.Fault{Kind: sandbox.ErrorBeforeAccepting})
	var r *eligibility.Refusal
	if err := w.CleanGrant(ctx, "t_9", a.ID); !errors.As(err, &r) || r.Code != "dialpad_unreachable" {
		t.Fatalf("while Dialpad is down: %v", err)
	}
	w.sandbox.ClearFaults()
	w.clock.Add(2 * time.Hour) // the access token expired
	must(t, w.CleanGrant(ctx, "t_9", a.ID))
	if a, err = w.db.ConnectAttempts.Get(ctx, "t_9", a.ID); err != nil || !a.GrantSealed.Empty() {
		t.Errorf("the grant is still kept: %v", err)
	}
	revoked := w.sandbox.Requests()
	if last := revoked[len(revoked)-1]; last.Path != "/oauth2/deauthorize" || last.Status != http.StatusNoContent {
		t.Errorf("last request %+v", last)
	}
}

func TestCompanyBelongsToOneTenant(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		other, session := w.newTenant("t_10", "globex", "Globex", "51", "ana@acme.com")
		if out := w.connect(w.consent(other, session, "browser", sandbox.AnaID)); !out.Done {
			t.Fatalf("first: %+v", out)
		}
		out := w.callback(w.consent(w.tenant, w.admin, "browser", sandbox.AnaID))
		w.stopped(out, "company_taken", "The Dialpad company Acme Inc is connected to another account already.")
		w.forgotten()
		if c, err := w.db.Connections.Get(ctx, "t_10"); err != nil || c.State != models.Connected {
			t.Errorf("the first one's connection: %+v %v", c, err)
		}
	})
}

func TestTwoTenantsConfirmOneCompanyAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		other, session := w.newTenant("t_10", "globex", "Globex", "51", "gil@globex.com")
		w.admin.Email = "boss@acme.com"
		states := []string{
			w.callback(w.consent(w.tenant, w.admin, "b1", sandbox.AnaID)).Confirm.State,
			w.callback(w.consent(other, session, "b2", sandbox.AnaID)).Confirm.State,
		}
		outcomes := make([]connection.Result, 2)
		var group sync.WaitGroup
		for i, browser := range []string{"b1", "b2"} {
			group.Go(func() {
				out, err := w.Confirm(ctx, states[i], browser)
				if err != nil {
					t.Errorf("confirm: %v", err)
				}
				outcomes[i] = out
			})
		}
		group.Wait()
		if outcomes[0].Done == outcomes[1].Done {
			t.Fatalf("outcomes %+v", outcomes)
		}
		for _, o := range outcomes {
			if !o.Done && !strings.Contains(o.Message, "is connected to another account already") {
				t.Errorf("the other one reads %q", o.Message)
			}
		}
	})
}

func TestAnotherCompanyIsConfirmedAndReplacesTheFirst(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.connected()
		_, err := w.db.Accounts.Save(ctx, "t_9", w.clock.Now(), []models.Account{{DialpadID: "1", Emails: []string{"ana@acme.com"}, Number: "+14155550100", State: "active"}})
		must(t, err)
		batch := w.db.ScheduledBatch("t_9", "b1")
		first := w.grant()
		watch := w.sandbox.IssueToken(sandbox.AnaID)
		id := w.sandbox.AddUser(sandbox.User{CompanyID: sandbox.GlobexID, Emails: []string{"ana@acme.com"}, IsSuperAdmin: true})
		out := w.callback(w.consent(w.tenant, w.admin, "browser", id))
		if out.Confirm == nil || out.Confirm.Company != "Globex" || out.Confirm.Replaces != "Acme Inc" {
			t.Fatalf("not asked: %+v", out)
		}
		if done, err := w.Confirm(ctx, out.Confirm.State, "browser"); err != nil || !done.Done {
			t.Fatalf("confirm: %+v %v", done, err)
		}
		if c := w.connection(); c.CompanyID != sandbox.GlobexID || c.Ready {
			t.Errorf("connection %+v", c)
		}
		if _, err := w.db.Accounts.ByEmail(ctx, "t_9", "ana@acme.com"); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("an account of the old company is still there: %v", err)
		}
		if b := batch(); b.State != ledger.BatchHeld || b.HeldReason != connection.OtherCompanyReason {
			t.Errorf("batch is %s: %s", b.State, b.HeldReason)
		}
		w.givenBack()
		if got := w.hooks(watch); got != "" {
			t.Errorf("left over at the old company:\n%s", got)
		}
		if _, err := w.dp.Me(ctx, first.Access); err == nil {
			t.Error("the old grant still works")
		}
		w.finish("t_9")
	})
}

func TestReconnectingTheSameCompanyDoesNotStopTexts(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.connected()
		batch := w.db.ScheduledBatch("t_9", "b1")
		before := w.connection()
		w.clock.Add(time.Second)
		if out := w.connect(w.consent(w.tenant, w.admin, "browser", sandbox.AnaID)); !out.Done {
			t.Fatalf("again: %+v", out)
		}
		c := w.connection()
		if !c.Ready || c.TokenVersion == before.TokenVersion || c.HookPathHash == before.HookPathHash || batch().State != ledger.BatchScheduled {
			t.Errorf("connection %+v, batch %s", c, batch().State)
		}
		w.finish("t_9")
		if got := strings.Count(w.hooks(w.grant().Access), "\n") + 1; got != 3 {
			t.Errorf("%d hooks and subscriptions at Dialpad, want 3:\n%s", got, w.hooks(w.grant().Access))
		}
	})
}

func TestConnectingNeedsPlanAndInstallation(t *testing.T) {
	w := newSQLite(t)
	starter := w.tenant
	starter.Plan = "starter"
	if _, r, err := w.Start(ctx, starter, w.admin); err != nil || r == nil || r.Code != "plan_required" {
		t.Errorf("without the plan: %v %v", r, err)
	}
	must(t, w.db.Installations.Uninstall(ctx, "t_9"))
	if _, r, err := w.Start(ctx, w.tenant, w.admin); err != nil || r == nil || r.Code != "not_installed" {
		t.Errorf("not installed: %v %v", r, err)
	}
}

func TestConnectionReplacedMeanwhileIsNotReady(t *testing.T) {
	w := newSQLite(t)
	w.connect(w.consent(w.tenant, w.admin, "browser", sandbox.AnaID))
	if err := w.MarkReady(ctx, "t_9"); err == nil || w.connection().Ready {
		t.Errorf("ready without directory and subscriptions: %v", err)
	}
}

func TestUnreadableGrantDoesNotStopOthersFromExpiring(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ticket, err := w.db.ConnectAttempts.Create(ctx, w.tenant.ID, "42", "ana@acme.com", time.Minute)
		must(t, err)
		_, err = w.db.ConnectAttempts.UseTicket(ctx, ticket, "s0", "b0", "verifier")
		must(t, err)
		a, _, err := w.db.ConnectAttempts.TakeCallback(ctx, "s0", "b0")
		must(t, err)
		must(t, w.db.ConnectAttempts.AwaitConfirm(ctx, a.ID, "no grant", "s1", time.Minute))
		w.admin.Email = "boss@acme.com"
		w.callback(w.consent(w.tenant, w.admin, "browser", sandbox.AnaID))
		w.clock.Add(11 * time.Minute)
		if n, err := w.ExpireAttempts(ctx); err != nil || n != 2 {
			t.Fatalf("%d expired, %v", n, err)
		}
		w.givenBack()
	})
}
