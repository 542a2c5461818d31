package models

import (
	"context"
	"errors"
	"time"

	"dialpad-texting/models/database"
)

// Steps of a connect attempt, in order; failed may follow any.
const (
	StepTicket     = "ticket"     // the page has a ticket, no window has used it
	StepWaiting    = "waiting"    // the window went to Dialpad
	StepExchanging = "exchanging" // the callback came back with a code
	StepConfirm    = "confirm"    // a Dialpad admin of another e-mail must press Connect
	StepFinishing  = "directory"  // the grant is stored; the directory is being read
	StepSubscribes = "subscriptions"
	StepDone       = "done"
	StepFailed     = "failed"
)

// ConnectAttempt is one walk of an admin to Dialpad's consent and back. Its ticket, state and browser are secrets of
// 256 bits, stored hashed; each works once.
type ConnectAttempt struct {
	ID          string `gorm:"primaryKey"`
	TenantID    string
	UserID      string
	UserEmail   string
	TicketHash  string
	StateHash   string
	BrowserHash string
	Verifier    Sealed // PKCE, RFC 7636
	Step        string
	Code        string // why it failed, in a word
	Message     string // the sentence when it failed
	GrantSealed Sealed // the grant while it waits for the confirmation, or to be revoked
	CreatedAt   time.Time
	UpdatedAt   time.Time
	ExpiresAt   time.Time
}

func attemptPlace(column, id string) string { return "connect_attempts." + column + "." + id }

// NewConnectAttempt makes a ticket for a tenant's admin. An older attempt of the tenant that is still on its way is
// over: the newest window counts.
func (s ConnectAttempts) Create(ctx context.Context, tenantID, userID, email string, life time.Duration) (ticket string, err error) {
	ticket = NewSecret()
	if err := s.s.q(ctx).Model(&ConnectAttempt{}).Where("tenant_id = ? AND step IN ? AND expires_at > ?", tenantID,
		[]string{StepTicket, StepWaiting, StepConfirm}, s.s.db.Now()).Update("expires_at", s.s.db.Now()).Error; err != nil {
		return "", err
	}
	a := ConnectAttempt{ID: database.NewID(), TenantID: tenantID, UserID: userID, UserEmail: email,
		TicketHash: Hash(ticket), Step: StepTicket, ExpiresAt: s.s.db.Now().Add(life)}
	return ticket, s.s.q(ctx).Create(&a).Error
}

// UseTicket takes a ticket, once, and binds the attempt to a browser and a state.
func (s ConnectAttempts) UseTicket(ctx context.Context, ticket, state, browser, verifier string) (ConnectAttempt, error) {
	var a ConnectAttempt
	if err := s.s.q(ctx).Take(&a, "ticket_hash = ?", Hash(ticket)).Error; err != nil {
		return a, database.Translate(err)
	}
	err := database.MustChange(s.s.q(ctx).Model(&ConnectAttempt{}).
		Where("id = ? AND step = ? AND expires_at > ?", a.ID, StepTicket, s.s.db.Now()).
		Updates(map[string]any{"step": StepWaiting, "state_hash": Hash(state), "browser_hash": Hash(browser),
			"verifier": s.s.vault.Seal(attemptPlace("verifier", a.ID), verifier)}))
	return a, err
}

// TakeCallback takes the attempt that a callback's state names, once, if it came back in the same browser.
func (s ConnectAttempts) TakeCallback(ctx context.Context, state, browser string) (a ConnectAttempt, verifier string, err error) {
	if err := s.s.q(ctx).Take(&a, "state_hash = ? AND browser_hash = ?", Hash(state), Hash(browser)).Error; err != nil {
		return a, "", database.Translate(err)
	}
	err = database.MustChange(s.s.q(ctx).Model(&ConnectAttempt{}).
		Where("id = ? AND step = ? AND expires_at > ?", a.ID, StepWaiting, s.s.db.Now()).Update("step", StepExchanging))
	if err != nil {
		return a, "", err
	}
	verifier, err = s.s.vault.Open(attemptPlace("verifier", a.ID), a.Verifier)
	return a, verifier, err
}

// AwaitConfirm keeps what Dialpad granted, sealed, until the person presses Connect in the same browser.
func (s ConnectAttempts) AwaitConfirm(ctx context.Context, id, grant, state string, life time.Duration) error {
	return database.MustChange(s.s.q(ctx).Model(&ConnectAttempt{}).Where("id = ? AND step = ?", id, StepExchanging).
		Updates(map[string]any{"step": StepConfirm, "grant_sealed": s.s.vault.Seal(attemptPlace("grant", id), grant),
			"state_hash": Hash(state), "expires_at": s.s.db.Now().Add(life)}))
}

