package accounts_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dialpad-texting/app/accounts"
	"dialpad-texting/app/market"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/models"
	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/seed"
)

var ctx = context.Background()

// world has a real database and a real Dialpad sandbox over HTTP, with Acme connected as Ana; the clock stands still.
type world struct {
	*accounts.Accounts
	t       *testing.T
	db      *seed.DB
	clock   *seed.Clock
	sandbox *sandbox.Sandbox
	dp      *dialpad.Client
	crm     *crmUsers

	mu     sync.Mutex
	before func(r *http.Request)
}

// crmUsers answers users.list with pages of its own making.
type crmUsers struct {
	pages map[string]crm.UserPage
	asked []crm.Tenant
}

func (c *crmUsers) Users(_ context.Context, t crm.Tenant, cursor string) (crm.UserPage, error) {
	c.asked = append(c.asked, t)
	page, ok := c.pages[cursor]
	if !ok {
		return page, fmt.Errorf("no page %q", cursor)
	}
	return page, nil
}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	t.Helper()
	modeltest.Each(t, seed.Migrate, func(t *testing.T, dsn string) { f(t, newWorld(t, dsn)) })
}

func newWorld(t *testing.T, dsn string) *world {
	w := &world{t: t, clock: seed.NewClock(), crm: &crmUsers{pages: map[string]crm.UserPage{}}}
	w.sandbox = sandbox.New(sandbox.Options{Now: w.clock.Now, RequestsPerSecond: -1})
	w.sandbox.SeedDemo()
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		before := w.before
		w.mu.Unlock()
		if before != nil {
			before(r)
		}
		w.sandbox.ServeHTTP(rw, r)
	}))
	t.Cleanup(func() { server.Close(); w.sandbox.Close() })
	w.dp = dialpad.New(dialpad.Config{BaseURL: server.URL, Now: w.clock.Now})
	w.db = seed.Store(t, dsn, w.clock.Now)
	w.db.Tenant("t_9")
	_, err := w.db.Installations.Install(ctx, "t_9", "42")
	must(t, err)
	w.connect(sandbox.AcmeID, sandbox.AnaID)
	m := market.New(w.db.Store, w.dp, market.Config{Plans: []string{"business"}, Now: w.clock.Now})
	w.Accounts = accounts.New(w.db.Store, w.dp, m, w.crm, nil, nil)
	return w
}

func (w *world) connect(company, user string) {
	w.t.Helper()
	_, err := w.db.Connections.Save(ctx, models.NewConnection{TenantID: "t_9", CompanyID: company, CompanyName: "Acme Inc", DialpadUserID: user,
		ConnectedBy: "ana@acme.com", Grant: models.Grant{Access: w.sandbox.IssueToken(user, "change_log")}})
	must(w.t, err)
}

func (w *world) on(f func(r *http.Request)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.before = f
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) sync() accounts.Counts {
	w.t.Helper()
	c, err := w.SyncDirectory(ctx, "t_9")
	must(w.t, err)
	return c
}

func (w *world) account(id string) models.Account {
	w.t.Helper()
	a, err := w.db.Accounts.Get(ctx, "t_9", id)
	must(w.t, err)
	return a
}

func (w *world) requests(path string) int {
	n := 0
	for _, r := range w.sandbox.Requests() {
		if strings.HasPrefix(r.Path, path) {
			n++
		}
	}
	return n
}

func (w *world) changes() []map[string]string {
	w.t.Helper()
	all, err := w.db.Audits.List(ctx, "t_9", 100)
	must(w.t, err)
	var out []map[string]string
	for _, a := range all {
		if a.Action == "account.changed" {
			out = append(out, a.Detail)
		}
	}
	return out
}

