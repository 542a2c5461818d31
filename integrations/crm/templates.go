package crm

import (
	"context"
	"errors"
	"net/http"
)

// Template is a text in the CRM, with merge fields. Folder may be "".
type Template struct {
	ID     string
	Name   string
	Folder string
	Body   string
}

// TemplatePage is one page of templates. The last has Next "".
type TemplatePage struct {
	Templates []Template
	Next      string
}

// Templates returns the templates that userID may use and that match q,
// from cursor on (templates.list).
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
			return TemplatePage{}, garbage(CallTemplate, http.StatusOK, errors.New("a template without an id"))
		}
		page.Templates = append(page.Templates, Template{ID: string(v.ID), Name: v.Name, Folder: v.Folder, Body: v.Body})
	}
	return page, checkCursor(CallTemplate, page.Next, cursor)
}
