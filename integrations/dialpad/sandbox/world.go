package sandbox

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Ids of the demo's world.
const (
	AcmeID   = "4508591728425653"
	GlobexID = "4508591728425999"
	AnaID    = "5835806903417907" // company admin of Acme
	BenID    = "5835806903417908"
	DanID    = "5835806903417909" // has no number
	EveID    = "5835806903417910" // suspended
	GilID    = "5835806903417951" // company admin of Globex
)

// User is a person with an account.
type User struct {
	ID           string // "" = the sandbox makes one
	CompanyID    string
	Emails       []string
	FirstName    string
	LastName     string
	Numbers      []string // E.164
	State        string   // active, suspended, pending, deleted, cancelled; "" = active
	IsAdmin      bool
	IsSuperAdmin bool // company admin
	AddedAt      time.Time
}

// Name is the display name.
func (u User) Name() string { return strings.TrimSpace(u.FirstName + " " + u.LastName) }

// company is a customer and all that belongs to it.
type company struct {
	id, name    string
	state       string
	appDisabled bool
	perMinute   int // 0 = no limit
	users       []*User
	texts       window
	requests    window
	webhooks    []*webhook
	subs        map[subscriptionKind][]*subscription
	optOuts     []*optOut
	optOutOf    map[string]*optOut
}

type optOut struct {
	number string
	out    bool
	at     time.Time
}

// AddCompany adds a customer. id must be digits.
func (s *Sandbox) AddCompany(id, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.companies[id] = &company{
		id: id, name: name, state: "active", perMinute: s.opts.TextsPerMinute,
		texts: window{span: time.Minute}, requests: window{span: time.Second},
		subs: map[subscriptionKind][]*subscription{}, optOutOf: map[string]*optOut{},
	}
}

// AddUser adds a person to a company that exists, and gives the id.
func (s *Sandbox) AddUser(u User) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addUser(u)
}

func (s *Sandbox) addUser(u User) string {
	c := s.companies[u.CompanyID]
	if c == nil {
		panic("sandbox: no company " + u.CompanyID)
	}
	if u.ID == "" {
		u.ID = strconv.FormatInt(s.ids.next(), 10)
	}
	if u.State == "" {
		u.State = "active"
	}
	if u.AddedAt.IsZero() {
		u.AddedAt = time.Date(2021, 6, 20, 19, 18, 0, 0, time.UTC)
	}
	u.Emails, u.Numbers = slices.Clone(u.Emails), slices.Clone(u.Numbers)
	s.users[u.ID] = &u
	c.users = append(c.users, &u)
	for _, n := range u.Numbers {
		s.byNumber[n] = &u
	}
	return u.ID
}

// SeedDemo fills the sandbox with the demo's two companies.
func (s *Sandbox) SeedDemo() {
	s.AddCompany(AcmeID, "Acme Inc")
	s.AddCompany(GlobexID, "Globex")
	for _, u := range []User{
		{ID: AnaID, CompanyID: AcmeID, FirstName: "Ana", LastName: "Ruiz", Emails: []string{"ana@acme.com"}, Numbers: []string{"+14155550100"}, IsAdmin: true, IsSuperAdmin: true},
		{ID: BenID, CompanyID: AcmeID, FirstName: "Ben", LastName: "Okoro", Emails: []string{"ben@acme.com"}, Numbers: []string{"+14155550101"}},
		{ID: DanID, CompanyID: AcmeID, FirstName: "Dan", LastName: "Weiss", Emails: []string{"dan@acme.com"}},
		{ID: EveID, CompanyID: AcmeID, FirstName: "Eve", LastName: "Stone", Emails: []string{"eve@acme.com"}, Numbers: []string{"+14155550104"}, State: "suspended"},
		{ID: GilID, CompanyID: GlobexID, FirstName: "Gil", LastName: "Moss", Emails: []string{"gil@globex.com"}, Numbers: []string{"+12125550150"}, IsAdmin: true, IsSuperAdmin: true},
	} {
		s.AddUser(u)
	}
}

// SeedUsers adds n active users with made-up e-mails and numbers (user0@seed.example, …) and gives their ids.
func (s *Sandbox) SeedUsers(companyID string, n int) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := make([]string, 0, n)
	for i := range n {
		ids = append(ids, s.addUser(User{
			CompanyID: companyID, FirstName: "User", LastName: strconv.Itoa(i),
			Emails: []string{fmt.Sprintf("user%d@seed.example", i)}, Numbers: []string{fmt.Sprintf("+1%03d55501%02d", 200+i/100%800, i%100)},
		}))
	}
	return ids
}

// userJSON is the REST shape. A deleted user loses e-mails and numbers; a user without numbers has no such field.
func (s *Sandbox) userJSON(u *User) map[string]any {
	name := u.Name()
	if u.State == "deleted" {
		name += " (deactivated)"
	}
	j := map[string]any{
		"id": s.id(u.ID), "company_id": s.id(u.CompanyID), "office_id": s.id("6422934115149452"),
		"display_name": name, "first_name": u.FirstName, "last_name": u.LastName, "state": u.State,
		"is_admin": u.IsAdmin, "is_super_admin": u.IsSuperAdmin, "country": "us", "timezone": "US/Pacific",
		"license": "talk", "date_added": stamp(u.AddedAt), "do_not_disturb": false, "international_dialing_enabled": false,
	}
	if u.State != "deleted" {
		j["emails"] = u.Emails
		if len(u.Numbers) > 0 {
			j["phone_numbers"] = u.Numbers
		}
	}
	return j
}
