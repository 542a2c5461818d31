package automation

import (
	"context"
	"errors"
	"sync"
	"time"

	"dialpad-texting/models"
)

const (
	// cacheTTL is how long an answer of the CRM is used: a burst
	// of a thousand callbacks would ask the same each time.
	cacheTTL  = 30 * time.Second
	maxCached = 10_000
)

// ttlCache holds recent answers of the CRM. The clock is the caller's.
type ttlCache[V any] struct {
	mu      sync.Mutex
	entries map[string]cacheEntry[V]
}

type cacheEntry[V any] struct {
	value V
	at    time.Time
}

func (c *ttlCache[V]) get(key string, now time.Time) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[key]
	return e.value, ok && now.Sub(e.at) < cacheTTL
}

func (c *ttlCache[V]) put(key string, v V, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries == nil || len(c.entries) > maxCached {
		c.entries = map[string]cacheEntry[V]{}
	}
	c.entries[key] = cacheEntry[V]{v, now}
}

// templateText returns a template's text, at most cacheTTL old.
func (a *Automation) templateText(ctx context.Context, t models.Tenant, apiUser, id string) (string, error) {
	key := t.ID + "\x00" + apiUser + "\x00" + id
	if text, ok := a.templates.get(key, a.cfg.Now()); ok {
		return text, nil
	}
	found, err := a.texts.Templates.Find(ctx, t, apiUser, id)
	if err == nil {
		a.templates.put(key, found.Body, a.cfg.Now())
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
