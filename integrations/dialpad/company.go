package dialpad

import (
	"context"
	"net/url"
	"time"
)

// Company is a Dialpad customer.
type Company struct {
	ID      string
	Name    string
	Domain  string
	Country string
	State   string // as a user's; may be ""
}

// AppSettings says how the OAuth app stands in the token's company.
type AppSettings struct {
	Enabled bool
}

// OptOut is a phone that answered STOP.
type OptOut struct {
	Number     string
	State      string // opted_out, opted_back_in
	At         time.Time
	ScopeLevel string // company, a2p_campaign
	ScopeID    string
}

// OptOutPage is one page. Cursor "" = last page.
type OptOutPage struct {
	Items  []OptOut
	Cursor string
}

// Company reads the token's company (GET /api/v2/company). Needs a company admin.
func (c *Client) Company(ctx context.Context, token string) (Company, error) {
	var j struct {
		ID      looseText `json:"id"`
		Name    looseText `json:"name"`
		Domain  looseText `json:"domain"`
		Country looseText `json:"country"`
		State   looseText `json:"state"`
	}
	if err := c.get(ctx, token, "/api/v2/company", nil, &j); err != nil {
		return Company{}, err
	}
	if j.ID == "" {
		return Company{}, &Error{Kind: Unavailable, Status: 200, Err: errNoID}
	}
	return Company{ID: string(j.ID), Name: string(j.Name), Domain: string(j.Domain), Country: string(j.Country), State: state(j.State)}, nil
}

// AppSettings reads GET /api/v2/app/settings. An answer that does not say counts as enabled.
func (c *Client) AppSettings(ctx context.Context, token string) (AppSettings, error) {
	var j struct {
		Enabled *looseBool `json:"enabled"`
	}
	if err := c.get(ctx, token, "/api/v2/app/settings", nil, &j); err != nil {
		return AppSettings{}, err
	}
	return AppSettings{Enabled: j.Enabled == nil || bool(*j.Enabled)}, nil
}

// OptOuts reads a page of the numbers not to be texted (GET /api/v2/company/{id}/smsoptout, 250 calls a minute).
// Needs a company admin.
func (c *Client) OptOuts(ctx context.Context, token, companyID, cursor string) (OptOutPage, error) {
	return c.optOuts(ctx, token, companyID, "opted_out", cursor)
}

// OptIns reads a page of the numbers that opted out once and may be texted again. A number may be in both lists: an
// opt-out has a scope.
func (c *Client) OptIns(ctx context.Context, token, companyID, cursor string) (OptOutPage, error) {
	return c.optOuts(ctx, token, companyID, "opted_back_in", cursor)
}

func (c *Client) optOuts(ctx context.Context, token, companyID, state, cursor string) (OptOutPage, error) {
	query := url.Values{"opt_out_state": {state}}
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	var j struct {
		Items []struct {
			Number looseText `json:"external_endpoint"`
			State  looseText `json:"opt_out_state"`
			Date   looseTime `json:"date"`
			Scope  struct {
				Level looseText `json:"opt_out_scope_level"`
				ID    looseText `json:"scope_id"`
			} `json:"opt_out_scope_info"`
		} `json:"items"`
		Cursor looseText `json:"cursor"`
	}
	if err := c.get(ctx, token, "/api/v2/company/"+url.PathEscape(companyID)+"/smsoptout", query, &j); err != nil {
		return OptOutPage{}, err
	}
	page := OptOutPage{Cursor: string(j.Cursor)}
	for _, o := range j.Items {
		page.Items = append(page.Items, OptOut{Number: string(o.Number), State: string(o.State), At: o.Date.Time,
			ScopeLevel: string(o.Scope.Level), ScopeID: string(o.Scope.ID)})
	}
	return page, nil
}
