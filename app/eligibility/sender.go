package eligibility

import (
	"context"
	"errors"

	"dialpad-texting/models"
)

// Users returns a CRM user as the CRM has it now or had it not long ago,
// the zero User if it has none.
type Users interface {
	User(ctx context.Context, tenantID, userID string) (models.User, error)
}

// ReadUsers makes CheckSender read users through u, which may ask the CRM.
// Call it before the Checker is used. Without it, users are as stored.
func (c *Checker) ReadUsers(u Users) { c.users = u }

// CheckSender checks the tenant, then a CRM user as a sender: active, with an
// e-mail that belongs to an active Dialpad account with a number. The user's
// present e-mail decides. Both user and account are returned even if they
// can't text.
func (c *Checker) CheckSender(ctx context.Context, tenantID, userID string) (models.User, models.Account, *Refusal, error) {
	u, err := c.user(ctx, tenantID, userID)
	if err != nil {
		return u, models.Account{}, nil, err
	}
	a, refusal, err := c.CheckUser(ctx, tenantID, u.Email)
	if err != nil || refusal != nil && refusal.Code != CodeNoAccount {
		return u, a, refusal, err
	}
	if !u.Active {
		return u, models.Account{}, NoAccount(""), nil
	}
	return u, a, refusal, nil
}

func (c *Checker) user(ctx context.Context, tenantID, userID string) (models.User, error) {
	if c.users != nil {
		return c.users.User(ctx, tenantID, userID)
	}
	u, err := c.store.Users.Get(ctx, tenantID, userID)
	if errors.Is(err, models.ErrNotFound) {
		return models.User{}, nil
	}
	return u, err
}