func TestTheWholeDirectoryIsRead(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ids := w.sandbox.SeedUsers(sandbox.AcmeID, 250)
		if got := w.sync(); got != (accounts.Counts{Read: 254}) {
			t.Errorf("counts %+v", got)
		}
		if n := w.requests("/api/v2/users"); n != 3 {
			t.Errorf("%d requests for 254 users", n)
		}
		if a := w.account(ids[249]); a.State != models.AccountActive || a.Number == "" || a.Email != "user249@seed.example" {
			t.Errorf("the last one: %+v", a)
		}
		if eve := w.account(sandbox.EveID); eve.State != models.AccountSuspended {
			t.Errorf("suspended ones: %+v", eve)
		}
		if dan := w.account(sandbox.DanID); dan.Number != "" || dan.State != models.AccountActive {
			t.Errorf("ones without a number: %+v", dan)
		}
		if n, err := w.db.Accounts.CountTexting(ctx, "t_9"); err != nil || n != 252 {
			t.Errorf("%d may text, %v", n, err)
		}
		if c, err := w.db.Connections.Get(ctx, "t_9"); err != nil || c.DirectoryAt == nil {
			t.Errorf("not noted: %v", err)
		}
		if _, err := w.db.Accounts.Get(ctx, "t_9", sandbox.GilID); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("another company's user: %v", err)
		}
	})
}

func TestEMailsMatchInAnyCaseAndAnyPlace(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		id := w.sandbox.AddUser(sandbox.User{CompanyID: sandbox.AcmeID, Emails: []string{"f.lee@acme.com", "Fay.Lee@ACME.com"}, Numbers: []string{"+14155550109"}})
		w.sync()
		for _, email := range []string{"fay.lee@acme.com", "F.LEE@acme.com", " Fay.Lee@Acme.com "} {
			if a, err := w.db.Accounts.ByEmail(ctx, "t_9", email); err != nil || a.DialpadID != id {
				t.Errorf("%q: %+v %v", email, a, err)
			}
		}
	})
}

func TestChangesAreFoundAndToldWithoutEMailOrNumber(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.sync()
		w.sandbox.SuspendUser(sandbox.BenID)
		w.sandbox.SetNumber(sandbox.DanID, "+14155550109")
		w.clock.Add(time.Hour)
		if got := w.sync(); got.Changed != 2 {
			t.Errorf("counts %+v", got)
		}
		want := map[string]map[string]string{
			sandbox.BenID: {"dialpad_id": sandbox.BenID, "state_before": "active", "state": "suspended"},
			sandbox.DanID: {"dialpad_id": sandbox.DanID, "number": "added"},
		}
		got := map[string]map[string]string{}
		for _, c := range w.changes() {
			got[c["dialpad_id"]] = c
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		w.clock.Add(time.Hour)
		if again := w.sync(); again.Changed != 0 || len(w.changes()) != 2 {
			t.Errorf("again: %+v", again)
		}
	})
}

func TestDeletedUsersKeepTheirEMailSoThatPeopleCanBeToldWhy(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		gone := models.Account{DialpadID: "5835806903417999", Name: "Zoe", Emails: []string{"zoe@acme.com"}, Number: "+14155550108", State: "active"}
		_, err := w.db.Accounts.Save(ctx, "t_9", w.clock.Now(), []models.Account{gone})
		must(t, err)
		w.clock.Add(time.Minute)
		w.sync()
		w.sandbox.DeleteUser(sandbox.BenID)
		w.clock.Add(time.Hour)
		w.sync()
		for id, email := range map[string]string{sandbox.BenID: "ben@acme.com", gone.DialpadID: "zoe@acme.com"} {
			a, err := w.db.Accounts.ByEmail(ctx, "t_9", email)
			if err != nil || a.DialpadID != id || a.CanText() || a.State != models.AccountDeleted || a.Number != "" {
				t.Errorf("%s: %+v %v", email, a, err)
			}
		}
		before := w.requests("/api/v2/users/" + gone.DialpadID)
		w.clock.Add(time.Hour)
		w.sync()
		if n := w.requests("/api/v2/users/" + gone.DialpadID); before != 1 || n != 1 {
			t.Errorf("the one that is gone was asked for %d times, then %d", before, n)
		}
	})
}

