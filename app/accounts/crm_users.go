package accounts

import (
	"context"
	"errors"
	"time"

	"dialpad-texting/app/crmtenant"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
)

// SyncUsers reads all of the tenant's CRM users. Those that are not listed
// any more become inactive, unless an entry can't be read: it may be
// theirs.
func (a *Accounts) SyncUsers(ctx context.Context, tenantID string) (Counts, error) {
	t, err := a.store.Tenants.Get(ctx, tenantID)
	if err != nil {
		return Counts{}, err
	}
	startedAt := a.now()
	var counts Counts
	complete := true
	for cursor, seen := "", map[string]bool{}; ; {
		asked := a.now()
		page, err := a.crm.Users(ctx, crmtenant.Of(t), cursor)
		if err != nil {
			return counts, err
		}
		if err := a.store.Users.Save(ctx, tenantID, usersOf(page.Users, asked)); err != nil {
			return counts, err
		}
		counts.Read += len(page.Users)
		complete = complete && page.Unreadable == 0
		switch {
		case page.Next != "":
		case complete:
			return counts, a.store.Users.DeactivateUnseen(ctx, tenantID, startedAt)
		default:
			return counts, nil
		}
		if seen[page.Next] {
			return counts, errors.New("cursor of the CRM's users repeats")
		}
		seen[page.Next] = true
		cursor = page.Next
	}
}

// usersOf keeps the last entry of each id: one statement can't write a row
// twice.
func usersOf(list []crm.Person, asked time.Time) []models.User {
	index := map[string]int{}
	var out []models.User
	for _, p := range list {
		u := models.User{UserID: p.ID, Email: p.Email, Name: p.Name, Active: p.Active, UpdatedAt: asked}
		if i, ok := index[p.ID]; ok {
			out[i] = u
			continue
		}
		index[p.ID] = len(out)
		out = append(out, u)
	}
	return out
}
