package sandbox

import (
	"slices"
	"strings"
)

// The functions here are what the admin and phones pages do, for tests. A wrong id does nothing and gives false.

// SuspendUser suspends; a change-log event follows.
func (s *Sandbox) SuspendUser(id string) bool { return s.setState(id, "user_suspended", "suspended") }

// DeleteUser deletes; the account stays readable without e-mails and numbers, as at Dialpad.
func (s *Sandbox) DeleteUser(id string) bool { return s.setState(id, "user_deleted", "deleted") }

// RestoreUser makes a suspended or deleted user active again.
func (s *Sandbox) RestoreUser(id string) bool { return s.setState(id, "user_restored", "active") }

func (s *Sandbox) setState(id, action, state string) bool {
	return s.changeUser(id, action, func(u *User) (from, to string) {
		from, u.State = u.State, state
		return from, state
	})
}

// RemoveNumber takes all numbers from the user.
func (s *Sandbox) RemoveNumber(id string) bool {
	return s.changeUser(id, "number_removed", func(u *User) (from, to string) {
		for _, n := range u.Numbers {
			delete(s.byNumber, n)
		}
		from, u.Numbers = strings.Join(u.Numbers, ", "), nil
		return from, "none"
	})
}

// SetNumber gives the user a number, in place of those before.
func (s *Sandbox) SetNumber(id, number string) bool {
	return s.changeUser(id, "number_changed", func(u *User) (from, to string) {
		for _, n := range u.Numbers {
			delete(s.byNumber, n)
		}
		from, u.Numbers = strings.Join(u.Numbers, ", "), []string{number}
		s.byNumber[number] = u
		return from, number
	})
}

func (s *Sandbox) changeUser(id, action string, change func(*User) (from, to string)) bool {
	s.mu.Lock()
	u := s.users[id]
	if u == nil {
		s.mu.Unlock()
		return false
	}
	from, to := change(u)
	c := s.changed(s.companies[u.CompanyID], u, action, from, to)
	s.mu.Unlock()
	s.startChain(c, false)
	return true
}

// User is a copy of one user.
func (s *Sandbox) User(id string) (User, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	u := s.users[id]
	if u == nil {
		return User{}, false
	}
	out := *u
	out.Emails, out.Numbers = slices.Clone(u.Emails), slices.Clone(u.Numbers)
	return out, true
}

func (s *Sandbox) changeCompany(id string, change func(*company)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.companies[id]
	if c != nil {
		change(c)
	}
	return c != nil
}

// DisableApp makes every call of the company's tokens answer 401, except the question whether the app is enabled.
func (s *Sandbox) DisableApp(companyID string) bool {
	return s.changeCompany(companyID, func(c *company) { c.appDisabled = true })
}

// EnableApp undoes DisableApp.
func (s *Sandbox) EnableApp(companyID string) bool {
	return s.changeCompany(companyID, func(c *company) { c.appDisabled = false })
}

// SetCompanyState sets active, suspended, cancelled, …; only an active company's texts are accepted.
func (s *Sandbox) SetCompanyState(companyID, state string) bool {
	return s.changeCompany(companyID, func(c *company) { c.state = state })
}

// SetTextsPerMinute sets the company's tier: 100 or 800 at Dialpad; 0 = no limit.
func (s *Sandbox) SetTextsPerMinute(companyID string, n int) bool {
	return s.changeCompany(companyID, func(c *company) { c.perMinute = n })
}

// RevokeTokens ends every grant of the company: 401, and invalid_grant on refresh.
func (s *Sandbox) RevokeTokens(companyID string) bool {
	return s.changeCompany(companyID, func(*company) {
		for _, t := range s.access {
			if t.grant.companyID == companyID {
				t.grant.revoked = true
			}
		}
		for _, t := range s.refresh {
			if t.grant.companyID == companyID {
				t.grant.revoked = true
			}
		}
	})
}

// SetDeliveryResult makes texts to the number end as undelivered with this result (invalid_destination, rejected_spam,
// …); "" = delivered again.
func (s *Sandbox) SetDeliveryResult(number, result string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if result == "" {
		delete(s.outcomes, number)
		return
	}
	s.outcomes[number] = result
}

// Words that carriers and Dialpad act on.
var (
	stopWords  = []string{"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"}
	startWords = []string{"START", "UNSTOP", "YES"}
)

// Reply is a phone (from) texting a Dialpad number (to). STOP and START change the opt-out, as they do at Dialpad.
func (s *Sandbox) Reply(from, to, text string) bool {
	s.mu.Lock()
	u := s.byNumber[to]
	if u == nil {
		s.mu.Unlock()
		return false
	}
	c := s.companies[u.CompanyID]
	word := strings.ToUpper(strings.TrimSpace(text))
	switch {
	case slices.Contains(stopWords, word):
		s.setOptOut(c, from, true)
	case slices.Contains(startWords, word):
		s.setOptOut(c, from, false)
	}
	id := s.ids.next()
	chain := s.inbound(c, u, id, from, to, text)
	s.mu.Unlock()
	s.feed.add(Text{ID: id, CompanyID: c.id, UserID: u.ID, From: from, To: to, Text: text, Inbound: true, At: s.now()})
	s.startChain(chain, false)
	return true
}

// setOptOut: opting back in without having been out leaves no entry.
func (s *Sandbox) setOptOut(c *company, number string, out bool) {
	o := c.optOutOf[number]
	if o == nil {
		if !out {
			return
		}
		o = &optOut{number: number}
		c.optOutOf[number] = o
		c.optOuts = append(c.optOuts, o)
	}
	o.out, o.at = out, s.now()
}

// OptedOut says whether the number gets no texts from the company.
func (s *Sandbox) OptedOut(companyID, number string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c := s.companies[companyID]
	return c != nil && c.optOutOf[number] != nil && c.optOutOf[number].out
}
