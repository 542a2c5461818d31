package models

import (
	"context"
	"errors"
	"sync"
	"time"

	"gorm.io/gorm/clause"

	"dialpad-texting/internal/phone"
	"dialpad-texting/models/database"
	"dialpad-texting/models/ledger"
)

// Tenant is a CRM account with its settings.
type Tenant struct {
	ID       string `gorm:"primaryKey"`
	Linkname string
	Name     string
	Plan     string
	TimeZone string

	Country       string // ISO 3166-1 alpha-2, of numbers without a country code
	RatePerMinute int    // Dialpad's limit in texts; 0 is unlimited, for tests and benchmarks only
	Reserve       int    // texts a minute for the customer's other tools
	QuietFrom     string // "20:00", empty for none
	QuietTo       string
	KeepLaws      bool // keep to the hours of the law too
	OptOutLine    string
	ConfirmOver   int // a bulk to more people is asked about first

	NumberKey   Sealed
	DataVersion int       // see dataVersion
	SignedAt    time.Time // when the CRM signed Plan, Name and Linkname
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// AllowedRate returns how many texts a minute may be sent, 0 for unlimited.
func (t Tenant) AllowedRate() int { return ledger.AllowedRate(t.RatePerMinute, t.Reserve) }

// QuietHours are wall times, "20:00" to "08:00".
type QuietHours struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// QuietHours returns the tenant's own quiet hours, nil for none.
func (t Tenant) QuietHours() *QuietHours {
	if t.QuietFrom == "" {
		return nil
	}
	return &QuietHours{From: t.QuietFrom, To: t.QuietTo}
}

// Settings are what an admin may set.
type Settings struct {
	Country       string
	RatePerMinute int
	Reserve       int
	QuietFrom     string
	QuietTo       string
	KeepLaws      bool
	OptOutLine    string
	ConfirmOver   int
}

// DefaultConfirmOver is the ConfirmOver of a new tenant.
const DefaultConfirmOver = 50

// Get returns a tenant, or ErrNotFound.
func (s Tenants) Get(ctx context.Context, id string) (Tenant, error) {
	var t Tenant
	return t, database.Translate(s.s.q(ctx).Take(&t, "id = ?", id).Error)
}

// SignedTenant is the tenant block of a request that the CRM signed.
type SignedTenant struct {
	ID, Linkname, Name, Plan, TimeZone string
	SignedAt                           time.Time
}

// SaveSigned creates or updates a tenant and returns it. A block signed
// before the stored one changes nothing.
func (s Tenants) SaveSigned(ctx context.Context, b SignedTenant) (Tenant, error) {
	old, err := s.Get(ctx, b.ID)
	switch {
	case errors.Is(err, database.ErrNotFound):
		t := Tenant{ID: b.ID, Linkname: b.Linkname, Name: b.Name, Plan: b.Plan, TimeZone: b.TimeZone,
			Country: "US", RatePerMinute: 100, QuietFrom: "20:00", QuietTo: "09:00", KeepLaws: true, ConfirmOver: DefaultConfirmOver, SignedAt: b.SignedAt.UTC(),
			NumberKey: s.s.vault.Seal("tenants.number_key."+b.ID, NewSecret()), DataVersion: dataVersion}
		if err := s.s.q(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&t).Error; err != nil {
			return t, database.Translate(err)
		}
		return s.Get(ctx, b.ID)
	case err != nil:
		return old, err
	}
	same := old.Linkname == b.Linkname && old.Name == b.Name && old.Plan == b.Plan && old.TimeZone == b.TimeZone
	// Without this, a busy tenant's row would be written at every launch.
	if b.SignedAt.Before(old.SignedAt) || same && b.SignedAt.Sub(old.SignedAt) < time.Minute {
		return old, nil
	}
	r := s.s.q(ctx).Model(&Tenant{}).Where("id = ? AND signed_at <= ?", b.ID, b.SignedAt.UTC()).Updates(map[string]any{
		"linkname": b.Linkname, "name": b.Name, "plan": b.Plan, "time_zone": b.TimeZone, "signed_at": b.SignedAt.UTC()})
	if r.Error != nil {
		return old, r.Error
	}
	return s.Get(ctx, b.ID)
}

// SaveSettings stores an admin's settings.
func (s Tenants) SaveSettings(ctx context.Context, tenantID string, v Settings) error {
	return database.LostIfUnchanged(s.s.q(ctx).Model(&Tenant{}).Where("id = ?", tenantID).Updates(map[string]any{
		"country": v.Country, "rate_per_minute": v.RatePerMinute, "reserve": v.Reserve,
		"quiet_from": v.QuietFrom, "quiet_to": v.QuietTo, "keep_laws": v.KeepLaws, "opt_out_line": v.OptOutLine, "confirm_over": v.ConfirmOver}))
}

// numberKeys caches each tenant's key for hashing numbers: it never
// changes, and opening it costs a query.
type numberKeys struct {
	mu   sync.RWMutex
	keys map[string][]byte
}

func newNumberKeys() *numberKeys { return &numberKeys{keys: map[string][]byte{}} }

// NumberKey returns a keyed hash of a phone number (E.164), stable for
// the tenant and useless outside it. All forms of a person's number
// have the same key.
func (s Tenants) NumberKey(ctx context.Context, tenantID, number string) (string, error) {
	key, err := s.numberKey(ctx, tenantID)
	if err != nil {
		return "", err
	}
	return keyedHash(key, phone.Canonical(number)), nil
}

// NumberKeys returns the key of a number, and the keys that its other
// forms had before they had one: an erased opt-out still has them.
func (s Tenants) NumberKeys(ctx context.Context, tenantID, number string) ([]string, error) {
	key, err := s.numberKey(ctx, tenantID)
	if err != nil {
		return nil, err
	}
	forms := phone.Forms(number)
	keys := make([]string, len(forms))
	for i, form := range forms {
		keys[i] = keyedHash(key, form)
	}
	return keys, nil
}

// RequestHash returns a keyed hash of a request's own hash, for what is stored:
// the hash of a short text to a known number could be guessed.
func (s Tenants) RequestHash(ctx context.Context, tenantID, hash string) (string, error) {
	key, err := s.numberKey(ctx, tenantID)
	if err != nil {
		return "", err
	}
	return keyedHash(key, "request:"+hash), nil
}

func (s Tenants) numberKey(ctx context.Context, tenantID string) ([]byte, error) {
	cache := s.s.keys
	cache.mu.RLock()
	key := cache.keys[tenantID]
	cache.mu.RUnlock()
	if key == nil {
		t, err := s.Get(ctx, tenantID)
		if err != nil {
			return nil, err
		}
		secret, err := s.s.vault.Open("tenants.number_key."+tenantID, t.NumberKey)
		if err != nil {
			return nil, err
		}
		key = []byte(secret)
		cache.mu.Lock()
		cache.keys[tenantID] = key
		cache.mu.Unlock()
	}
	return key, nil
}
