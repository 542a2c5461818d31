package sandbox

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const maxRowsShown = 40 // of requests and deliveries

// adminPages is the control panel: users, companies, faults, limits.
type adminPages struct {
	*pageRenderer
	sandbox *Sandbox
}

func (p *adminPages) register(mux *http.ServeMux, form func(http.HandlerFunc) http.Handler) {
	mux.HandleFunc("GET /admin", p.show)
	mux.Handle("POST /admin/users/{id}", form(p.changeUser))
	mux.Handle("POST /admin/companies/{id}", form(p.changeCompany))
	mux.Handle("POST /admin/rate", form(p.changeRateLimitStyle))
	mux.Handle("POST /admin/revoke-reach", form(p.changeRevokeReach))
	mux.Handle("POST /admin/faults", form(p.changeFaults))
	mux.Handle("POST /admin/numbers", form(p.changeNumber))
}

type adminView struct {
	Companies  []companyView
	Faults     []Fault
	Kinds      []FaultKind
	Rate       RateLimitStyle
	Reach      RevokeReach
	Results    []numberResult
	Requests   []Request  // newest first
	Deliveries []Delivery // newest first
	Accepted   int
	Done       string
}

type companyView struct {
	ID, Name, State string
	AppDisabled     bool
	PerMinute, Used int // texts
	Users           []User
	More            int // users that are not shown
	Webhooks        []webhookView
	OptOuts         []string
}

// States are the company states on offer.
func (companyView) States() []string { return []string{"active", "suspended", "cancelled"} }

type webhookView struct {
	URL  string
	Subs []string
}

type numberResult struct{ Number, Result string }

// doneMessages are shown after a form's redirect.
var doneMessages = map[string]string{
	"user": "The user was changed.", "company": "The company was changed.", "rate": "The refusal over the limit was changed.",
	"revoke-reach": "What deauthorize revokes was changed.",
	"fault":        "The fault is on.", "clear": "All faults are off.", "number": "The number was changed.",
	"bad": "Nothing was changed: the form was not valid.",
}

func (p *adminPages) show(w http.ResponseWriter, r *http.Request) {
	view := adminView{
		Faults: p.sandbox.Faults(), Kinds: FaultKinds, Accepted: p.sandbox.Accepted(),
		Done:     doneMessages[r.URL.Query().Get("done")],
		Requests: newestFirst(p.sandbox.Requests()), Deliveries: newestFirst(p.sandbox.Deliveries()),
	}
	st := p.sandbox.state
	st.mu.RLock()
	view.Rate, view.Reach = st.rateLimitStyle, st.revokeReach
	for number, result := range st.deliveryResults {
		view.Results = append(view.Results, numberResult{number, result})
	}
	for _, c := range st.companiesByID() {
		view.Companies = append(view.Companies, newCompanyView(c, st.now()))
	}
	st.mu.RUnlock()
	slices.SortFunc(view.Results, func(a, b numberResult) int { return strings.Compare(a.Number, b.Number) })
	p.render(w, http.StatusOK, "admin.html", "", layout{Title: "Admin", Here: "/admin", Page: view})
}

func newCompanyView(c *company, now time.Time) companyView {
	v := companyView{
		ID: c.id, Name: c.name, State: c.state, AppDisabled: c.appDisabled,
		PerMinute: c.textsPerMinute, Used: c.texts.used(now),
	}
	for _, u := range c.users[:min(len(c.users), maxUsersShown)] {
		v.Users = append(v.Users, *u)
	}
	v.More = len(c.users) - len(v.Users)
	for _, h := range c.webhooks {
		hook := webhookView{URL: h.url}
		for kind, subs := range c.subscriptions {
			for _, sub := range subs {
				if sub.webhook == h {
					hook.Subs = append(hook.Subs, string(kind))
				}
			}
		}
		slices.Sort(hook.Subs)
		v.Webhooks = append(v.Webhooks, hook)
	}
	for _, o := range c.optOuts {
		if o.out {
			v.OptOuts = append(v.OptOuts, o.number)
		}
	}
	return v
}

