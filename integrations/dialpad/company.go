package dialpad

import (
	"context"
	"net/http"

	"dialpad-texting/integrations/lenient"
)

// Company is a Dialpad customer.
type Company struct {
	ID      string
	Name    string
	Domain  string
	Country string // "us"
	State   string // see StateActive; may be ""
}

// AppSettings is the OAuth app's state in the token's company.
type AppSettings struct {
	Enabled bool
}

// Company returns the token's company. It needs a company admin.
//
// API: GET /api/v2/company
func (c *Client) Company(ctx context.Context, token string) (Company, error) {
	var j struct {
		ID      lenientID     `json:"id"`
		Name    lenientString `json:"name"`
		Domain  lenientString `json:"domain"`
		Country lenientString `json:"country"`
		State   lenientString `json:"state"`
	}
	if err := c.api.get(ctx, token, "/api/v2/company", nil, &j); err != nil {
		return Company{}, err
	}
	if j.ID == "" {
		return Company{}, &Error{Kind: Unavailable, Status: http.StatusOK, Err: errNoID}
	}
	return Company{
		ID: string(j.ID), Name: lenient.Name(string(j.Name)), Domain: string(j.Domain),
		Country: string(j.Country), State: normalizeState(j.State),
	}, nil
}

// AppSettings returns the app's settings in the token's company.
// An answer without "enabled" counts as enabled.
//
// API: GET /api/v2/app/settings
func (c *Client) AppSettings(ctx context.Context, token string) (AppSettings, error) {
	var j struct {
		Enabled *lenientBool `json:"enabled"`
	}
	if err := c.api.get(ctx, token, "/api/v2/app/settings", nil, &j); err != nil {
		return AppSettings{}, err
	}
	return AppSettings{Enabled: j.Enabled == nil || bool(*j.Enabled)}, nil
}