// TakeConfirm takes what waits for the confirmation, once.
func (s ConnectAttempts) TakeConfirm(ctx context.Context, state, browser string) (a ConnectAttempt, grant string, err error) {
	if err := s.s.q(ctx).Take(&a, "state_hash = ? AND browser_hash = ?", Hash(state), Hash(browser)).Error; err != nil {
		return a, "", database.Translate(err)
	}
	err = database.MustChange(s.s.q(ctx).Model(&ConnectAttempt{}).
		Where("id = ? AND step = ? AND expires_at > ?", a.ID, StepConfirm, s.s.db.Now()).
		Update("step", StepExchanging))
	if err != nil {
		return a, "", err
	}
	grant, err = s.s.vault.Open(attemptPlace("grant", a.ID), a.GrantSealed)
	return a, grant, err
}

// AttemptByStateAllTenants finds the attempt that a state names, in whatever browser it came back; the state alone
// names its tenant.
func (s ConnectAttempts) ByStateAllTenants(ctx context.Context, state string) (ConnectAttempt, error) {
	var a ConnectAttempt
	return a, database.Translate(s.s.q(ctx).Take(&a, "state_hash = ?", Hash(state)).Error)
}

// Attempt returns one attempt.
func (s ConnectAttempts) Get(ctx context.Context, tenantID, id string) (ConnectAttempt, error) {
	var a ConnectAttempt
	return a, database.Translate(s.s.q(ctx).Take(&a, "tenant_id = ? AND id = ?", tenantID, id).Error)
}

// MoveAttempt moves an attempt on that is not over. leftover is a grant that nobody will use: it is kept, sealed,
// until CleanGrant has given it back to Dialpad.
func (s ConnectAttempts) SetStep(ctx context.Context, a ConnectAttempt, step, code, message, leftover string) error {
	return database.MustChange(s.s.q(ctx).Model(&ConnectAttempt{}).
		Where("tenant_id = ? AND id = ? AND step NOT IN ?", a.TenantID, a.ID, []string{StepDone, StepFailed}).
		Updates(map[string]any{"step": step, "code": code, "message": message,
			"grant_sealed": s.s.vault.Seal(attemptPlace("grant", a.ID), leftover)}))
}

// ForgetAttemptGrant forgets the grant that an attempt left over.
func (s ConnectAttempts) DeleteGrant(ctx context.Context, tenantID, id string) error {
	return s.s.q(ctx).Model(&ConnectAttempt{}).Where("tenant_id = ? AND id = ?", tenantID, id).
		Update("grant_sealed", "").Error
}

// StepTenantAttempt moves the attempt that is finishing for the tenant on.
func (s ConnectAttempts) SetFinishingStep(ctx context.Context, tenantID, step, message string) error {
	return s.updateFinishing(ctx, tenantID, map[string]any{"step": step, "message": message})
}

// FailTenantAttempt ends the attempt that is finishing for the tenant.
func (s ConnectAttempts) FailFinishing(ctx context.Context, tenantID, code, message string) error {
	return s.updateFinishing(ctx, tenantID, map[string]any{"step": StepFailed, "code": code, "message": message})
}

func (s ConnectAttempts) updateFinishing(ctx context.Context, tenantID string, set map[string]any) error {
	return s.s.q(ctx).Model(&ConnectAttempt{}).
		Where("tenant_id = ? AND step IN ?", tenantID, []string{StepFinishing, StepSubscribes}).Updates(set).Error
}

// LatestAttempt returns the tenant's newest attempt of the last hour, or ErrNotFound.
func (s ConnectAttempts) Latest(ctx context.Context, tenantID string) (ConnectAttempt, error) {
	var a ConnectAttempt
	return a, database.Translate(s.s.q(ctx).Where("tenant_id = ? AND created_at > ?", tenantID, s.s.db.Now().Add(-time.Hour)).
		Order("created_at DESC, id DESC").Take(&a).Error)
}

// ExpiredGrantsAllTenants returns attempts whose grant waited for a confirmation that never came, so that it can be
// revoked.
func (s ConnectAttempts) ExpiredGrantsAllTenants(ctx context.Context) ([]ConnectAttempt, error) {
	var out []ConnectAttempt
	return out, s.s.q(ctx).Where("step IN ? AND expires_at <= ? AND grant_sealed <> ''", []string{StepConfirm, StepExchanging}, s.s.db.Now()).
		Limit(50).Find(&out).Error
}

// OpenAttemptGrant opens the grant of an attempt that waits for its confirmation or left it over.
func (s ConnectAttempts) OpenGrant(a ConnectAttempt) (string, error) {
	if a.GrantSealed.Empty() {
		return "", errors.New("the attempt holds no grant")
	}
	return s.s.vault.Open(attemptPlace("grant", a.ID), a.GrantSealed)
}