func TestADirectoryOfTheCompanyBeforeIsNotStored(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.on(func(r *http.Request) {
			if r.URL.Path == "/api/v2/users" {
				w.on(nil)
				w.clock.Add(time.Second)
				w.connect(sandbox.GlobexID, sandbox.GilID)
			}
		})
		if _, err := w.SyncDirectory(ctx, "t_9"); !errors.Is(err, models.ErrLost) {
			t.Errorf("got %v", err)
		}
		if _, err := w.db.Accounts.Get(ctx, "t_9", sandbox.AnaID); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("Acme's people are Globex's now: %v", err)
		}
		if c, err := w.db.Connections.Get(ctx, "t_9"); err != nil || c.DirectoryAt != nil {
			t.Errorf("the new connection's directory counts as read: %v", err)
		}
	})
}

func TestStaleAccountsAreReadAgain(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.sync()
		w.sandbox.SuspendUser(sandbox.BenID)
		w.clock.Add(time.Second)
		must(t, w.db.Accounts.MarkStale(ctx, "t_9", []string{sandbox.BenID, sandbox.AnaID, "77"}))
		if !w.account(sandbox.BenID).Stale {
			t.Fatal("not stale")
		}
		w.clock.Add(time.Second)
		got, err := w.ReadStale(ctx, "t_9")
		if err != nil || got != (accounts.Counts{Read: 2, Changed: 1}) {
			t.Errorf("counts %+v, %v", got, err)
		}
		if ben := w.account(sandbox.BenID); ben.Stale || ben.State != models.AccountSuspended {
			t.Errorf("account %+v", ben)
		}
		if got, err := w.ReadStale(ctx, "t_9"); err != nil || got.Read != 0 {
			t.Errorf("again: %+v %v", got, err)
		}
	})
}

func TestAnEventThatComesWhileAUserIsReadIsNotForgotten(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.sync()
		must(t, w.db.Accounts.MarkStale(ctx, "t_9", []string{sandbox.BenID}))
		w.on(func(*http.Request) {
			w.on(nil)
			w.clock.Add(time.Second)
			must(t, w.db.Accounts.MarkStale(ctx, "t_9", []string{sandbox.BenID}))
		})
		_, err := w.ReadStale(ctx, "t_9")
		must(t, err)
		if !w.account(sandbox.BenID).Stale {
			t.Error("an answer from before the event made the account fresh")
		}
		w.clock.Add(time.Second)
		_, err = w.ReadStale(ctx, "t_9")
		must(t, err)
		if w.account(sandbox.BenID).Stale {
			t.Error("an answer from after the event did not")
		}
	})
}

func TestAnAccountIsFreshBeforeASend(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.sync()
		asked := func() int { return w.requests("/api/v2/users/" + sandbox.BenID) }
		fresh := func() models.Account {
			t.Helper()
			a, err := w.Fresh(ctx, "t_9", sandbox.BenID, 10*time.Minute)
			must(t, err)
			return a
		}
		w.clock.Add(10 * time.Minute)
		if a := fresh(); !a.CanText() || asked() != 0 {
			t.Errorf("ten minutes old: asked %d times", asked())
		}
		w.sandbox.SuspendUser(sandbox.BenID)
		w.clock.Add(time.Second)
		if a := fresh(); a.CanText() || a.State != models.AccountSuspended || asked() != 1 {
			t.Errorf("older: %+v, asked %d times", a, asked())
		}
		fresh()
		if asked() != 1 {
			t.Errorf("asked again: %d", asked())
		}
		w.sandbox.RestoreUser(sandbox.BenID)
		must(t, w.db.Accounts.MarkStale(ctx, "t_9", []string{sandbox.BenID}))
		w.clock.Add(time.Second)
		if a := fresh(); !a.CanText() || asked() != 2 {
			t.Errorf("stale: %+v, asked %d times", a, asked())
		}
		if _, err := w.Fresh(ctx, "t_9", "77", time.Minute); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("nobody's account: %v", err)
		}
	})
}