// newestFirst reverses all but the newest maxRowsShown in place.
func newestFirst[T any](all []T) []T {
	all = all[max(0, len(all)-maxRowsShown):]
	slices.Reverse(all)
	return all
}

// redirectToAdmin shows the message done, or "bad" where nothing was
// changed.
func redirectToAdmin(w http.ResponseWriter, r *http.Request, changed bool, done, section string) {
	if !changed {
		done = "bad"
	}
	http.Redirect(w, r, "/admin?done="+done+"#"+section, http.StatusSeeOther)
}

func (p *adminPages) changeUser(w http.ResponseWriter, r *http.Request) {
	id, changed := r.PathValue("id"), false
	switch r.PostFormValue("do") {
	case "suspend":
		changed = p.sandbox.SuspendUser(id)
	case "delete":
		changed = p.sandbox.DeleteUser(id)
	case "restore":
		changed = p.sandbox.RestoreUser(id)
	case "remove-number":
		changed = p.sandbox.RemoveNumber(id)
	}
	redirectToAdmin(w, r, changed, "user", "u"+id)
}

func (p *adminPages) changeCompany(w http.ResponseWriter, r *http.Request) {
	id, changed := r.PathValue("id"), false
	switch r.PostFormValue("do") {
	case "disable":
		changed = p.sandbox.DisableApp(id)
	case "enable":
		changed = p.sandbox.EnableApp(id)
	case "revoke":
		changed = p.sandbox.RevokeTokens(id)
	case "save":
		n, err := strconv.Atoi(r.PostFormValue("tier"))
		changed = err == nil && n >= 0 && p.sandbox.SetTextsPerMinute(id, n) &&
			p.sandbox.SetCompanyState(id, cmp.Or(r.PostFormValue("state"), "active"))
	}
	redirectToAdmin(w, r, changed, "company", "c"+id)
}

func (p *adminPages) changeRateLimitStyle(w http.ResponseWriter, r *http.Request) {
	p.sandbox.SetRateLimitStyle(RateLimitStyle{
		Forbidden: r.PostFormValue("status") == "403", RetryAfter: r.PostFormValue("retry_after") == "on",
	})
	redirectToAdmin(w, r, true, "rate", "faults")
}

func (p *adminPages) changeRevokeReach(w http.ResponseWriter, r *http.Request) {
	reach := RevokeReach(r.PostFormValue("reach"))
	known := slices.Contains([]RevokeReach{ReachToken, ReachUser, ReachCompany}, reach)
	if known {
		p.sandbox.SetRevokeReach(reach)
	}
	redirectToAdmin(w, r, known, "revoke-reach", "faults")
}

func (p *adminPages) changeFaults(w http.ResponseWriter, r *http.Request) {
	if r.PostFormValue("do") == "clear" {
		p.sandbox.ClearFaults()
		redirectToAdmin(w, r, true, "clear", "faults")
		return
	}
	number := func(name string) int {
		n, err := strconv.Atoi(r.PostFormValue(name))
		if err != nil {
			return 0
		}
		return max(0, n)
	}
	f := Fault{
		Kind: FaultKind(r.PostFormValue("kind")), Path: r.PostFormValue("path"), Times: number("times"), Every: number("every"),
		Delay: time.Duration(number("delay")) * time.Millisecond, RetryAfter: time.Duration(number("retry_after")) * time.Second,
	}
	known := slices.Contains(FaultKinds, f.Kind)
	if known {
		p.sandbox.Fault(f)
	}
	redirectToAdmin(w, r, known, "fault", "faults")
}

func (p *adminPages) changeNumber(w http.ResponseWriter, r *http.Request) {
	number := r.PostFormValue("number")
	if isE164(number) {
		p.sandbox.SetDeliveryResult(number, r.PostFormValue("result"))
	}
	redirectToAdmin(w, r, isE164(number), "number", "numbers")
}
