package faircache

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

func newCache(l Limits, lifetime time.Duration) (*Cache[string, int], *time.Time) {
	now := noon
	return New[string, int](l, lifetime, func() time.Time { return now }), &now
}

func (c *Cache[K, V]) has(o Owner, key K) bool {
	_, ok := c.Get(o, key)
	return ok
}

func TestEntriesAreTheirOwnersAlone(t *testing.T) {
	c, now := newCache(Limits{9999, 9999, 9999}, time.Minute)
	ana, ben, other := Owner{"acme", "ana"}, Owner{"acme", "ben"}, Owner{"globex", "ana"}
	c.Put(ana, "k", 1, 10)
	c.Put(ben, "k", 2, 10)
	if v, ok := c.Get(ana, "k"); v != 1 || !ok || c.has(other, "k") || c.has(ana, "other") {
		t.Errorf("%d, %v", v, ok)
	}
	c.Put(ana, "k", 3, 20)
	if v, _ := c.Get(ana, "k"); v != 3 || c.Bytes() != 30+2*overhead {
		t.Errorf("%d, %d bytes", v, c.Bytes())
	}
	c.Remove(ana, "k")
	c.Remove(other, "k")
	if c.has(ana, "k") || !c.has(ben, "k") {
		t.Error("not what was removed")
	}
	*now = now.Add(time.Minute)
	if c.has(ben, "k") || c.Bytes() != 0 || len(c.tenants) != 0 {
		t.Errorf("an expired entry stays: %d bytes", c.Bytes())
	}
}

func TestNobodyEvictsAnotherTenant(t *testing.T) {
	size := 1000
	c, _ := newCache(Limits{User: 4 * (size + overhead), Tenant: 6 * (size + overhead), Total: 20 * (size + overhead)}, 0)
	victim, colleague, attacker := Owner{"victim", "ana"}, Owner{"acme", "ben"}, Owner{"acme", "eve"}
	c.Put(victim, "k", 1, size)
	c.Put(colleague, "k", 1, size)
	for i := range 1000 {
		c.Put(attacker, strconv.Itoa(i), i, size)
	}
	if !c.has(victim, "k") || !c.has(colleague, "k") || !c.has(attacker, "999") || !c.has(attacker, "996") || c.has(attacker, "995") {
		t.Error("one user's entries evict others'")
	}
	for i := range 1000 { // a whole tenant
		c.Put(Owner{"acme", strconv.Itoa(i)}, "k", i, size)
	}
	if !c.has(victim, "k") || c.tenants["acme"].bytes > c.limits.Tenant {
		t.Error("one tenant's entries evict others'")
	}
	for i := range 10 { // which fill the cache three times
		for j := range 6 {
			c.Put(Owner{fmt.Sprint("t", i), "x"}, strconv.Itoa(j), j, size)
		}
		if c.Bytes() > c.limits.Total {
			t.Fatalf("%d bytes", c.Bytes())
		}
	}
	if !c.has(victim, "k") {
		t.Error("the smallest was evicted before the largest")
	}
}

func TestTooLargeIsNotStored(t *testing.T) {
	c, _ := newCache(Limits{User: 1000, Tenant: 2000, Total: 3000}, 0)
	o := Owner{"acme", "ana"}
	c.Put(o, "k", 1, 10)
	c.Put(o, "k", 2, 1000)
	if c.has(o, "k") || c.Bytes() != 0 {
		t.Error("the entry that it replaces stays")
	}
}

// The sums are right after any run of calls, and within the limits.
func TestSumsAndLimits(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	c, now := newCache(Limits{User: 3000, Tenant: 8000, Total: 20_000}, time.Second)
	for range 20_000 {
		o := Owner{strconv.Itoa(random.IntN(6)), strconv.Itoa(random.IntN(4))}
		key := strconv.Itoa(random.IntN(8))
		switch random.IntN(4) {
		case 0:
			c.Get(o, key)
		case 1:
			c.Remove(o, key)
		default:
			c.Put(o, key, 1, random.IntN(1500))
		}
		*now = now.Add(time.Duration(random.IntN(10)) * time.Millisecond)
		total := 0
		for _, tenant := range c.tenants {
			ofTenant := 0
			for _, u := range tenant.users {
				ofUser := 0
				for at := u.recent.Front(); at != nil; at = at.Next() {
					ofUser += at.Value.(*entry[string, int]).bytes
				}
				if ofUser != u.bytes || ofUser > 3000 || len(u.entries) != u.recent.Len() || ofUser == 0 {
					t.Fatalf("a user has %d bytes, counted %d", ofUser, u.bytes)
				}
				ofTenant += ofUser
			}
			if ofTenant != tenant.bytes || ofTenant > 8000 {
				t.Fatalf("a tenant has %d bytes, counted %d", ofTenant, tenant.bytes)
			}
			total += ofTenant
		}
		if total != c.total || total > 20_000 {
			t.Fatalf("%d bytes, counted %d", total, c.total)
		}
	}
}
