package market_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dialpad-texting/app/market"
	"dialpad-texting/models"
)

func TestTheOneAnswer(t *testing.T) {
	w := newSQLite(t)
	ok := market.Facts{Plan: "business", InstallState: models.Installed, ConnectionState: models.Connected, Ready: true, Linkname: "acme"}
	with := func(change func(*market.Facts)) market.Facts {
		f := ok
		change(&f)
		return f
	}
	for name, c := range map[string]struct {
		facts market.Facts
		code  string
	}{
		"all is well":         {ok, ""},
		"enterprise":          {with(func(f *market.Facts) { f.Plan = "enterprise" }), ""},
		"starter":             {with(func(f *market.Facts) { f.Plan = "starter" }), "plan_required"},
		"no plan":             {with(func(f *market.Facts) { f.Plan = "" }), "plan_required"},
		"plan before all":     {market.Facts{Plan: "starter", Linkname: "acme"}, "plan_required"},
		"never installed":     {with(func(f *market.Facts) { f.InstallState = "" }), "not_installed"},
		"uninstalled":         {with(func(f *market.Facts) { f.InstallState = models.Uninstalled }), "not_installed"},
		"never connected":     {with(func(f *market.Facts) { f.ConnectionState = "" }), "not_connected"},
		"disconnected":        {with(func(f *market.Facts) { f.ConnectionState = models.Disconnected }), "not_connected"},
		"broken":              {with(func(f *market.Facts) { f.ConnectionState = models.Broken }), "not_connected"},
		"not ready":           {with(func(f *market.Facts) { f.Ready = false }), "not_connected"},
		"a state of tomorrow": {with(func(f *market.Facts) { f.ConnectionState = "asleep" }), "not_connected"},
	} {
		t.Run(name, func(t *testing.T) {
			r := w.Judge(c.facts)
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
	if r := w.Judge(market.Facts{}); r.Link != nil {
		t.Errorf("a link to nobody's page: %+v", r.Link)
	}
}

func TestARefusalsErrorIsForTheOperator(t *testing.T) {
	cause := errors.New("connection refused")
	r := market.Unreachable(cause)
	if r.Error() != "dialpad_unreachable: connection refused" || !errors.Is(r, cause) {
		t.Errorf("error %q", r.Error())
	}
	if r.Message != "Dialpad is not answering. Try again in a few minutes." || r.Link != nil {
		t.Errorf("refusal %+v", r)
	}
}

func TestWhoMayText(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.connected()
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
			a, r, err := w.UserMay(ctx, "t_9", email)
			must(t, err)
			if a.DialpadID != want.id || (r == nil) != (want.reason == "") {
				t.Errorf("%s: account %q, refusal %v", email, a.DialpadID, r)
			}
			if r != nil && (r.Code != "no_account" || r.Message != "No Dialpad account found" || r.Reason != want.reason) {
				t.Errorf("%s: %+v", email, r)
			}
		}
		must(t, w.Disconnect(ctx, "t_9", "42"))
		if _, r, err := w.UserMay(ctx, "t_9", "ana@acme.com"); err != nil || r == nil || r.Code != "not_connected" {
			t.Errorf("after the disconnect: %v %v", r, err)
		}
	})
}

func TestABrokenConnectionsOwnSentenceReachesTheAdmin(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.connected()
		must(t, w.Broken(ctx, "t_9", 0, "It broke."))
		r, err := w.TenantMay(ctx, "t_9")
		if err != nil || r == nil || r.Code != "not_connected" || r.Reason != "It broke." {
			t.Errorf("%+v %v", r, err)
		}
	})
}
