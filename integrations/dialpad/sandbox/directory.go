package sandbox

import (
	"slices"
	"strings"
	"time"
)

// Directory holds companies and users. Its setters do what the admin
// page does; with an unknown id they do nothing and return false.
type Directory struct {
	state  *state
	events *EventSender
}

// AddCompany adds a customer. id must be digits.
func (d *Directory) AddCompany(id, name string) {
	d.state.mu.Lock()
	defer d.state.mu.Unlock()
	d.state.companies[id] = &company{
		id: id, name: name, state: "active", textsPerMinute: d.state.opts.TextsPerMinute,
		texts: rollingWindow{span: time.Minute}, requests: rollingWindow{span: time.Second},
		subscriptions: map[subscriptionKind][]*subscription{}, optOutByNumber: map[string]*optOut{},
	}
}

// AddUser adds a person to an existing company and returns the id.
func (d *Directory) AddUser(u User) string {
	d.state.mu.Lock()
	defer d.state.mu.Unlock()
	return d.addUser(u)
}

func (d *Directory) addUser(u User) string {
	c := d.state.companies[u.CompanyID]
	if c == nil {
		panic("sandbox: no company " + u.CompanyID)
	}
	if u.ID == "" {
		u.ID = d.state.newTextID()
	}
	if u.State == "" {
		u.State = "active"
	}
	if u.AddedAt.IsZero() {
		u.AddedAt = time.Date(2021, 6, 20, 19, 18, 0, 0, time.UTC)
	}
	u.Emails, u.Numbers = slices.Clone(u.Emails), slices.Clone(u.Numbers)
	d.state.users[u.ID] = &u
	c.users = append(c.users, &u)
	for _, n := range u.Numbers {
		d.state.userByNumber[n] = &u
	}
	return u.ID
}

// User returns a copy of a user.
func (d *Directory) User(id string) (User, bool) {
	d.state.mu.RLock()
	defer d.state.mu.RUnlock()
	u := d.state.users[id]
	if u == nil {
		return User{}, false
	}
	out := *u
	out.Emails, out.Numbers = slices.Clone(u.Emails), slices.Clone(u.Numbers)
	return out, true
}

// SuspendUser suspends a user; a change-log event follows.
func (d *Directory) SuspendUser(id string) bool {
	return d.setUserState(id, "user_suspended", "suspended")
}

// DeleteUser deletes a user. As at Dialpad, the account stays readable
// without e-mails and numbers.
func (d *Directory) DeleteUser(id string) bool {
	return d.setUserState(id, "user_deleted", "deleted")
}

// RestoreUser makes a suspended or deleted user active again.
func (d *Directory) RestoreUser(id string) bool {
	return d.setUserState(id, "user_restored", "active")
}

func (d *Directory) setUserState(id, action, state string) bool {
	return d.changeUser(id, action, func(u *User) (from, to string) {
		from, u.State = u.State, state
		return from, state
	})
}

// RemoveNumber takes all numbers from the user.
func (d *Directory) RemoveNumber(id string) bool {
	return d.changeUser(id, "number_removed", func(u *User) (from, to string) {
		return d.setNumbers(u, nil), "none"
	})
}

// SetNumber replaces the user's numbers with one.
func (d *Directory) SetNumber(id, number string) bool {
	return d.changeUser(id, "number_changed", func(u *User) (from, to string) {
		return d.setNumbers(u, []string{number}), number
	})
}

// setNumbers returns the numbers before, as one string.
func (d *Directory) setNumbers(u *User, numbers []string) (from string) {
	for _, n := range u.Numbers {
		delete(d.state.userByNumber, n)
	}
	from, u.Numbers = strings.Join(u.Numbers, ", "), numbers
	for _, n := range numbers {
		d.state.userByNumber[n] = u
	}
	return from
}

func (d *Directory) changeUser(id, action string, change func(*User) (from, to string)) bool {
	d.state.mu.Lock()
	u := d.state.users[id]
	if u == nil {
		d.state.mu.Unlock()
		return false
	}
	from, to := change(u)
	series := userChangedEvents(d.state.companies[u.CompanyID], u, action, from, to)
	d.state.mu.Unlock()
	d.events.send(series, false)
	return true
}

// DisableApp makes every call with the company's tokens answer 401,
// except the question whether the app is enabled.
func (d *Directory) DisableApp(companyID string) bool {
	return d.changeCompany(companyID, func(c *company) { c.appDisabled = true })
}

// EnableApp undoes DisableApp.
func (d *Directory) EnableApp(companyID string) bool {
	return d.changeCompany(companyID, func(c *company) { c.appDisabled = false })
}

// SetCompanyState sets active, suspended, cancelled, …; only an active
// company's texts are accepted.
func (d *Directory) SetCompanyState(companyID, state string) bool {
	return d.changeCompany(companyID, func(c *company) { c.state = state })
}

// SetTextsPerMinute sets the company's limit: 100 or 800 at Dialpad;
// 0: no limit.
func (d *Directory) SetTextsPerMinute(companyID string, n int) bool {
	return d.changeCompany(companyID, func(c *company) { c.textsPerMinute = n })
}

func (d *Directory) changeCompany(id string, change func(*company)) bool {
	d.state.mu.Lock()
	defer d.state.mu.Unlock()
	c := d.state.companies[id]
	if c != nil {
		change(c)
	}
	return c != nil
}
