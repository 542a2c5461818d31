package sandbox

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

const pageSize = 100

func (s *Sandbox) getUser(c *call) answer {
	id := c.r.PathValue("id")
	if id == "me" {
		id = c.user.ID
	}
	u := s.users[id]
	if u == nil || u.CompanyID != c.company.id {
		return refuse(http.StatusNotFound, "User not found")
	}
	return ok(s.userJSON(u))
}

func (s *Sandbox) listUsers(c *call) answer {
	q := c.r.URL.Query()
	if n, err := strconv.Atoi(q.Get("limit")); err == nil && n > pageSize && s.limitCalls.Add(1)%5 == 0 {
		return refuse(http.StatusBadRequest, "limit must not be more than 100")
	}
	states := []string{"active", "all", "cancelled", "deleted", "pending", "suspended"}
	state := q.Get("state")
	if state == "" {
		state = "active"
	}
	if !slices.Contains(states, state) {
		return refuse(http.StatusBadRequest, "state must be one of "+strings.Join(states, ", "))
	}
	var found []any
	for _, u := range c.company.users {
		if (state == "all" || u.State == state) && matches(u, q.Get("email"), q.Get("number")) {
			found = append(found, s.userJSON(u))
		}
	}
	return page(c, found)
}

func matches(u *User, email, number string) bool {
	if u.State == "deleted" { // its e-mails and numbers are gone
		return email == "" && number == ""
	}
	hasEmail := slices.ContainsFunc(u.Emails, func(e string) bool { return strings.EqualFold(e, email) })
	return (email == "" || hasEmail) && (number == "" || slices.Contains(u.Numbers, number))
}

// page cuts a list into pages with an opaque cursor. An empty list is null, and the last page has no cursor.
func page(c *call, all []any) answer {
	from := 0
	if cursor := c.r.URL.Query().Get("cursor"); cursor != "" {
		raw, err := base64.RawURLEncoding.DecodeString(cursor)
		n, err2 := strconv.Atoi(strings.TrimPrefix(string(raw), "at:"))
		if err != nil || err2 != nil || n < 0 {
			return refuse(http.StatusBadRequest, "Invalid cursor")
		}
		from = min(n, len(all))
	}
	to := min(from+pageSize, len(all))
	if from == to {
		return ok(map[string]any{"items": nil})
	}
	j := map[string]any{"items": all[from:to]}
	if to < len(all) {
		j["cursor"] = base64.RawURLEncoding.EncodeToString([]byte("at:" + strconv.Itoa(to)))
	}
	return ok(j)
}

func (s *Sandbox) getCompany(c *call) answer {
	return ok(map[string]any{
		"id": s.id(c.company.id), "name": c.company.name, "state": c.company.state, "country": "us",
		"account_type": "standard", "office_count": "1",
	})
}

func (s *Sandbox) getAppSettings(c *call) answer {
	return ok(map[string]any{"enabled": !c.company.appDisabled, "is_preferred_service": true, "settings": map[string]any{}})
}

func (s *Sandbox) listOptOuts(c *call) answer {
	if c.r.PathValue("id") != c.company.id {
		return refuse(http.StatusNotFound, "Company not found")
	}
	want := c.r.URL.Query().Get("opt_out_state")
	if want != "opted_out" && want != "opted_back_in" {
		return refuse(http.StatusBadRequest, "opt_out_state is required")
	}
	var found []any
	for _, o := range c.company.optOuts {
		if o.out == (want == "opted_out") {
			found = append(found, map[string]any{
				"external_endpoint": o.number, "opt_out_state": want, "date": o.at.UnixMilli(),
				"opt_out_scope_info": map[string]any{"opt_out_scope_level": "company", "scope_id": s.id(c.company.id)},
			})
		}
	}
	return page(c, found)
}
