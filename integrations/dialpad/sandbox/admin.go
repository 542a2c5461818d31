package sandbox

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// sortedCompanies is by id. The caller holds the lock.
func (s *Sandbox) sortedCompanies() []*company {
	var out []*company
	for _, c := range s.companies {
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b *company) int { return strings.Compare(a.id, b.id) })
	return out
}

type adminPage struct {
	Companies  []adminCompany
	Faults     []Fault
	Kinds      []FaultKind
	Rate       RateStyle
	Results    []numberResult
	Requests   []Request  // newest first
	Deliveries []Delivery // newest first
	Accepted   int
	Done       string
}

type adminCompany struct {
	ID, Name, State string
	AppDisabled     bool
	PerMinute, Used int
	Users           []User
	More            int // users that are not shown
	Webhooks        []adminHook
	OptOuts         []string
}

// States is what the account may be set to.
func (adminCompany) States() []string { return []string{"active", "suspended", "cancelled"} }

type adminHook struct {
	URL  string
	Subs []string
}

type numberResult struct{ Number, Result string }

const (
	usersShown  = 50
	eventsShown = 40
)

// doneWords answer a form; the page is loaded anew after each.
var doneWords = map[string]string{
	"user": "The user was changed.", "company": "The company was changed.", "rate": "The way to refuse was changed.",
	"fault": "The fault is on.", "clear": "All faults are off.", "number": "The number was changed.",
	"bad": "Nothing was changed: the form made no sense.",
}

func (s *Sandbox) adminPage(w http.ResponseWriter, r *http.Request) {
	page := adminPage{
		Faults: s.Faults(), Kinds: FaultKinds, Accepted: s.Accepted(), Done: doneWords[r.URL.Query().Get("done")],
		Requests: newest(s.Requests(), eventsShown), Deliveries: newest(s.Deliveries(), eventsShown),
	}
	s.mu.RLock()
	page.Rate = s.rateStyle
	for number, result := range s.outcomes {
		page.Results = append(page.Results, numberResult{number, result})
	}
	for _, c := range s.sortedCompanies() {
		page.Companies = append(page.Companies, s.adminCompanyView(c))
	}
	s.mu.RUnlock()
	slices.SortFunc(page.Results, func(a, b numberResult) int { return strings.Compare(a.Number, b.Number) })
	s.render(w, http.StatusOK, "admin.html", "", frame{Title: "Admin", Here: "/admin", Page: page})
}

func (s *Sandbox) adminCompanyView(c *company) adminCompany {
	v := adminCompany{ID: c.id, Name: c.name, State: c.state, AppDisabled: c.appDisabled, PerMinute: c.perMinute, Used: c.texts.used(s.now())}
	for _, u := range c.users[:min(len(c.users), usersShown)] {
		v.Users = append(v.Users, *u)
	}
	v.More = len(c.users) - len(v.Users)
	for _, h := range c.webhooks {
		hook := adminHook{URL: h.url}
		for kind, subs := range c.subs {
			for _, sub := range subs {
				if sub.hook == h {
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

func newest[T any](all []T, n int) []T {
	all = all[max(0, len(all)-n):]
	slices.Reverse(all)
	return all
}

func backToAdmin(w http.ResponseWriter, r *http.Request, done bool, word, section string) {
	if !done {
		word = "bad"
	}
	http.Redirect(w, r, "/admin?done="+word+"#"+section, http.StatusSeeOther)
}

func (s *Sandbox) adminUser(w http.ResponseWriter, r *http.Request) {
	id, done := r.PathValue("id"), false
	switch r.PostFormValue("do") {
	case "suspend":
		done = s.SuspendUser(id)
	case "delete":
		done = s.DeleteUser(id)
	case "restore":
		done = s.RestoreUser(id)
	case "remove-number":
		done = s.RemoveNumber(id)
	}
	backToAdmin(w, r, done, "user", "u"+id)
}

func (s *Sandbox) adminCompany(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	done := false
	switch r.PostFormValue("do") {
	case "disable":
		done = s.DisableApp(id)
	case "enable":
		done = s.EnableApp(id)
	case "revoke":
		done = s.RevokeTokens(id)
	case "save":
		n, err := strconv.Atoi(r.PostFormValue("tier"))
		done = err == nil && n >= 0 && s.SetTextsPerMinute(id, n) && s.SetCompanyState(id, cmp.Or(r.PostFormValue("state"), "active"))
	}
	backToAdmin(w, r, done, "company", "c"+id)
}

func (s *Sandbox) adminRate(w http.ResponseWriter, r *http.Request) {
	s.SetRateStyle(RateStyle{Forbidden: r.PostFormValue("status") == "403", RetryAfter: r.PostFormValue("retry_after") == "on"})
	backToAdmin(w, r, true, "rate", "faults")
}

func (s *Sandbox) adminFault(w http.ResponseWriter, r *http.Request) {
	if r.PostFormValue("do") == "clear" {
		s.ClearFaults()
		backToAdmin(w, r, true, "clear", "faults")
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
		s.Fault(f)
	}
	backToAdmin(w, r, known, "fault", "faults")
}

func (s *Sandbox) adminNumber(w http.ResponseWriter, r *http.Request) {
	number := r.PostFormValue("number")
	if isE164(number) {
		s.SetDeliveryResult(number, r.PostFormValue("result"))
	}
	backToAdmin(w, r, isE164(number), "number", "numbers")
}
