package automation

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
)

// missedFor is how long a user whom the CRM did not name is not asked for again.
const missedFor = time.Minute

// misses remembers users that the CRM did not name: a burst of a thousand calls would read its whole list each time.
type misses struct {
	mu   sync.Mutex
	when map[string]time.Time
}

func (m *misses) lately(key string, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, ok := m.when[key]
	return ok && now.Sub(at) < missedFor
}

func (m *misses) note(key string, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.when == nil || len(m.when) > 10_000 {
		m.when = map[string]time.Time{}
	}
	m.when[key] = now
}

// user is a CRM user, read from the CRM if it is new to us. Nobody: the zero User, who is not active.
func (a *Automation) user(ctx context.Context, t models.Tenant, userID string) (models.User, error) {
	u, err := a.store.User(ctx, t.ID, userID)
	if !errors.Is(err, models.ErrNotFound) {
		return u, err
	}
	key := t.ID + "\x00" + userID
	if a.missed.lately(key, a.cfg.Now()) {
		return models.User{}, nil
	}
	for cursor, pages := "", 0; pages < 1000; pages++ {
		page, err := a.crm.Users(ctx, crmTenant(t), cursor)
		if err != nil {
			return u, fmt.Errorf("read the CRM's users: %w", err)
		}
		for _, p := range page.Users {
			if p.ID == userID {
				found := []models.User{{UserID: p.ID, Email: p.Email, Name: p.Name, Active: p.Active}}
				return found[0], a.store.SaveUsers(ctx, t.ID, found)
			}
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	a.missed.note(key, a.cfg.Now())
	return models.User{}, nil
}

// spokesman is the CRM user to ask the CRM as where nobody does: whoever connected Dialpad, else another admin.
func (a *Automation) spokesman(ctx context.Context, tenantID string) (string, error) {
	c, err := a.store.Connection(ctx, tenantID)
	if err != nil && !errors.Is(err, models.ErrNotFound) {
		return "", err
	}
	u, err := a.store.Spokesman(ctx, tenantID, c.ConnectedByUser)
	if errors.Is(err, models.ErrNotFound) {
		return c.ConnectedByUser, nil
	}
	return u.UserID, err
}

func crmTenant(t models.Tenant) crm.Tenant {
	return crm.Tenant{ID: t.ID, Linkname: t.Linkname, Name: t.Name, Plan: t.Plan, TimeZone: t.TimeZone}
}
