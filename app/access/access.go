// Package access decides who is asking: it verifies the CRM's launch tokens,
// keeps the sessions that they open, and the cookie that reopens a page.
package access

import (
	"errors"
	"fmt"
	"time"

	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
)

const (
	// Idle is how long an unused session lasts.
	Idle = 15 * time.Minute
	// MaxAge is how long a session lasts at most.
	MaxAge = 8 * time.Hour
	// leeway is the verifier's: a token is accepted so long after it
	// expired, and remembered as used for as long.
	leeway = 10 * time.Second
)

// ErrSession means that a session does not exist, has expired, or is a
// deactivated user's: answer 401.
var ErrSession = errors.New("no such session")

// ErrOther means that a launch token is valid, but for another tenant, user
// or ctx than the session it should renew.
var ErrOther = fmt.Errorf("%w: the token is for another tenant, user or ctx", crm.ErrLaunch)

// Access answers for all tenants. It is safe for concurrent use.
type Access struct {
	store    *models.Store
	verifier crm.LaunchVerifier
	now      func() time.Time
}

// New returns an Access. now nil is the store's clock.
func New(store *models.Store, verifier crm.LaunchVerifier, now func() time.Time) *Access {
	if now == nil {
		now = store.Now
	}
	if verifier.Now == nil {
		verifier.Now = now
	}
	return &Access{store: store, verifier: verifier, now: now}
}

// Opened is a new session with its secrets, which are stored nowhere in
// clear.
type Opened struct {
	Session models.Session
	Token   string // the page's bearer token
	Cookie  string // reopens a page; "" unless the launch was for one
	Tenant  models.Tenant
	Ctx     *crm.LaunchTarget // nil for pages
}

// Caller is who a bearer token speaks for.
type Caller struct {
	Session models.Session
	Tenant  models.Tenant
	Ctx     *crm.LaunchTarget // nil for pages
}
