// Package faircache is a cache of limited bytes that users of many tenants
// share: whoever fills it evicts their own entries first, then those of
// their own tenant.
package faircache

import (
	"container/list"
	"sync"
	"time"
)

// Owner is whose an entry is. User may be "" for what a whole tenant uses.
type Owner struct{ Tenant, User string }

// Limits are in bytes, as Put is told them.
type Limits struct{ User, Tenant, Total int }

// Cache is safe for concurrent use. Entries of two owners never meet,
// whatever their keys.
type Cache[K comparable, V any] struct {
	limits   Limits
	lifetime time.Duration
	now      func() time.Time

	mu      sync.Mutex
	total   int
	tenants map[string]*tenant[K, V]
}

// tenant and user are those that have entries.
type tenant[K comparable, V any] struct {
	bytes int
	users map[string]*user[K, V]
}

type user[K comparable, V any] struct {
	bytes   int
	entries map[K]*list.Element // of recent
	recent  *list.List          // of *entry, the last used first
}

type entry[K comparable, V any] struct {
	key     K
	value   V
	bytes   int
	expires time.Time
}

// overhead is about what the cache itself needs for an entry, in bytes.
const overhead = 300

// New returns a Cache. Entries live for lifetime since they were put; 0 is
// without end.
func New[K comparable, V any](limits Limits, lifetime time.Duration, now func() time.Time) *Cache[K, V] {
	return &Cache[K, V]{limits: limits, lifetime: lifetime, now: now, tenants: map[string]*tenant[K, V]{}}
}

// Get returns an owner's entry, if it is there and has not expired.
func (c *Cache[K, V]) Get(o Owner, key K) (value V, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	u := c.user(o)
	if u == nil || u.entries[key] == nil {
		return value, false
	}
	e := u.entries[key].Value.(*entry[K, V])
	if c.lifetime > 0 && !c.now().Before(e.expires) {
		c.remove(o, u.entries[key])
		return value, false
	}
	u.recent.MoveToFront(u.entries[key])
	return e.value, true
}

// Put stores an entry that takes about so many bytes, in place of the one
// with its key. What is larger than a user may have is not stored.
func (c *Cache[K, V]) Put(o Owner, key K, value V, bytes int) {
	bytes += overhead
	c.mu.Lock()
	defer c.mu.Unlock()
	if u := c.user(o); u != nil && u.entries[key] != nil {
		c.remove(o, u.entries[key])
	}
	if bytes > min(c.limits.User, c.limits.Tenant, c.limits.Total) {
		return
	}
	c.makeRoom(o, bytes)
	t := c.tenants[o.Tenant]
	if t == nil {
		t = &tenant[K, V]{users: map[string]*user[K, V]{}}
		c.tenants[o.Tenant] = t
	}
	u := t.users[o.User]
	if u == nil {
		u = &user[K, V]{entries: map[K]*list.Element{}, recent: list.New()}
		t.users[o.User] = u
	}
	u.entries[key] = u.recent.PushFront(&entry[K, V]{key, value, bytes, c.now().Add(c.lifetime)})
	u.bytes, t.bytes, c.total = u.bytes+bytes, t.bytes+bytes, c.total+bytes
}

// Remove removes an entry.
func (c *Cache[K, V]) Remove(o Owner, key K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if u := c.user(o); u != nil && u.entries[key] != nil {
		c.remove(o, u.entries[key])
	}
}

// Bytes returns what all entries take.
func (c *Cache[K, V]) Bytes() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.total
}

// makeRoom evicts what was not used for longest: the user's while the user
// would have too much, then of the tenant's largest user, then of the
// largest tenant.
func (c *Cache[K, V]) makeRoom(o Owner, bytes int) {
	for u := c.user(o); u != nil && u.bytes > 0 && u.bytes+bytes > c.limits.User; {
		c.remove(o, u.recent.Back())
	}
	for t := c.tenants[o.Tenant]; t != nil && t.bytes > 0 && t.bytes+bytes > c.limits.Tenant; {
		c.evictFrom(o.Tenant)
	}
	for c.total > 0 && c.total+bytes > c.limits.Total {
		largest, most := "", 0
		for id, t := range c.tenants {
			if t.bytes > most {
				largest, most = id, t.bytes
			}
		}
		c.evictFrom(largest)
	}
}

// evictFrom evicts an entry of a tenant's largest user.
func (c *Cache[K, V]) evictFrom(tenantID string) {
	largest, most := "", 0
	for id, u := range c.tenants[tenantID].users {
		if u.bytes > most {
			largest, most = id, u.bytes
		}
	}
	c.remove(Owner{tenantID, largest}, c.tenants[tenantID].users[largest].recent.Back())
}

func (c *Cache[K, V]) user(o Owner) *user[K, V] {
	if t := c.tenants[o.Tenant]; t != nil {
		return t.users[o.User]
	}
	return nil
}

func (c *Cache[K, V]) remove(o Owner, at *list.Element) {
	t := c.tenants[o.Tenant]
	u := t.users[o.User]
	e := u.recent.Remove(at).(*entry[K, V])
	delete(u.entries, e.key)
	u.bytes, t.bytes, c.total = u.bytes-e.bytes, t.bytes-e.bytes, c.total-e.bytes
	if u.bytes == 0 {
		delete(t.users, o.User)
	}
	if t.bytes == 0 {
		delete(c.tenants, o.Tenant)
	}
}