func TestManySendsOfOneSenderAskOnce(t *testing.T) {
	w := newWorld(t, modeltest.SQLite(t, seed.Migrate))
	w.sync()
	w.clock.Add(time.Hour)
	arrived, answer := make(chan struct{}), make(chan struct{})
	w.on(func(*http.Request) { w.on(nil); close(arrived); <-answer })
	ask := func(ctx context.Context) error { _, err := w.Fresh(ctx, "t_9", sandbox.BenID, time.Minute); return err }
	impatient, cancel := context.WithCancel(ctx)
	gaveUp := make(chan error)
	go func() { gaveUp <- ask(impatient) }()
	<-arrived
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() {
			if err := ask(ctx); err != nil {
				t.Errorf("one of the others: %v", err)
			}
		})
	}
	cancel()
	if err := <-gaveUp; !errors.Is(err, context.Canceled) {
		t.Errorf("the impatient one: %v", err)
	}
	close(answer)
	group.Wait()
	if n := w.requests("/api/v2/users/" + sandbox.BenID); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

func TestAnOutageIsSaidToBeOne(t *testing.T) {
	w := newWorld(t, modeltest.SQLite(t, seed.Migrate))
	w.sync()
	rests := w.Restless()
	w.sandbox.Fault(sandbox.Fault{Kind: sandbox.TooManyRequests, Path: "/api/v2/users", Times: 2, RetryAfter: 7 * time.Second})
	w.clock.Add(time.Hour)
	if a, err := w.Fresh(ctx, "t_9", sandbox.BenID, time.Minute); err != nil || !a.CanText() {
		t.Errorf("two refusals for rate: %v", err)
	}
	if diff := cmp.Diff([]time.Duration{7 * time.Second, 7 * time.Second}, rests()); diff != "" {
		t.Error(diff)
	}
	w.sandbox.Fault(sandbox.Fault{Kind: sandbox.ErrorBeforeAccepting, Path: "/api/v2/users"})
	w.clock.Add(time.Hour)
	var r *market.Refusal
	if _, err := w.Fresh(ctx, "t_9", sandbox.BenID, time.Minute); !errors.As(err, &r) || r.Code != "dialpad_unreachable" {
		t.Errorf("Fresh: %v", err)
	}
	if _, err := w.SyncDirectory(ctx, "t_9"); !errors.As(err, &r) || r.Code != "dialpad_unreachable" {
		t.Errorf("SyncDirectory: %v", err)
	}
	if c, err := w.db.Connections.Get(ctx, "t_9"); err != nil || c.State != models.Connected || !w.account(sandbox.BenID).CanText() {
		t.Errorf("an outage changed something: %v", err)
	}
}

func TestARevokedGrantBreaksTheConnection(t *testing.T) {
	w := newWorld(t, modeltest.SQLite(t, seed.Migrate))
	w.sandbox.RevokeTokens(sandbox.AcmeID)
	var r *market.Refusal
	if _, err := w.SyncDirectory(ctx, "t_9"); !errors.As(err, &r) || r.Code != "not_connected" {
		t.Errorf("got %v", err)
	}
	if c, err := w.db.Connections.Get(ctx, "t_9"); err != nil || c.State != models.Broken {
		t.Errorf("connection is %s, %v", c.State, err)
	}
}

func TestCRMUsersAreReadInPagesAndMissingOnesAreInactive(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.crm.pages[""] = crm.UserPage{Users: []crm.Person{{ID: "42", Name: "Ana Ruiz", Email: "Ana@acme.com", Active: true}, {ID: "43", Name: "Ben", Email: "ben@acme.com", Active: true}}, Next: "p2"}
		w.crm.pages["p2"] = crm.UserPage{Users: []crm.Person{{ID: "44", Name: "Cleo Park", Email: "cleo@acme.com"}, {ID: "43", Name: "Ben Okoro", Email: "ben@acme.com", Active: true}, {ID: "43", Name: "Ben Okoro", Email: "ben@acme.com", Active: true}}}
		must(t, w.db.Users.Save(ctx, "t_9", []models.User{{UserID: "42", Email: "ana@acme.com", Name: "Ana", Role: "admin", Active: true}, {UserID: "50", Email: "old@acme.com", Name: "Old", Active: true}}))
		w.clock.Add(time.Second)
		got, err := w.SyncUsers(ctx, "t_9")
		if err != nil || got.Read != 5 || len(w.crm.asked) != 2 || w.crm.asked[0].Linkname == "" || w.crm.asked[0].ID != "t_9" {
			t.Fatalf("counts %+v, %v, asked as %+v", got, err, w.crm.asked)
		}
		for id, active := range map[string]bool{"42": true, "43": true, "44": false, "50": false} {
			if u, err := w.db.Users.Get(ctx, "t_9", id); err != nil || u.Active != active {
				t.Errorf("user %s: %+v %v", id, u, err)
			}
		}
		if u, err := w.db.Users.Get(ctx, "t_9", "42"); err != nil || u.Role != "admin" || u.Email != "ana@acme.com" {
			t.Errorf("Ana: %+v %v", u, err)
		}
		w.crm.pages["p2"] = crm.UserPage{Next: "p3"}
		w.crm.pages["p3"] = crm.UserPage{Next: "p2"}
		if _, err := w.SyncUsers(ctx, "t_9"); err == nil {
			t.Error("pages in a circle end well")
		}
		delete(w.crm.pages, "p2")
		w.clock.Add(time.Second)
		if _, err := w.SyncUsers(ctx, "t_9"); err == nil {
			t.Error("half a list is a list")
		}
		if u, err := w.db.Users.Get(ctx, "t_9", "43"); err != nil || !u.Active {
			t.Errorf("half a list made Ben inactive: %v", err)
		}
	})
}

