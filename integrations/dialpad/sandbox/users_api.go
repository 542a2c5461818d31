package sandbox

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
)

// usersAPI serves /api/v2/users.
type usersAPI struct {
	*state
	overLimitCalls atomic.Int64
}

func (u *usersAPI) register(mux *http.ServeMux, s *apiServer) {
	mux.Handle("GET /api/v2/users", s.withToken(readLock, u.list))
	mux.Handle("GET /api/v2/users/{id}", s.withToken(readLock, u.get))
}

func (u *usersAPI) get(c *apiRequest) response {
	id := c.http.PathValue("id")
	if id == "me" {
		id = c.user.ID
	}
	user := u.users[id]
	if user == nil || user.CompanyID != c.company.id {
		return refuse(http.StatusNotFound, "User not found")
	}
	return jsonResponse(u.userJSON(user))
}

// list refuses every fifth call with a limit over 100: Dialpad refuses
// such calls at random.
func (u *usersAPI) list(c *apiRequest) response {
	q := c.http.URL.Query()
	if n, err := strconv.Atoi(q.Get("limit")); err == nil && n > maxPageSize && u.overLimitCalls.Add(1)%5 == 0 {
		return refuse(http.StatusBadRequest, "limit must not be more than 100")
	}
	states := []string{"active", "all", "cancelled", "deleted", "pending", "suspended"}
	want := q.Get("state")
	if want == "" {
		want = "active"
	}
	if !slices.Contains(states, want) {
		return refuse(http.StatusBadRequest, "state must be one of "+strings.Join(states, ", "))
	}
	var found []any
	for _, user := range c.company.users {
		if (want == "all" || user.State == want) && user.matches(q.Get("email"), q.Get("number")) {
			found = append(found, u.userJSON(user))
		}
	}
	return pageResponse(c, found)
}

// matches reports whether the user has the e-mail and the number; ""
// matches all.
func (u *User) matches(email, number string) bool {
	if u.State == "deleted" { // has no e-mails and numbers any more
		return email == "" && number == ""
	}
	hasEmail := slices.ContainsFunc(u.Emails, func(e string) bool { return strings.EqualFold(e, email) })
	return (email == "" || hasEmail) && (number == "" || slices.Contains(u.Numbers, number))
}

// userJSON is the REST shape. A deleted user has no e-mails and numbers;
// a user without numbers has no such field.
func (u *usersAPI) userJSON(user *User) map[string]any {
	name := user.Name()
	if user.State == "deleted" {
		name += " (deactivated)"
	}
	j := map[string]any{
		"id": u.restID(user.ID), "company_id": u.restID(user.CompanyID), "office_id": u.restID("6422934115149452"),
		"display_name": name, "first_name": user.FirstName, "last_name": user.LastName, "state": user.State,
		"is_admin": user.IsAdmin, "is_super_admin": user.IsSuperAdmin, "country": "us", "timezone": "US/Pacific",
		"license": "talk", "date_added": restTime(user.AddedAt), "do_not_disturb": false,
		"international_dialing_enabled": false,
	}
	if user.State != "deleted" {
		j["emails"] = user.Emails
		if len(user.Numbers) > 0 {
			j["phone_numbers"] = user.Numbers
		}
	}
	return j
}
