// Package popup answers what a popup shows before anything is sent: to
// whom, from which number, the fields and templates to write with.
package popup

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"log/slog"

	"dialpad-texting/app/access"
	"dialpad-texting/app/audience"
	"dialpad-texting/app/eligibility"
	"dialpad-texting/app/outbox"
	"dialpad-texting/app/templates"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
)

// Eligibility says whether a user may text now, and from which account.
type Eligibility interface {
	CheckSender(ctx context.Context, tenantID, userID string) (models.User, models.Account, *eligibility.Refusal, error)
}

// Popup answers the popup's reads; one per process. Safe for concurrent use.
type Popup struct {
	store       *models.Store
	templates   *templates.Templates
	audience    *audience.Audience
	outbox      *outbox.Outbox
	eligibility Eligibility
	log         *slog.Logger
}

// New returns a Popup.
func New(store *models.Store, tpl *templates.Templates, aud *audience.Audience, o *outbox.Outbox, e Eligibility,
	log *slog.Logger) *Popup {
	return &Popup{store: store, templates: tpl, audience: aud, outbox: o, eligibility: e, log: log}
}

// records reads the records of the popup that the asker may see.
func (x *Popup) records(ctx context.Context, a access.Asker) (crm.Records, error) {
	return x.audience.Records(ctx, a.Tenant, crm.ResolveQuery{UserID: a.UserID, Module: a.Target.Module, IDs: a.Target.RecordIDs})
}

// contextID names a ctx by a hash: the browser stores a draft under it.
func contextID(c *crm.LaunchTarget) string {
	body, err := json.Marshal(c)
	if err != nil {
		panic(err) // our own type always marshals
	}
	sum := sha256.Sum256(body)
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}
