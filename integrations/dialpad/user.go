package dialpad

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"dialpad-texting/integrations/lenient"
)

// States of a User and of a Company. The enum is open: treat any other
// value as not active.
const (
	StateActive    = "active"
	StateCancelled = "cancelled"
	StateDeleted   = "deleted"
	StatePending   = "pending"
	StateSuspended = "suspended"
)

// User is a person (or bot) with a Dialpad account. Everything but the
// id may be missing: a deleted user has no e-mails and no numbers.
type User struct {
	ID           string
	CompanyID    string
	OfficeID     string
	Emails       []string // primary first; case as Dialpad has it
	DisplayName  string
	FirstName    string
	LastName     string
	PhoneNumbers []string // E.164, primary first
	State        string   // see StateActive; "canceled" becomes "cancelled"
	IsAdmin      bool     // perhaps of one office only
	IsSuperAdmin bool     // of the whole company
	Country      string   // "us"
	TimeZone     string   // "US/Pacific"
	AddedAt      time.Time
}

// Number returns the number that the user's texts go out from by
// default, or "" for a user without one.
func (u User) Number() string {
	if len(u.PhoneNumbers) == 0 {
		return ""
	}
	return u.PhoneNumbers[0]
}

// UsersQuery filters Users. State "" means all states: what Dialpad
// returns without the parameter is not documented.
type UsersQuery struct {
	Email  string
	State  string
	Cursor string
}

// UserPage is one page of at most 100 users. The last page has Cursor "".
type UserPage struct {
	Items  []User
	Cursor string
}

type userJSON struct {
	ID           lenientID      `json:"id"`
	CompanyID    lenientID      `json:"company_id"`
	OfficeID     lenientID      `json:"office_id"`
	Emails       lenientStrings `json:"emails"`
	DisplayName  lenientString  `json:"display_name"`
	FirstName    lenientString  `json:"first_name"`
	LastName     lenientString  `json:"last_name"`
	PhoneNumbers lenientStrings `json:"phone_numbers"`
	State        lenientString  `json:"state"`
	IsAdmin      lenientBool    `json:"is_admin"`
	IsSuperAdmin lenientBool    `json:"is_super_admin"`
	Country      lenientString  `json:"country"`
	TimeZone     lenientString  `json:"timezone"`
	DateAdded    lenientTime    `json:"date_added"`
}

func (j userJSON) user() User {
	return User{
		ID: string(j.ID), CompanyID: string(j.CompanyID), OfficeID: string(j.OfficeID), Emails: j.Emails,
		DisplayName: lenient.Name(string(j.DisplayName)), FirstName: lenient.Name(string(j.FirstName)), LastName: lenient.Name(string(j.LastName)),
		PhoneNumbers: j.PhoneNumbers, State: normalizeState(j.State), IsAdmin: bool(j.IsAdmin),
		IsSuperAdmin: bool(j.IsSuperAdmin), Country: string(j.Country), TimeZone: string(j.TimeZone),
		AddedAt: j.DateAdded.Time,
	}
}

func normalizeState(s lenientString) string {
	lower := strings.ToLower(string(s))
	if lower == "canceled" { // older documentation's spelling
		return StateCancelled
	}
	return lower
}

// Me returns the user who authorized the token.
//
// API: GET /api/v2/users/me
func (c *Client) Me(ctx context.Context, token string) (User, error) { return c.User(ctx, token, "me") }

// User returns one user.
//
// API: GET /api/v2/users/{id}
func (c *Client) User(ctx context.Context, token, id string) (User, error) {
	var j userJSON
	if err := c.api.get(ctx, token, "/api/v2/users/"+url.PathEscape(id), nil, &j); err != nil {
		return User{}, err
	}
	if j.ID == "" {
		return User{}, &Error{Kind: Unavailable, Status: http.StatusOK, Err: errNoID}
	}
	return j.user(), nil
}

// Users returns a page of users. It never sends limit: Dialpad refuses
// values over 100 now and then, on purpose.
//
// API: GET /api/v2/users
func (c *Client) Users(ctx context.Context, token string, q UsersQuery) (UserPage, error) {
	query := url.Values{"state": {cmp.Or(q.State, "all")}}
	if q.Email != "" {
		query.Set("email", q.Email)
	}
	if q.Cursor != "" {
		query.Set("cursor", q.Cursor)
	}
	var j struct {
		Items  lenientList[userJSON] `json:"items"`
		Cursor lenientString         `json:"cursor"`
	}
	if err := c.api.get(ctx, token, "/api/v2/users", query, &j); err != nil {
		return UserPage{}, err
	}
	page := UserPage{Cursor: string(j.Cursor)}
	for _, u := range j.Items {
		if u.ID != "" {
			page.Items = append(page.Items, u.user())
		}
	}
	return page, nil
}
