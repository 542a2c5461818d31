package handlers_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dialpad-texting/models"
)

func TestAPlanWithoutDialpadInstallsNothing(t *testing.T) {
	w := newWorld(t)
	page := w.page("globex", "51")
	r := w.call("POST", "/apps/dialpad/install", page, nil).want(402, "plan_required")
	if diff := cmp.Diff([]any{"business", "enterprise"}, r.at("error", "details", "plans")); diff != "" {
		t.Error(diff)
	}
	if _, err := w.db.Installations.Get(t.Context(), "t_10"); err == nil {
		t.Error("it was installed")
	}
	status := w.call("GET", "/apps/dialpad/status", page, nil).want(200, "")
	if status.at("plan_ok") != false || status.text("state", "message") != "You need an active DialPad connection to use this feature. Click here to connect." {
		t.Errorf("status %s", status.body)
	}
}

func TestOnlyAdminsChangeTheApp(t *testing.T) {
	w := newWorld(t)
	user := w.page("acme", "43")
	for address, body := range map[string]any{
		"POST /apps/dialpad/install": nil, "POST /apps/dialpad/connect": nil, "POST /apps/dialpad/disconnect": nil,
		"POST /apps/dialpad/remove": nil, "PUT /apps/dialpad/settings": `{"x":1}`, "GET /apps/dialpad/people": nil, "GET /apps/dialpad/opt-outs": nil,
	} {
		method, path := split(address)
		w.call(method, path, user, body).want(403, "admin_required")
	}
	w.call("GET", "/apps/dialpad/status", user, nil).want(200, "")
	if _, err := w.db.Installations.Get(t.Context(), "t_9"); err == nil {
		t.Error("a user installed it")
	}
}

func TestInvalidSettingsAreRefused(t *testing.T) {
	w := newWorld(t)
	page := w.page("acme", "42")
	put := func(body any) response { return w.call("PUT", "/apps/dialpad/settings", page, body) }
	whole := map[string]any{"country": "CA", "rate_per_minute": 800, "reserve": 20, "quiet_hours": map[string]any{"from": "20:00", "to": "08:00"}, "keep_laws": false, "opt_out_line": "Reply STOP to opt out.", "confirm_over": 200}
	r := put(whole).want(200, "")
	if diff := cmp.Diff(map[string]any{"country": "CA", "rate_per_minute": 800., "reserve": 20.,
		"quiet_hours": map[string]any{"from": "20:00", "to": "08:00"}, "keep_laws": false, "opt_out_line": "Reply STOP to opt out.", "confirm_over": 200.}, r.at("settings")); diff != "" {
		t.Error(diff)
	}
	r = put(map[string]any{"quiet_hours": nil}).want(200, "") // the rest stays
	if r.at("settings", "quiet_hours") != nil || r.text("settings", "country") != "CA" {
		t.Errorf("settings %s", r.body)
	}
	r = put(map[string]any{"rate_per_minute": 0}).want(422, "invalid_settings")
	if r.text("error", "details", "fields", "rate_per_minute") == "" {
		t.Errorf("no word on the field: %s", r.body)
	}
	put(map[string]any{"country": "Nowhere"}).want(422, "invalid_settings")
	put(map[string]any{"reserve": 800}).want(422, "invalid_settings")
	put(map[string]any{"rate_per_minute": "many"}).want(400, "bad_request")
	put(map[string]any{"quiet_hours": map[string]any{"from": "20:00", "to": "08:00", "days": "all"}}).want(400, "bad_request")
	tenant, err := w.db.Store.Tenants.Get(t.Context(), "t_9")
	w.must(err)
	if tenant.RatePerMinute != 800 || tenant.Reserve != 20 {
		t.Errorf("a refused setting was stored: %+v", tenant)
	}
}

func TestLawsNameTheirSources(t *testing.T) {
	w := newWorld(t)
	w.call("GET", "/apps/dialpad/laws", "", nil).want(401, "")
	laws, _ := w.call("GET", "/apps/dialpad/laws", w.page("acme", "43"), nil).want(200, "").at("laws").([]any)
	if len(laws) < 13 {
		t.Fatalf("%d laws", len(laws))
	}
	for _, l := range laws {
		law, _ := l.(map[string]any)
		if law["name"] == "" || law["source"] == "" || law["weekdays"] == "" {
			t.Errorf("%+v", law)
		}
	}
}

func TestPeopleAreMatchedByEmail(t *testing.T) {
	w := newWorld(t).connected()
	_, err := w.deps.Accounts.SyncUsers(t.Context(), "t_9")
	w.must(err)
	r := w.call("GET", "/apps/dialpad/people", w.page("acme", "42"), nil).want(200, "")
	got := map[string]any{}
	for _, p := range r.at("people").([]any) {
		person := p.(map[string]any)
		got[person["name"].(string)] = person["reason"]
	}
	want := map[string]any{"Ana Ruiz": nil, "Ben Okoro": nil, "Cleo Park": "No Dialpad account found", "Dan Weiss": "The Dialpad account has no phone number"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	r = w.call("GET", "/apps/dialpad/people?q=ben", w.page("acme", "42"), nil).want(200, "")
	if people := r.at("people").([]any); len(people) != 1 {
		t.Errorf("found %s", r.body)
	}
}

func TestDisconnectAndRemoveCleanUpAtDialpad(t *testing.T) {
	w := newWorld(t).connected()
	page := w.page("acme", "42")
	w.call("POST", "/apps/dialpad/disconnect", page, nil).want(204, "")
	gone := 0
	for _, r := range w.dialpad.Requests() {
		if r.Method == http.MethodDelete && r.Status < 300 {
			gone++
		}
	}
	c, err := w.db.Connections.Get(t.Context(), "t_9")
	w.must(err)
	if c.State != models.Disconnected || gone != 3 {
		t.Errorf("state %s, %d deleted at Dialpad", c.State, gone)
	}
	w.call("POST", "/apps/dialpad/disconnect", page, nil).want(204, "")
	w.call("POST", "/apps/dialpad/remove", page, nil).want(204, "")
	status := w.call("GET", "/apps/dialpad/status", page, nil).want(200, "")
	if status.at("installed") != false || status.at("connection") != nil {
		t.Errorf("status %s", status.body)
	}
}
