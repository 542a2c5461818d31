package crm

import (
	"context"
	"errors"
)

// FieldList is what may be merged and texted in a module.
type FieldList struct {
	Fields []Field
	Phones []PhoneField
}

// Field is one merge field; Key is "Module.fieldName".
type Field struct {
	Key   string `json:"key"`
	Label string `json:"label"`
	Type  string `json:"type"`
}

// PhoneField is one field that holds a number, such as mobile.
type PhoneField struct {
	Key   string `json:"key"`
	Label string `json:"label"`
}

// Fields lists the merge fields and phone fields of a module (fields.list).
func (c *Client) Fields(ctx context.Context, t Tenant, module string) (FieldList, error) {
	var answer struct {
		Fields []Field      `json:"fields"`
		Phones []PhoneField `json:"phones"`
	}
	data := struct {
		Tenant Tenant `json:"tenant"`
		Module string `json:"module"`
	}{t, module}
	if err := c.read(ctx, t, CallFields, "fields", data, &answer); err != nil {
		return FieldList{}, err
	}
	for _, f := range answer.Fields {
		if f.Key == "" {
			return FieldList{}, &Error{Kind: Garbage, Type: CallFields, Status: 200, Err: errors.New("a field without a key")}
		}
	}
	for _, p := range answer.Phones {
		if p.Key == "" {
			return FieldList{}, &Error{Kind: Garbage, Type: CallFields, Status: 200, Err: errors.New("a phone without a key")}
		}
	}
	return FieldList(answer), nil
}

// Template is a text kept in the CRM, with merge fields in it. Folder may be "".
type Template struct {
	ID     string
	Name   string
	Folder string
	Body   string
}

// TemplatePage is one page of templates; Next is "" on the last.
type TemplatePage struct {
	Templates []Template
	Next      string
}

// Templates lists the templates that userID may use and whose words match q
// (templates.list), from cursor on.
func (c *Client) Templates(ctx context.Context, t Tenant, userID, q, cursor string) (TemplatePage, error) {
	var answer struct {
		Templates []struct {
			ID     id     `json:"id"`
			Name   string `json:"name"`
			Folder string `json:"folder"`
			Body   string `json:"body"`
		} `json:"templates"`
		Next id `json:"next"`
	}
	data := struct {
		Tenant Tenant  `json:"tenant"`
		UserID string  `json:"user_id"`
		Q      string  `json:"q"`
		Cursor *string `json:"cursor"`
	}{t, userID, q, nullable(cursor)}
	if err := c.read(ctx, t, CallTemplate, "templates", data, &answer); err != nil {
		return TemplatePage{}, err
	}
	page := TemplatePage{Next: string(answer.Next)}
	for _, v := range answer.Templates {
		if v.ID == "" {
			return TemplatePage{}, &Error{Kind: Garbage, Type: CallTemplate, Status: 200, Err: errors.New("a template without an id")}
		}
		page.Templates = append(page.Templates, Template{ID: string(v.ID), Name: v.Name, Folder: v.Folder, Body: v.Body})
	}
	return page, advances(CallTemplate, page.Next, cursor)
}

// Person is a CRM user as users.list tells of one.
type Person struct {
	ID     string
	Name   string
	Email  string
	Active bool
}

// UserPage is one page of users; Next is "" on the last.
type UserPage struct {
	Users []Person
	Next  string
}

// Users lists the tenant's CRM users (users.list), from cursor on. A user of
// whom nothing is said about being active is active.
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
			return UserPage{}, &Error{Kind: Garbage, Type: CallUsers, Status: 200, Err: errors.New("a user without an id")}
		}
		page.Users = append(page.Users, Person{ID: string(v.ID), Name: v.Name, Email: v.Email, Active: v.Active == nil || *v.Active})
	}
	return page, advances(CallUsers, page.Next, cursor)
}

// advances refuses an answer that would have the caller ask for ever.
func advances(callType, next, cursor string) error {
	if next != "" && next == cursor {
		return &Error{Kind: Garbage, Type: callType, Status: 200, Err: errors.New("next is the cursor that was asked with")}
	}
	return nil
}
