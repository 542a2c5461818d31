package crm

import (
	"context"

	"dialpad-texting/integrations/lenient"
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

type templateJSON struct {
	ID     id   `json:"id"`
	Name   text `json:"name"`
	Folder text `json:"folder"`
	Body   text `json:"body"`
}

// Templates returns the templates that userID may use and that match q,
// from cursor on (templates.list). One that can't be read is left out.
func (c *Client) Templates(ctx context.Context, t Tenant, userID, q, cursor string) (TemplatePage, error) {
	var answer struct {
		Templates entries[templateJSON] `json:"templates"`
		Next      opaque                `json:"next"`
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
	for _, v := range answer.Templates.list {
		if v.ID != "" {
			page.Templates = append(page.Templates, Template{ID: string(v.ID), Name: lenient.Name(string(v.Name)), Folder: lenient.Name(string(v.Folder)), Body: string(v.Body)})
		}
	}
	return page, checkCursor(CallTemplate, page.Next, cursor)
}
