package handlers_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/gin-gonic/gin"

	"dialpad-texting/app/access"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
	"dialpad-texting/static"
)

// Values of x-callers in the OpenAPI document: who may call an operation.
const (
	byAnybody  = "anybody"
	byLaunch   = "launch token"
	byCookie   = "page cookie"
	byWindow   = "connect window"
	byRenewal  = "session to renew"
	byPopup    = "popup"
	byPage     = "page"
	byAdmin    = "page of an admin"
	byCRM      = "CRM"
	byDialpad  = "Dialpad"
	byOperator = "operator"
)

// documented is one operation of the OpenAPI document.
type documented struct {
	method, path string
	callers      []string
}

func (o documented) String() string { return o.method + " " + o.path }

func (o documented) allows(caller string) bool { return slices.Contains(o.callers, caller) }

// operations reads the document's operations. One without x-callers fails
// the test: whoever adds an address says who may call it.
func operations(t *testing.T) []documented {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(static.OpenAPI())
	if err != nil {
		t.Fatal(err)
	}
	known := []string{byAnybody, byLaunch, byCookie, byWindow, byRenewal, byPopup, byPage, byAdmin, byCRM, byDialpad, byOperator}
	var all []documented
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			o := documented{method: method, path: path}
			list, _ := operation.Extensions["x-callers"].([]any)
			for _, v := range list {
				if name, _ := v.(string); slices.Contains(known, name) {
					o.callers = append(o.callers, name)
				}
			}
			if len(o.callers) == 0 || len(o.callers) != len(list) {
				t.Errorf("%s has the x-callers %v, known are %v", o, list, known)
			}
			all = append(all, o)
		}
	}
	slices.SortFunc(all, func(a, b documented) int { return strings.Compare(a.String(), b.String()) })
	return all
}

// undocumentedRoutes are those whose path gin writes in another way.
var undocumentedRoutes = map[string]string{"/static/*path": "/static/{build}/{folder}/{file}"}

func TestEveryRouteIsDocumentedAndEveryOperationIsARoute(t *testing.T) {
	w := newWorld(t)
	engine, ok := w.newHandler(w.deps.Config).(*gin.Engine)
	if !ok {
		t.Fatal("the handler is no gin engine")
	}
	var routes []string
	for _, r := range engine.Routes() {
		path, listed := undocumentedRoutes[r.Path]
		if !listed {
			parts := strings.Split(r.Path, "/")
			for i, part := range parts {
				if name, isParameter := strings.CutPrefix(part, ":"); isParameter {
					parts[i] = "{" + name + "}"
				}
			}
			path = strings.Join(parts, "/")
		}
		routes = append(routes, r.Method+" "+path)
	}
	var described []string
	for _, o := range operations(t) {
		described = append(described, o.String())
		if !slices.Contains(routes, o.String()) {
			t.Errorf("%s is described, but no route", o)
		}
	}
	for _, r := range routes {
		if !slices.Contains(described, r) {
			t.Errorf("%s is a route, but not described", r)
		}
	}
}

// caller is somebody who calls every operation. who are the x-callers that
// the caller is one of.
type caller struct {
	name    string
	who     []string
	isAdmin bool
	edit    func(*http.Request)
}

// callers are strangers, people whose access is over, and people with a
// session each.
func (w *world) callers() []caller {
	bob := one("+14155550142")
	idle, gone := w.page("acme", "42"), w.page("acme", "45")
	w.clock.Add(access.Idle + 1)
	w.must(w.db.Users.Deactivate(w.t.Context(), "t_9", "45"))
	launch := w.form("/texts", url.Values{"token": {w.token("acme", "43", crm.UsePage, nil)}})
	bearer := func(token string) func(*http.Request) { return header("Authorization", "Bearer "+token) }
	wrongSignature := func(r *http.Request) {
		for name, value := range parsed(w.t, "whsec_"+keyOther).Sign("id", w.clock.Now(), []byte(`{"no_such_field":1}`)) {
			r.Header[name] = value
		}
	}
	return []caller{
		{name: "nobody", edit: func(*http.Request) {}},
		{name: "a made-up session", edit: bearer(models.NewSecret())},
		{name: "no token at all", edit: bearer("x")},
		{name: "another scheme", edit: header("Authorization", "Basic "+launch.session())},
		{name: "a launch token as session", edit: bearer(w.token("acme", "42", crm.UsePage, nil))},
		{name: "a session that was idle", who: []string{byRenewal}, edit: bearer(idle)},
		{name: "a deactivated user", edit: bearer(gone)},
		{name: "a wrong signature", edit: wrongSignature},
		{name: "the operator", who: []string{byOperator}, edit: bearer("scrape")},
		{name: "a page's cookie", who: []string{byCookie}, edit: cookie(launch.cookie())},
		{name: "a user's page", who: []string{byPage, byRenewal}, edit: bearer(launch.session())},
		{name: "a user's popup", who: []string{byPopup, byRenewal}, edit: bearer(w.popup("acme", "43", bob))},
		{name: "an admin's page", who: []string{byPage, byAdmin, byRenewal}, isAdmin: true, edit: bearer(w.page("acme", "42"))},
		{name: "an admin's popup", who: []string{byPopup, byRenewal}, isAdmin: true, edit: bearer(w.popup("acme", "42", bob))},
	}
}

