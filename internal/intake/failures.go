package intake

import (
	"net/netip"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
)

// Failures counts what failed by address: forged tokens and signatures,
// sessions and webhooks that do not exist. What succeeds is never counted:
// behind one address may be a whole office, or a server that sends for all
// its customers. Safe for concurrent use.
type Failures struct {
	burst     int
	perSecond rate.Limit
	now       func() time.Time
	addresses *lru.Cache[string, *rate.Limiter]
}

// maxAddresses that failed lately are remembered, in about 2 MB.
const maxAddresses = 10_000

// NewFailures allows each address a burst of failures, and so many a second.
func NewFailures(burst int, perSecond float64, now func() time.Time) *Failures {
	addresses, err := lru.New[string, *rate.Limiter](maxAddresses)
	if err != nil {
		panic(err) // only for a size below one
	}
	return &Failures{burst: burst, perSecond: rate.Limit(perSecond), now: now, addresses: addresses}
}

// Add counts a failure.
func (f *Failures) Add(address string) {
	if address == "" {
		return
	}
	limiter, known := f.addresses.Get(address)
	if !known {
		limiter = rate.NewLimiter(f.perSecond, f.burst)
		if earlier, found, _ := f.addresses.PeekOrAdd(address, limiter); found {
			limiter = earlier
		}
	}
	limiter.AllowN(f.now(), 1)
}

// Exceeded reports whether an address has failed too often lately.
func (f *Failures) Exceeded(address string) bool {
	limiter, known := f.addresses.Get(address)
	return known && limiter.TokensAt(f.now()) < 1
}

// Client returns the name under which an address is counted. A subscriber of
// IPv6 has at least a /64. "" is for no address.
func Client(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return ""
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is4() {
		return ip.String()
	}
	return netip.PrefixFrom(ip, 64).Masked().String()
}

// IsShared reports whether an address is of a private network or this
// machine: of a proxy that does not say for whom it asks, perhaps.
func IsShared(address string) bool {
	ip, err := netip.ParseAddr(address)
	return err != nil || ip.Unmap().IsLoopback() || ip.Unmap().IsPrivate() || ip.Unmap().IsLinkLocalUnicast()
}
