package connection

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"golang.org/x/oauth2"

	"dialpad-texting/app/eligibility"
	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/models"
)

const (
	ticketTTL      = 10 * time.Minute // from the press of Connect to the callback
	confirmTTL     = 10 * time.Minute
	connectTimeout = time.Minute // of the work behind a callback; it goes on if the window is closed
)

// Connector connects tenants: it runs the connect window from the button to
// the stored grant. It is safe for concurrent use.
type Connector struct {
	store     *models.Store
	dp        *dialpad.Client
	eligible  *eligibility.Checker
	tokens    *Tokens
	hooks     hookClient
	revoker   revoker
	publicURL string
	log       *slog.Logger
}

// NewConnector returns a Connector over a store.
func NewConnector(store *models.Store, dp *dialpad.Client, eligible *eligibility.Checker, tokens *Tokens, cfg Config) *Connector {
	cfg = cfg.withDefaults(store)
	return &Connector{store: store, dp: dp, eligible: eligible, tokens: tokens,
		hooks: newHookClient(dp, cfg.PublicURL), revoker: revoker{store, dp, cfg.Log}, publicURL: cfg.PublicURL, log: cfg.Log}
}

// Result is what the connect window shows next: success (Done), a question
// (Confirm), or why it stops. Message is for the person in each case, Link
// the way on.
type Result struct {
	Done    bool
	Confirm *Confirm
	Title   string
	Message string
	Link    *eligibility.Link
}

// Confirm asks whether this Dialpad company belongs to this tenant. The
// answer brings State back.
type Confirm struct {
	Company, DialpadEmail, TenantName, Linkname, State string
	OtherEmail                                         bool   // DialpadEmail is not the e-mail of the admin who started this
	Replaces                                           string // the company that is connected at present, "" unless it is another
}

// Start makes a ticket for the tenant's admin and returns the address to
// open in a window of its own. A ticket works once and for 10 minutes, and
// ends earlier tickets and windows. A connected tenant may start again.
func (c *Connector) Start(ctx context.Context, t models.Tenant, s models.Session) (url string, refusal *eligibility.Refusal, err error) {
	if refusal, err = c.eligible.CheckInstalled(ctx, t); err != nil || refusal != nil {
		return "", refusal, err
	}
	ticket, err := c.store.ConnectAttempts.Create(ctx, t.ID, s.UserID, s.Email, ticketTTL)
	if err != nil {
		return "", nil, err
	}
	return c.publicURL + "/connect?ticket=" + ticket, nil, c.store.Audits.Add(ctx, t.ID, s.UserID, "connect.started", nil)
}

// OpenWindow trades a ticket for the address of Dialpad's consent page.
// browser is the random value of the window's cookie; the callback must come
// from the same browser. A ticket that is not valid gives a *ConnectError.
func (c *Connector) OpenWindow(ctx context.Context, ticket, browser string) (redirect string, err error) {
	state, verifier := models.NewSecret(), oauth2.GenerateVerifier()
	a, err := c.store.ConnectAttempts.UseTicket(ctx, ticket, state, browser, verifier)
	switch {
	case errors.Is(err, models.ErrNotFound):
		return "", &ConnectError{Code: "unknown", Result: unknownResult, Cause: err}
	case errors.Is(err, models.ErrLost):
		t, tenantErr := c.store.Tenants.Get(ctx, a.TenantID)
		if tenantErr != nil {
			return "", tenantErr
		}
		return "", c.withLink(t, errStale(err))
	case err != nil:
		return "", err
	}
	return c.dp.AuthCodeURL(state, verifier), nil
}
