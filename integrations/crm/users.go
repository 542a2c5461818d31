package crm

import (
	"context"
	"errors"
	"net/http"
)

// Person is a CRM user in users.list.
type Person struct {
	ID     string
	Name   string
	Email  string
	Active bool
}

// UserPage is one page of users. The last has Next "".
type UserPage struct {
	Users []Person
	Next  string
}

// Users returns the tenant's CRM users from cursor on (users.list). A
// user without "active" is active.
func (c *Client) Users(ctx context.Context, t Tenant, cursor string) (UserPage, error) {
	var answer struct {
		Users []struct {
			ID     id     `json:"id"`
			Name   string `json:"name"`
			Email  string `json:"email"`
			Active *bool  `json:"active"`
		} `json:"users"`
		Next id `json:"next"`
	}
	data := struct {
		Tenant Tenant  `json:"tenant"`
		Cursor *string `json:"cursor"`
	}{t, nullable(cursor)}
	if err := c.read(ctx, t, CallUsers, "users", data, &answer); err != nil {
		return UserPage{}, err
	}
	page := UserPage{Next: string(answer.Next)}
	for _, v := range answer.Users {
		if v.ID == "" {
			return UserPage{}, garbage(CallUsers, http.StatusOK, errors.New("a user without an id"))
		}
		active := v.Active == nil || *v.Active
		page.Users = append(page.Users, Person{ID: string(v.ID), Name: v.Name, Email: v.Email, Active: active})
	}
	return page, checkCursor(CallUsers, page.Next, cursor)
}
