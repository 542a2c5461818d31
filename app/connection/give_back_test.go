package connection_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dialpad-texting/app/connection"
	"dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/models"
)

var reaches = map[string]sandbox.RevokeReach{"token": sandbox.ReachToken, "user": sandbox.ReachUser, "company": sandbox.ReachCompany}

// notCutOff checks that Dialpad accepts the tenant's token.
func (w *world) notCutOff(tenantID string) {
	w.t.Helper()
	c, err := w.db.Connections.Get(ctx, tenantID)
	must(w.t, err)
	g, err := w.db.Connections.OpenGrant(c)
	must(w.t, err)
	if _, err := w.dp.Me(ctx, g.Access); err != nil || c.State != models.Connected {
		w.t.Errorf("the connection of %s is cut off: %s, %v", tenantID, c.State, err)
	}
}

// finishAttempt runs the job that gives the latest attempt's grant back,
// and checks that no copy of the grant stays.
func (w *world) finishAttempt() {
	w.t.Helper()
	a, err := w.db.ConnectAttempts.Latest(ctx, "t_9")
	must(w.t, err)
	must(w.t, w.CleanGrant(ctx, "t_9", a.ID))
	if a, err = w.db.ConnectAttempts.Get(ctx, "t_9", a.ID); err != nil || !a.GrantSealed.Empty() {
		w.t.Errorf("a copy of the grant stays: %v", err)
	}
}

// Whatever deauthorize reaches, a consent that is refused cuts nobody off.
func TestRefusedConsentCutsNobodyOff(t *testing.T) {
	for reach, r := range reaches {
		for name, c := range map[string]struct {
			user    string
			trouble func(w *world, q *connection.CallbackQuery)
		}{
			"company taken":           {user: sandbox.AnaID},
			"no admin":                {user: sandbox.BenID},
			"cancelled at Dialpad":    {sandbox.AnaID, func(_ *world, q *connection.CallbackQuery) { q.Code, q.Error = "", "access_denied" }},
			"other browser":           {sandbox.AnaID, func(_ *world, q *connection.CallbackQuery) { q.Browser = "another" }},
			"expired":                 {sandbox.AnaID, func(w *world, _ *connection.CallbackQuery) { w.clock.Add(11 * time.Minute) }},
			"user request fails":      {sandbox.AnaID, fault("/api/v2/users", sandbox.ErrorBeforeAccepting)},
			"company request fails":   {sandbox.AnaID, fault("/api/v2/company", sandbox.TooManyRequests)},
			"company request refused": {sandbox.AnaID, fault("/api/v2/company", sandbox.Forbidden)},
			"removed":                 {sandbox.AnaID, func(w *world, _ *connection.CallbackQuery) { must(w.t, w.db.Installations.Uninstall(ctx, "t_9")) }},
			"deactivated":             {sandbox.AnaID, func(w *world, _ *connection.CallbackQuery) { must(w.t, w.db.Users.Deactivate(ctx, "t_9", "42")) }},
		} {
			t.Run(reach+"/"+name, func(t *testing.T) {
				w := newSQLite(t)
				w.sandbox.SetRevokeReach(r)
				other, session := w.newTenant("t_10", "globex", "Globex", "51", "ana@acme.com")
				if out := w.connect(w.consent(other, session, "browser", sandbox.AnaID)); !out.Done {
					t.Fatalf("first: %+v", out)
				}
				q := w.consent(w.tenant, w.admin, "browser", c.user)
				if c.trouble != nil {
					c.trouble(w, &q)
				}
				if out := w.callback(q); out.Done {
					t.Fatalf("connected: %+v", out)
				}
				w.sandbox.ClearFaults()
				w.finishAttempt()
				w.notCutOff("t_10")
				if n := w.requests(http.MethodPost, "/oauth2/deauthorize"); n != 0 {
					t.Errorf("deauthorize was called %d times", n)
				}
			})
		}
	}
}

// A reconnect that is declined, or that nobody confirms, leaves the
// tenant's own connection alone.
func TestUnconfirmedReconnectKeepsTheConnection(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, reach := range reaches {
			w.sandbox.SetRevokeReach(reach)
			w.connected()
			boss := w.admin
			boss.Email = "boss@acme.com"
			out := w.callback(w.consent(w.tenant, boss, "browser", sandbox.AnaID))
			if _, err := w.Decline(ctx, out.Confirm.State, "browser"); err != nil {
				t.Fatal(err)
			}
			w.finishAttempt()
			w.notCutOff("t_9")
			w.callback(w.consent(w.tenant, boss, "browser", sandbox.AnaID))
			w.clock.Add(11 * time.Minute)
			if n, err := w.ExpireAttempts(ctx); err != nil || n != 1 {
				t.Fatalf("%d expired, %v", n, err)
			}
			w.finishAttempt()
			w.notCutOff("t_9")
		}
	})
}

// A grant that waits for its confirmation is as good as a connection.
func TestRefusedConsentKeepsAnotherThatWaits(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.sandbox.SetRevokeReach(sandbox.ReachCompany)
		other, session := w.newTenant("t_10", "globex", "Globex", "51", "gil@globex.com")
		asked := w.callback(w.consent(other, session, "b2", sandbox.AnaID))
		w.callback(w.consent(w.tenant, w.admin, "b1", sandbox.BenID)) // no admin
		w.finishAttempt()
		if out, err := w.Confirm(ctx, asked.Confirm.State, "b2"); err != nil || !out.Done {
			t.Fatalf("%+v, %v", out, err)
		}
		w.notCutOff("t_10")
	})
}

// A grant that was to be given back is only forgotten when its company is
// connected meanwhile.
func TestGrantIsForgottenOnceItsCompanyIsConnected(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.sandbox.SetRevokeReach(sandbox.ReachCompany)
		w.callback(w.consent(w.tenant, w.admin, "browser", sandbox.BenID)) // no admin; the job waits
		a, err := w.db.ConnectAttempts.Latest(ctx, "t_9")
		must(t, err)
		other, session := w.newTenant("t_10", "globex", "Globex", "51", "ana@acme.com")
		w.connect(w.consent(other, session, "browser", sandbox.AnaID))
		must(t, w.CleanGrant(ctx, "t_9", a.ID))
		if a, err = w.db.ConnectAttempts.Get(ctx, "t_9", a.ID); err != nil || !a.GrantSealed.Empty() {
			t.Errorf("a copy of the grant stays: %v", err)
		}
		w.notCutOff("t_10")
	})
}

func TestDisconnectCutsNoOtherCompanyOff(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, reach := range reaches {
			w.sandbox.SetRevokeReach(reach)
			w.connected()
			other, session := w.newTenant("t_10", "globex", "Globex", "51", "gil@globex.com")
			id := w.sandbox.AddUser(sandbox.User{CompanyID: sandbox.GlobexID, Emails: []string{"gil@globex.com"}, IsSuperAdmin: true})
			if out := w.connect(w.consent(other, session, "b2", id)); !out.Done {
				t.Fatalf("%+v", out)
			}
			must(t, w.Disconnect(ctx, "t_9", "42"))
			w.notCutOff("t_10")
			must(t, w.Disconnect(ctx, "t_10", "51"))
		}
	})
}

// deauthorize is called in one place, which has the rule.
func TestOneFileRevokes(t *testing.T) {
	files, err := filepath.Glob("../*/*.go")
	must(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		must(t, err)
		if !strings.HasSuffix(file, "_test.go") && filepath.Base(file) != "give_back.go" && strings.Contains(string(text), "dp.Revoke(") {
			t.Errorf("%s calls deauthorize", file)
		}
	}
}
