package models

import (
	"context"
	"errors"
	"time"

	"dialpad-texting/models/database"
)

// Steps of a connect attempt, in order; failed may follow any.
const (
	StepTicket        = "ticket"     // no window has used the page's ticket yet
	StepWaiting       = "waiting"    // a window was redirected to Dialpad
	StepExchanging    = "exchanging" // Dialpad redirected back with a code
	StepConfirm       = "confirm"    // the person in the window must press Connect
	StepDirectory     = "directory"  // the grant is stored, the directory is being read
	StepSubscriptions = "subscriptions"
	StepDone          = "done"
	StepFailed        = "failed"
)

// ConnectAttempt is one run of the OAuth flow by an admin. Ticket, state
// and browser are 256-bit secrets, stored as hashes. Each works once.
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
	Code        string // why it failed, for programs
	Message     string // why it failed, for people
	GrantSealed Sealed // a grant to be confirmed or revoked
	CreatedAt   time.Time
	UpdatedAt   time.Time
	ExpiresAt   time.Time
}

// attemptPlace names a column of an attempt for Vault.
func attemptPlace(column, id string) string { return "connect_attempts." + column + "." + id }

// Create stores an attempt of a tenant's admin and returns its ticket,
// which is valid for lifetime. It expires the tenant's earlier attempts
// that are not finished.
func (s ConnectAttempts) Create(ctx context.Context, tenantID, userID, email string, lifetime time.Duration) (ticket string, err error) {
	ticket = NewSecret()
	if err := s.s.q(ctx).Model(&ConnectAttempt{}).Where("tenant_id = ? AND step IN ? AND expires_at > ?", tenantID,
		[]string{StepTicket, StepWaiting, StepConfirm}, s.s.db.Now()).Update("expires_at", s.s.db.Now()).Error; err != nil {
		return "", err
	}
	a := ConnectAttempt{ID: database.NewID(), TenantID: tenantID, UserID: userID, UserEmail: email,
		TicketHash: Hash(ticket), Step: StepTicket, ExpiresAt: s.s.db.Now().Add(lifetime)}
	return ticket, s.s.q(ctx).Create(&a).Error
}

// UseTicket redeems a ticket and binds its attempt to a state, a browser
// and a PKCE verifier. It returns ErrNotFound for an unknown ticket, and
// ErrLost for one that was used or has expired.
func (s ConnectAttempts) UseTicket(ctx context.Context, ticket, state, browser, verifier string) (ConnectAttempt, error) {
	var a ConnectAttempt
	if err := s.s.q(ctx).Take(&a, "ticket_hash = ?", Hash(ticket)).Error; err != nil {
		return a, database.Translate(err)
	}
	err := database.LostIfUnchanged(s.s.q(ctx).Model(&ConnectAttempt{}).
		Where("id = ? AND step = ? AND expires_at > ?", a.ID, StepTicket, s.s.db.Now()).
		Updates(map[string]any{"step": StepWaiting, "state_hash": Hash(state), "browser_hash": Hash(browser),
			"verifier": s.s.vault.Seal(attemptPlace("verifier", a.ID), verifier)}))
	return a, err
}

// TakeCallback returns the attempt of an OAuth callback's state and
// browser with its verifier, once. It returns ErrNotFound when they name
// none, and ErrLost when it was used or has expired.
func (s ConnectAttempts) TakeCallback(ctx context.Context, state, browser string) (a ConnectAttempt, verifier string, err error) {
	if a, err = s.startExchange(ctx, state, browser, StepWaiting); err != nil {
		return a, "", err
	}
	verifier, err = s.s.vault.Open(attemptPlace("verifier", a.ID), a.Verifier)
	return a, verifier, err
}

// startExchange moves the attempt of a state and browser from a step to
// StepExchanging.
func (s ConnectAttempts) startExchange(ctx context.Context, state, browser, from string) (a ConnectAttempt, err error) {
	if err := s.s.q(ctx).Take(&a, "state_hash = ? AND browser_hash = ?", Hash(state), Hash(browser)).Error; err != nil {
		return a, database.Translate(err)
	}
	return a, database.LostIfUnchanged(s.s.q(ctx).Model(&ConnectAttempt{}).
		Where("id = ? AND step = ? AND expires_at > ?", a.ID, from, s.s.db.Now()).Update("step", StepExchanging))
}

// AwaitConfirm seals a grant into the attempt until the same browser
// confirms it with state, within lifetime.
func (s ConnectAttempts) AwaitConfirm(ctx context.Context, id, grant, state string, lifetime time.Duration) error {
	return database.LostIfUnchanged(s.s.q(ctx).Model(&ConnectAttempt{}).Where("id = ? AND step = ?", id, StepExchanging).
		Updates(map[string]any{"step": StepConfirm, "grant_sealed": s.s.vault.Seal(attemptPlace("grant", id), grant),
			"state_hash": Hash(state), "expires_at": s.s.db.Now().Add(lifetime)}))
}

