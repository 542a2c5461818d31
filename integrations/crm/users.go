package crm

import (
	"context"

	"dialpad-texting/integrations/lenient"
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
	Users      []Person
	Unreadable int // entries that were left out: nobody knows whose
	Next       string
}

type personJSON struct {
	ID     id      `json:"id"`
	Name   text    `json:"name"`
	Email  rawText `json:"email"`
	Active *active `json:"active"`
}

// Users returns the tenant's CRM users from cursor on (users.list). A
// user without "active" is active.
func (c *Client) Users(ctx context.Context, t Tenant, cursor string) (UserPage, error) {
	var answer struct {
		Users entries[personJSON] `json:"users"`
		Next  opaque              `json:"next"`
	}
	data := struct {
		Tenant Tenant  `json:"tenant"`
		Cursor *string `json:"cursor"`
	}{t, nullable(cursor)}
	if err := c.read(ctx, t, CallUsers, "users", data, &answer); err != nil {
		return UserPage{}, err
	}
	page := UserPage{Next: string(answer.Next), Unreadable: answer.Users.unreadable}
	for _, v := range answer.Users.list {
		if v.ID == "" || identifierProblem(string(v.Email), maxEmail) != "" {
			page.Unreadable++
			continue
		}
		active := v.Active == nil || bool(*v.Active)
		page.Users = append(page.Users, Person{ID: string(v.ID), Name: lenient.Name(string(v.Name)), Email: string(v.Email), Active: active})
	}
	return page, checkCursor(CallUsers, page.Next, cursor)
}
