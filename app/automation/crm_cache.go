package automation

import (
	"context"
	"errors"
	"time"

	"dialpad-texting/internal/faircache"
	"dialpad-texting/models"
)

// templateTTL is how long a template's text is used: a burst of a
// thousand callbacks would ask for the same each time.
const templateTTL = 30 * time.Second

// templateLimits hold 10,000 texts of the usual length.
var templateLimits = faircache.Limits{User: 1 << 20, Tenant: 1 << 20, Total: 8 << 20}

// templateKey: a template's text is that which the CRM gives this user.
type templateKey struct{ apiUser, id string }

// templateText returns a template's text, at most templateTTL old.
func (a *Automation) templateText(ctx context.Context, t models.Tenant, apiUser, id string) (string, error) {
	owner, key := faircache.Owner{Tenant: t.ID}, templateKey{apiUser, id}
	if text, ok := a.templates.Get(owner, key); ok {
		return text, nil
	}
	found, err := a.texts.Templates.Find(ctx, t, apiUser, id)
	if err == nil {
		a.templates.Put(owner, key, found.Body, len(found.Body)+len(id))
	}
	return found.Body, err
}

// apiUser returns the CRM user in whose name the CRM is asked when
// a call names none: whoever connected Dialpad, else another admin.
func (a *Automation) apiUser(ctx context.Context, tenantID string) (string, error) {
	c, err := a.store.Connections.Get(ctx, tenantID)
	if err != nil && !errors.Is(err, models.ErrNotFound) {
		return "", err
	}
	u, err := a.store.Users.APIUser(ctx, tenantID, c.ConnectedByUser)
	if errors.Is(err, models.ErrNotFound) {
		return c.ConnectedByUser, nil
	}
	return u.UserID, err
}
