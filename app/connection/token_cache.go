package connection

import (
	"sync"
	"time"

	"dialpad-texting/models"
)

// cachedToken is a token as it was read or refreshed at readAt.
type cachedToken struct {
	token   Token
	expires *time.Time
	issued  *time.Time
	readAt  time.Time
	// replaces is set while the pair that this one replaced is still stored.
	replaces bool
}

// unsavedPair is a rotated pair that the database did not take. The old one
// is spent, so no other copy exists.
type unsavedPair struct {
	version int64  // that it replaces
	spent   string // the refresh token that it was traded for
	grant   models.Grant
}

// tokenCache is one process's memory of tokens, by tenant.
type tokenCache struct {
	mu      sync.Mutex
	tokens  map[string]cachedToken
	unsaved map[string]unsavedPair
}

func newTokenCache() *tokenCache {
	return &tokenCache{tokens: map[string]cachedToken{}, unsaved: map[string]unsavedPair{}}
}

func (c *tokenCache) get(tenantID string) (cachedToken, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, ok := c.tokens[tenantID]
	return t, ok
}

func (c *tokenCache) put(tenantID string, t cachedToken) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tokens[tenantID] = t
}

func (c *tokenCache) forget(tenantID string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.tokens, tenantID)
}

// acceptFirst reports whether this version is cached and replaces a pair
// that is still stored; the second call reports false.
func (c *tokenCache) acceptFirst(tenantID string, version int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, ok := c.tokens[tenantID]
	if !ok || t.token.Version != version || !t.replaces {
		return false
	}
	t.replaces = false
	c.tokens[tenantID] = t
	return true
}

func (c *tokenCache) unsavedPair(tenantID string, version int64) (unsavedPair, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p, ok := c.unsaved[tenantID]
	return p, ok && p.version == version
}

func (c *tokenCache) keepUnsaved(tenantID string, p unsavedPair) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unsaved[tenantID] = p
}

func (c *tokenCache) dropUnsaved(tenantID string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.unsaved, tenantID)
}
