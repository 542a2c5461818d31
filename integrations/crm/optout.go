package crm

import "context"

// UpsertOptOut writes to the CRM that a number (E.164) opted out of
// texts, or in again, and by which source (optout.upsert). id is the
// webhook-id: use the same one for every retry.
func (c *Client) UpsertOptOut(ctx context.Context, t Tenant, id, number string, optedOut bool, source string) error {
	return c.write(ctx, id, t, CallOptOut, struct {
		Tenant   Tenant `json:"tenant"`
		Number   string `json:"number"`
		OptedOut bool   `json:"opted_out"`
		Source   string `json:"source"`
	}{t, number, optedOut, source})
}
