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

// rememberFor is how long an answer of the CRM stands: a burst of a thousand calls would ask the same each time.
const rememberFor = 30 * time.Second

// memory holds what the CRM answered lately.
type memory[V any] struct {
	mu   sync.Mutex
	kept map[string]remembered[V]
}

type remembered[V any] struct {
	value V
	at    time.Time
}

func (m *memory[V]) recall(key string, now time.Time) (V, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.kept[key]
	return r.value, ok && now.Sub(r.at) < rememberFor
}

func (m *memory[V]) keep(key string, v V, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.kept == nil || len(m.kept) > 10_000 {
		m.kept = map[string]remembered[V]{}
	}
	m.kept[key] = remembered[V]{v, now}
}

// user is a CRM user, read from the CRM if it is new to us. Nobody: the zero User, who is not active.
func (a *Automation) user(ctx context.Context, t models.Tenant, userID string) (models.User, error) {
	u, err := a.store.Users.Get(ctx, t.ID, userID)
	if !errors.Is(err, models.ErrNotFound) {
		return u, err
	}
	key := t.ID + "\x00" + userID
	if _, lately := a.nobody.recall(key, a.cfg.Now()); lately {
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
				return found[0], a.store.Users.Save(ctx, t.ID, found)
			}
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	a.nobody.keep(key, true, a.cfg.Now())
	return models.User{}, nil
}

// templateText is a template's text as it was written half a minute ago at most.
func (a *Automation) templateText(ctx context.Context, t models.Tenant, asking, id string) (string, error) {
	key := t.ID + "\x00" + asking + "\x00" + id
	if text, ok := a.templates.recall(key, a.cfg.Now()); ok {
		return text, nil
	}
	found, err := a.texts.TemplateFor(ctx, t, asking, id)
	if err == nil {
		a.templates.keep(key, found.Body, a.cfg.Now())
	}
	return found.Body, err
}

// spokesman is the CRM user to ask the CRM as where nobody does: whoever connected Dialpad, else another admin.
func (a *Automation) spokesman(ctx context.Context, tenantID string) (string, error) {
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

func crmTenant(t models.Tenant) crm.Tenant {
	return crm.Tenant{ID: t.ID, Linkname: t.Linkname, Name: t.Name, Plan: t.Plan, TimeZone: t.TimeZone}
}