// TakeConfirm returns the attempt that awaits its confirmation, and the
// grant, once. The errors are those of TakeCallback.
func (s ConnectAttempts) TakeConfirm(ctx context.Context, state, browser string) (a ConnectAttempt, grant string, err error) {
	if a, err = s.startExchange(ctx, state, browser, StepConfirm); err != nil {
		return a, "", err
	}
	grant, err = s.s.vault.Open(attemptPlace("grant", a.ID), a.GrantSealed)
	return a, grant, err
}

// ByStateAllTenants returns the attempt of a state, whatever the browser,
// or ErrNotFound. The tenant is not known before.
func (s ConnectAttempts) ByStateAllTenants(ctx context.Context, state string) (ConnectAttempt, error) {
	var a ConnectAttempt
	return a, database.Translate(s.s.q(ctx).Take(&a, "state_hash = ?", Hash(state)).Error)
}

// Get returns an attempt, or ErrNotFound.
func (s ConnectAttempts) Get(ctx context.Context, tenantID, id string) (ConnectAttempt, error) {
	var a ConnectAttempt
	return a, database.Translate(s.s.q(ctx).Take(&a, "tenant_id = ? AND id = ?", tenantID, id).Error)
}

// SetStep stores the step of an attempt, and returns ErrLost when the
// attempt is done or failed. leftover is a grant that will not be used,
// "" for none: it stays sealed in the attempt until the job CleanGrant
// has revoked it.
func (s ConnectAttempts) SetStep(ctx context.Context, a ConnectAttempt, step, code, message, leftover string) error {
	return database.LostIfUnchanged(s.s.q(ctx).Model(&ConnectAttempt{}).
		Where("tenant_id = ? AND id = ? AND step NOT IN ?", a.TenantID, a.ID, []string{StepDone, StepFailed}).
		Updates(map[string]any{"step": step, "code": code, "message": message,
			"grant_sealed": s.s.vault.Seal(attemptPlace("grant", a.ID), leftover)}))
}

// DeleteGrant deletes the grant that is sealed in an attempt.
func (s ConnectAttempts) DeleteGrant(ctx context.Context, tenantID, id string) error {
	return s.s.q(ctx).Model(&ConnectAttempt{}).Where("tenant_id = ? AND id = ?", tenantID, id).
		Update("grant_sealed", "").Error
}

// SetFinishingStep stores the step of the tenant's attempt whose grant is
// stored already.
func (s ConnectAttempts) SetFinishingStep(ctx context.Context, tenantID, step, message string) error {
	return s.updateFinishing(ctx, tenantID, map[string]any{"step": step, "message": message})
}

// FailFinishing fails the tenant's attempt whose grant is stored already.
func (s ConnectAttempts) FailFinishing(ctx context.Context, tenantID, code, message string) error {
	return s.updateFinishing(ctx, tenantID, map[string]any{"step": StepFailed, "code": code, "message": message})
}

func (s ConnectAttempts) updateFinishing(ctx context.Context, tenantID string, set map[string]any) error {
	return s.s.q(ctx).Model(&ConnectAttempt{}).
		Where("tenant_id = ? AND step IN ?", tenantID, []string{StepDirectory, StepSubscriptions}).Updates(set).Error
}

// Latest returns the tenant's newest attempt of the last hour, or
// ErrNotFound.
func (s ConnectAttempts) Latest(ctx context.Context, tenantID string) (ConnectAttempt, error) {
	var a ConnectAttempt
	return a, database.Translate(s.s.q(ctx).Where("tenant_id = ? AND created_at > ?", tenantID, s.s.db.Now().Add(-time.Hour)).
		Order("created_at DESC, id DESC").Take(&a).Error)
}

// ExpiredGrantsAllTenants returns attempts that expired with a sealed
// grant, which is to be revoked.
func (s ConnectAttempts) ExpiredGrantsAllTenants(ctx context.Context) ([]ConnectAttempt, error) {
	var out []ConnectAttempt
	return out, s.s.q(ctx).Where("step IN ? AND expires_at <= ? AND grant_sealed <> ''", []string{StepConfirm, StepExchanging}, s.s.db.Now()).
		Limit(50).Find(&out).Error
}

// HoldGrantsAllTenants reports whether any attempt but this one has got a
// grant, or is about to, that is not yet accepted or refused.
func (s ConnectAttempts) HoldGrantsAllTenants(ctx context.Context, exceptID string) (bool, error) {
	var n int64
	err := s.s.q(ctx).Model(&ConnectAttempt{}).Where("step IN ? AND expires_at > ? AND id <> ?",
		[]string{StepExchanging, StepConfirm}, s.s.db.Now(), exceptID).Count(&n).Error
	return n > 0, err
}

// OpenGrant opens the grant that is sealed in an attempt.
func (s ConnectAttempts) OpenGrant(a ConnectAttempt) (string, error) {
	if a.GrantSealed.Empty() {
		return "", errors.New("the attempt holds no grant")
	}
	return s.s.vault.Open(attemptPlace("grant", a.ID), a.GrantSealed)
}
