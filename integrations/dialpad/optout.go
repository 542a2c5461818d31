package dialpad

import (
	"context"
	"net/url"
	"time"
)

// Values of opt_out_state.
const (
	optedOut    = "opted_out"
	optedBackIn = "opted_back_in"
)

// OptOut is a phone number that answered STOP.
type OptOut struct {
	Number     string // E.164
	State      string // opted_out, opted_back_in
	At         time.Time
	ScopeLevel string // company, a2p_campaign
	ScopeID    string
}

type optOutJSON struct {
	Number lenientString                  `json:"external_endpoint"`
	State  lenientString                  `json:"opt_out_state"`
	Date   lenientTime                    `json:"date"`
	Scope  lenientObject[optOutScopeJSON] `json:"opt_out_scope_info"`
}

type optOutScopeJSON struct {
	Level lenientString `json:"opt_out_scope_level"`
	ID    lenientID     `json:"scope_id"`
}

// OptOutPage is one page of opt-outs. The last page has Cursor "".
type OptOutPage struct {
	Items  []OptOut
	Cursor string
}

// OptOuts returns a page of the numbers that must not be texted.
// It needs a company admin. Dialpad allows 250 calls a minute.
//
// API: GET /api/v2/company/{id}/smsoptout
func (c *Client) OptOuts(ctx context.Context, token, companyID, cursor string) (OptOutPage, error) {
	return c.optOuts(ctx, token, companyID, optedOut, cursor)
}

// OptIns returns a page of the numbers that opted out once and may be
// texted again. An opt-out has a scope, so a number can be in both lists.
//
// API: GET /api/v2/company/{id}/smsoptout
func (c *Client) OptIns(ctx context.Context, token, companyID, cursor string) (OptOutPage, error) {
	return c.optOuts(ctx, token, companyID, optedBackIn, cursor)
}

func (c *Client) optOuts(ctx context.Context, token, companyID, state, cursor string) (OptOutPage, error) {
	query := url.Values{"opt_out_state": {state}}
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	var j struct {
		Items  lenientList[optOutJSON] `json:"items"`
		Cursor lenientString           `json:"cursor"`
	}
	if err := c.api.get(ctx, token, "/api/v2/company/"+url.PathEscape(companyID)+"/smsoptout", query, &j); err != nil {
		return OptOutPage{}, err
	}
	page := OptOutPage{Cursor: string(j.Cursor)}
	for _, o := range j.Items {
		page.Items = append(page.Items, OptOut{
			Number: string(o.Number), State: string(o.State), At: o.Date.Time,
			ScopeLevel: string(o.Scope.value.Level), ScopeID: string(o.Scope.value.ID),
		})
	}
	return page, nil
}