// attempt calls an operation with a body that nobody accepts: who gets as
// far as to have it refused was let in.
func (w *world) attempt(o documented, by caller) response {
	w.t.Helper()
	path := strings.NewReplacer("{id}", models.NewID(), "{path}", models.NewSecret(), "{build}/{folder}/{file}", "x/css/app.css").Replace(o.path)
	if o.method == http.MethodGet || o.method == http.MethodHead {
		return w.send(o.method, path, nil, by.edit)
	}
	return w.send(o.method, path, strings.NewReader(`{"no_such_field":1}`), header("Content-Type", "application/json"),
		header("Idempotency-Key", "k"), by.edit)
}

// TestEveryOperationRefusesWhomItMust calls each operation as each caller.
func TestEveryOperationRefusesWhomItMust(t *testing.T) {
	w := newWorld(t).connected()
	callers := w.callers()
	for _, o := range operations(t) {
		for _, by := range callers {
			r := w.attempt(o, by)
			let := slices.ContainsFunc(by.who, o.allows)
			switch {
			case r.status >= 500:
				t.Errorf("%s by %s: %d %s", o, by.name, r.status, r.body)
			case o.allows(byAnybody):
				if r.status == http.StatusUnauthorized || r.status == http.StatusForbidden {
					t.Errorf("%s by %s: %d", o, by.name, r.status)
				}
			case o.allows(byWindow): // which is known by its state
				if r.status != http.StatusBadRequest {
					t.Errorf("%s by %s: %d, want 400", o, by.name, r.status)
				}
			case o.allows(byDialpad):
				if r.status != http.StatusNotFound {
					t.Errorf("%s by %s: %d, want 404", o, by.name, r.status)
				}
			case let:
				if r.status == http.StatusUnauthorized && r.code() != "launch_refused" || r.status == http.StatusForbidden {
					t.Errorf("%s by %s: %d %s", o, by.name, r.status, r.body)
				}
			case o.allows(byAdmin) && slices.Contains(by.who, byPage):
				if r.status != http.StatusForbidden || r.code() != "admin_required" {
					t.Errorf("%s by %s: %d %s, want 403", o, by.name, r.status, r.code())
				}
			case r.status != http.StatusUnauthorized:
				t.Errorf("%s by %s: %d %s, want 401", o, by.name, r.status, r.body)
			}
		}
	}
}

// What is another tenant's, or another user's, does not exist.
func TestOthersTextsDoNotExist(t *testing.T) {
	w := newWorld(t).connected()
	created := w.call("POST", "/embed/api/batches", w.popup("acme", "42", one("+14155550142")), map[string]any{"message": "Hi"}, idempotent).want(202, "")
	batch := created.text("batch", "id")
	page := w.page("acme", "42")
	message := w.call("GET", "/embed/api/batches/"+batch+"/messages", page, nil).want(200, "").text("messages", "0", "id")
	w.crm.SetPlan("globex", "business")
	for who, session := range map[string]string{"another tenant's admin": w.page("globex", "51"), "another user": w.page("acme", "43"),
		"another user's popup": w.popup("acme", "43", one("+14155550142"))} {
		for _, o := range operations(t) {
			if !strings.Contains(o.path, "{id}") {
				continue
			}
			id := batch
			if strings.Contains(o.path, "/messages/{id}") {
				id = message
			}
			var body any
			if o.method != http.MethodGet {
				body = bodyOf(o)
			}
			if r := w.call(o.method, strings.Replace(o.path, "{id}", id, 1), session, body, idempotent); r.status != http.StatusNotFound {
				t.Errorf("%s by %s: %d %s", o, who, r.status, r.body)
			}
		}
	}
	if r := w.call("GET", "/embed/api/batches/"+batch, page, nil).want(200, ""); r.text("batch", "state") != created.text("batch", "state") {
		t.Errorf("the batch is %s", r.body)
	}
}

// bodyOf is a body that an operation on a batch or message accepts.
func bodyOf(o documented) map[string]any {
	switch {
	case strings.HasSuffix(o.path, "/resend"):
		return map[string]any{"states": []string{"failed"}}
	case o.method == http.MethodPatch:
		return map[string]any{"message": "Other words"}
	case strings.HasSuffix(o.path, "/duplicate"):
		return map[string]any{"message": "Hi"}
	}
	return map[string]any{}
}

// TestWhatIsNoIDIsNotFound sends ids that no database takes.
func TestWhatIsNoIDIsNotFound(t *testing.T) {
	w := newWorld(t, func(o *setup) { o.postgres, o.unchecked = true, true }).connected()
	page := w.page("acme", "42")
	for _, o := range operations(t) {
		if !strings.Contains(o.path, "{id}") && !strings.Contains(o.path, "{path}") {
			continue
		}
		for _, id := range []string{"%00", "a%00b", "%ff%fe", "%C3%28", strings.Repeat("x", 8000), "x", "-1", "%27%20OR%201=1--", "%2e%2e", "%E2%80%AE", "%F0%9F%98%80",
			strings.ToUpper(models.NewID()), models.NewID()[:35] + "%00", "{" + models.NewID() + "}", "urn:uuid:" + models.NewID()} {
			var body any
			if o.method != http.MethodGet {
				body = bodyOf(o)
			}
			path := strings.NewReplacer("{id}", id, "{path}", id).Replace(o.path)
			if r := w.call(o.method, path, page, body, idempotent); r.status != http.StatusNotFound {
				t.Errorf("%s with %.40q: %d %.200s", o, id, r.status, r.body)
			}
		}
	}
}
