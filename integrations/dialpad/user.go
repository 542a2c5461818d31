package dialpad

import (
	"context"
	"net/url"
	"strings"
	"time"
)

// States of a User and of a Company. The enum is open: other values may come, and mean "not active".
const (
	StateActive    = "active"
	StateCancelled = "cancelled"
	StateDeleted   = "deleted"
	StatePending   = "pending"
	StateSuspended = "suspended"
)

// User is a person (or bot) with a Dialpad account. Everything but the id may be missing: a deleted user has neither
// e-mails nor numbers.
type User struct {
	ID           string
	CompanyID    string
	OfficeID     string
	Emails       []string // first is primary; case as Dialpad has it
	DisplayName  string
	FirstName    string
	LastName     string
	PhoneNumbers []string // E.164; first is primary
	State        string   // see StateActive; "canceled" arrives as "cancelled"
	IsAdmin      bool     // may be of one office only
	IsSuperAdmin bool     // of the whole company
	Country      string   // "us"
	TimeZone     string   // "US/Pacific"
	AddedAt      time.Time
}

// Number is the number that the user's texts go out from by default, or "" when the user has none.
func (u User) Number() string {
	if len(u.PhoneNumbers) == 0 {
		return ""
	}
	return u.PhoneNumbers[0]
}

// UsersQuery filters Users. State "" asks for all: what Dialpad returns without one is not documented.
type UsersQuery struct {
	Email  string
	State  string
	Cursor string
}

// UserPage is up to 100 users. Cursor "" = last page.
type UserPage struct {
	Items  []User
	Cursor string
}

type userJSON struct {
	ID           looseText `json:"id"`
	CompanyID    looseText `json:"company_id"`
	OfficeID     looseText `json:"office_id"`
	Emails       looseList `json:"emails"`
	DisplayName  looseText `json:"display_name"`
	FirstName    looseText `json:"first_name"`
	LastName     looseText `json:"last_name"`
	PhoneNumbers looseList `json:"phone_numbers"`
	State        looseText `json:"state"`
	IsAdmin      looseBool `json:"is_admin"`
	IsSuperAdmin looseBool `json:"is_super_admin"`
	Country      looseText `json:"country"`
	TimeZone     looseText `json:"timezone"`
	DateAdded    looseTime `json:"date_added"`
}

func (j userJSON) user() User {
	return User{
		ID: string(j.ID), CompanyID: string(j.CompanyID), OfficeID: string(j.OfficeID), Emails: j.Emails,
		DisplayName: string(j.DisplayName), FirstName: string(j.FirstName), LastName: string(j.LastName),
		PhoneNumbers: j.PhoneNumbers, State: state(j.State), IsAdmin: bool(j.IsAdmin), IsSuperAdmin: bool(j.IsSuperAdmin),
		Country: string(j.Country), TimeZone: string(j.TimeZone), AddedAt: j.DateAdded.Time,
	}
}

func state(s looseText) string {
	low := strings.ToLower(string(s))
	if low == "canceled" { // older documentation's spelling
		return StateCancelled
	}
	return low
}

// Me is the user on whose behalf the token was issued.
func (c *Client) Me(ctx context.Context, token string) (User, error) { return c.User(ctx, token, "me") }

// User reads one user (GET /api/v2/users/{id}).
func (c *Client) User(ctx context.Context, token, id string) (User, error) {
	var j userJSON
	if err := c.get(ctx, token, "/api/v2/users/"+url.PathEscape(id), nil, &j); err != nil {
		return User{}, err
	}
	if j.ID == "" {
		return User{}, &Error{Kind: Unavailable, Status: 200, Err: errNoID}
	}
	return j.user(), nil
}

// Users reads a page of users (GET /api/v2/users). It never sends `limit`: values over 100 are refused now and then, on
// purpose.
func (c *Client) Users(ctx context.Context, token string, q UsersQuery) (UserPage, error) {
	query := url.Values{"state": {firstOf(q.State, "all")}}
	if q.Email != "" {
		query.Set("email", q.Email)
	}
	if q.Cursor != "" {
		query.Set("cursor", q.Cursor)
	}
	var j struct {
		Items  []userJSON `json:"items"`
		Cursor looseText  `json:"cursor"`
	}
	if err := c.get(ctx, token, "/api/v2/users", query, &j); err != nil {
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
