package eligibility_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dialpad-texting/app/eligibility"
	"dialpad-texting/models"
	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/seed"
)

var ctx = context.Background()

// world is a Checker over a real database with one connected tenant.
type world struct {
	*eligibility.Checker
	db    *seed.DB
	clock *seed.Clock
}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	t.Helper()
	modeltest.Each(t, seed.Migrate, func(t *testing.T, dsn string) {
		w := &world{clock: seed.NewClock()}
		w.db = seed.Store(t, dsn, w.clock.Now)
		w.db.Tenant("t_9").Connected("c_1")
		w.Checker = newChecker(w.db.Store)
		f(t, w)
	})
}

func newChecker(store *models.Store) *eligibility.Checker {
	return eligibility.New(store, eligibility.Config{Plans: []string{"business", "enterprise"},
		AppPageURL: func(linkname string) string { return "http://" + linkname + ".localhost:8090/app" }})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestCheckNamesTheFirstFactThatForbidsTexting(t *testing.T) {
	checker := newChecker(nil)
	ok := eligibility.Facts{Plan: "business", InstallState: models.Installed, ConnectionState: models.Connected, Ready: true, Linkname: "acme"}
	with := func(change func(*eligibility.Facts)) eligibility.Facts {
		f := ok
		change(&f)
		return f
	}
	for name, c := range map[string]struct {
		facts eligibility.Facts
		code  string
	}{
		"all is well":      {ok, ""},
		"enterprise":       {with(func(f *eligibility.Facts) { f.Plan = "enterprise" }), ""},
		"starter":          {with(func(f *eligibility.Facts) { f.Plan = "starter" }), "plan_required"},
		"no plan":          {with(func(f *eligibility.Facts) { f.Plan = "" }), "plan_required"},
		"plan before all":  {eligibility.Facts{Plan: "starter", Linkname: "acme"}, "plan_required"},
		"never installed":  {with(func(f *eligibility.Facts) { f.InstallState = "" }), "not_installed"},
		"uninstalled":      {with(func(f *eligibility.Facts) { f.InstallState = models.Uninstalled }), "not_installed"},
		"never connected":  {with(func(f *eligibility.Facts) { f.ConnectionState = "" }), "not_connected"},
		"disconnected":     {with(func(f *eligibility.Facts) { f.ConnectionState = models.Disconnected }), "not_connected"},
		"broken":           {with(func(f *eligibility.Facts) { f.ConnectionState = models.Broken }), "not_connected"},
		"not ready":        {with(func(f *eligibility.Facts) { f.Ready = false }), "not_connected"},
		"an unknown state": {with(func(f *eligibility.Facts) { f.ConnectionState = "asleep" }), "not_connected"},
	} {
		t.Run(name, func(t *testing.T) {
			r := checker.Check(c.facts)
			if c.code == "" {
				if r != nil {
					t.Fatalf("refused: %v", r)
				}
				return
			}
			if r == nil || r.Code != c.code || r.Reason == "" {
				t.Fatalf("got %+v, want %s with a reason", r, c.code)
			}
			got, err := json.Marshal(r)
			must(t, err)
			want := `{"code":"` + c.code + `","message":"You need an active DialPad connection to use this feature. Click here to connect.",` +
				`"link":{"text":"Click here","url":"http://acme.localhost:8090/app"}}`
			if diff := cmp.Diff(want, string(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
	if r := checker.Check(eligibility.Facts{}); r.Link != nil {
		t.Errorf("link without a linkname: %+v", r.Link)
	}
}

func TestRefusalErrorHasCodeAndCause(t *testing.T) {
	cause := errors.New("connection refused")
	r := eligibility.Unreachable(cause)
	if r.Error() != "dialpad_unreachable: connection refused" || !errors.Is(r, cause) {
		t.Errorf("error %q", r.Error())
	}
	if r.Message != "Dialpad is not answering. Try again in a few minutes." || r.Link != nil {
		t.Errorf("refusal %+v", r)
	}
}

func TestCheckUserNeedsAnActiveAccountWithANumber(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, err := w.db.Accounts.Save(ctx, "t_9", w.clock.Now(), []models.Account{
			{DialpadID: "1", Emails: []string{"ANA@Acme.com", "ana.ruiz@acme.com"}, Number: "+14155550100", State: "active"},
			{DialpadID: "2", Emails: []string{"dan@acme.com"}, State: "active"},
			{DialpadID: "3", Emails: []string{"eve@acme.com"}, Number: "+14155550104", State: "suspended"},
			{DialpadID: "4", Emails: []string{"two@acme.com"}, Number: "+14155550105", State: "deleted"},
			{DialpadID: "5", Emails: []string{"two@acme.com"}, Number: "+14155550106", State: "active"},
			{DialpadID: "6", Emails: []string{"pia@acme.com"}, Number: "+14155550107", State: "pending"},
			{DialpadID: "7", Emails: []string{"max@acme.com"}, Number: "+14155550108", State: "on_hold"},
		})
		must(t, err)
		for email, want := range map[string]struct{ id, reason string }{
			"ana@acme.com":       {"1", ""},
			"Ana.Ruiz@ACME.com ": {"1", ""},
			"two@acme.com":       {"5", ""},
			"dan@acme.com":       {"2", "The Dialpad account has no phone number"},
			"eve@acme.com":       {"3", "The Dialpad account is suspended"},
			"pia@acme.com":       {"6", "The Dialpad invitation has not been accepted yet"},
			"max@acme.com":       {"7", "The Dialpad account is not active (on_hold)"},
			"cleo@acme.com":      {"", "No Dialpad account found"},
			"":                   {"", "No Dialpad account found"},
		} {
			a, r, err := w.CheckUser(ctx, "t_9", email)
			must(t, err)
			if a.DialpadID != want.id || (r == nil) != (want.reason == "") {
				t.Errorf("%s: account %q, refusal %v", email, a.DialpadID, r)
			}
			if r != nil && (r.Code != "no_account" || r.Message != "No Dialpad account found" || r.Reason != want.reason) {
				t.Errorf("%s: %+v", email, r)
			}
		}
		must(t, w.db.Connections.Disconnect(ctx, "t_9"))
		if _, r, err := w.CheckUser(ctx, "t_9", "ana@acme.com"); err != nil || r == nil || r.Code != "not_connected" {
			t.Errorf("after the disconnect: %v %v", r, err)
		}
	})
}

func TestCheckTenantGivesTheReasonOfABrokenConnection(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, err := w.db.Connections.MarkBroken(ctx, "t_9", 0, "It broke.")
		must(t, err)
		r, err := w.CheckTenant(ctx, "t_9")
		if err != nil || r == nil || r.Code != "not_connected" || r.Reason != "It broke." {
			t.Errorf("%+v %v", r, err)
		}
	})
}