func TestPeopleAreShownWithWhatKeepsThemFromTexting(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.sync()
		must(t, w.db.Users.Save(ctx, "t_9", []models.User{
			{UserID: "42", Email: "ANA@acme.com", Name: "Ana Ruiz", Active: true}, {UserID: "44", Email: "cleo@acme.com", Name: "Cleo Park", Active: true},
			{UserID: "45", Email: "dan@acme.com", Name: "Dan Weiss", Active: true}, {UserID: "46", Email: "eve@acme.com", Name: "Eve Stone", Active: true},
			{UserID: "47", Email: "fay@acme.com", Name: "Fay", Active: false}}))
		page, err := w.People(ctx, "t_9", "", "")
		must(t, err)
		none, number, suspended := "No Dialpad account found", "The Dialpad account has no phone number", "The Dialpad account is suspended"
		want := accounts.Page{People: []accounts.Person{
			{UserID: "42", Name: "Ana Ruiz", Email: "ana@acme.com", Account: &accounts.PersonAccount{ID: sandbox.AnaID, Email: "ana@acme.com", Number: "+14155550100", Display: "+1 415 555 0100", State: "active"}},
			{UserID: "44", Name: "Cleo Park", Email: "cleo@acme.com", Reason: &none},
			{UserID: "45", Name: "Dan Weiss", Email: "dan@acme.com", Account: &accounts.PersonAccount{ID: sandbox.DanID, Email: "dan@acme.com", State: "active"}, Reason: &number},
			{UserID: "46", Name: "Eve Stone", Email: "eve@acme.com", Account: &accounts.PersonAccount{ID: sandbox.EveID, Email: "eve@acme.com", Number: "+14155550104", Display: "+1 415 555 0104", State: "suspended"}, Reason: &suspended},
		}}
		if diff := cmp.Diff(want, page); diff != "" {
			t.Error(diff)
		}
		if page, err := w.People(ctx, "t_9", "PARK", "not ours"); err != nil || len(page.People) != 1 || page.People[0].UserID != "44" {
			t.Errorf("search: %+v %v", page, err)
		}
	})
}

func TestPeopleComeInPages(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var users []models.User
		for i := range 120 {
			users = append(users, models.User{UserID: fmt.Sprint(1000 + i), Email: fmt.Sprintf("u%d@acme.com", i), Name: fmt.Sprintf("User %03d", i/2), Active: true})
		}
		must(t, w.db.Users.Save(ctx, "t_9", users))
		seen, pages := map[string]bool{}, 0
		for cursor := ""; ; pages++ {
			page, err := w.People(ctx, "t_9", "", cursor)
			must(t, err)
			for _, p := range page.People {
				if seen[p.UserID] {
					t.Fatalf("%s comes twice", p.UserID)
				}
				seen[p.UserID] = true
			}
			if page.Next == nil {
				break
			}
			cursor = *page.Next
		}
		if len(seen) != 120 || pages != 2 {
			t.Errorf("%d people in %d pages", len(seen), pages+1)
		}
	})
}
