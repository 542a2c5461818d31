package market

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"golang.org/x/oauth2"

	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/models"
)

const (
	ticketLife  = 10 * time.Minute // from the press of Connect to the callback
	confirmLife = 10 * time.Minute
	windowFor   = time.Minute // what happens behind a callback, also when the window is closed meanwhile
)

// Outcome is what the connect window shows next: Done, a question (Confirm), or why it goes no further. Message is
// for the person in each case, Link the way on.
type Outcome struct {
	Done    bool
	Confirm *Confirm
	Title   string
	Message string
	Link    *Link
}

// Confirm asks whether this Dialpad company really belongs to this tenant. State is what the answer brings back.
type Confirm struct {
	Company, DialpadEmail, TenantName, Linkname, State string
}

// CallbackQuery is what came back from Dialpad, and the cookie value of the browser it came back in.
type CallbackQuery struct {
	State, Code, Error, Description, Browser string
}

// StartConnect makes a ticket for the tenant's admin and gives the address to open at top level. The ticket is good
// once and for 10 minutes; a ticket or window before it is over. Connecting again while connected is fine.
func (m *Market) StartConnect(ctx context.Context, t models.Tenant, s models.Session) (url string, refusal *Refusal, err error) {
	if refusal, err = m.mayConnect(ctx, t); err != nil || refusal != nil {
		return "", refusal, err
	}
	ticket, err := m.store.ConnectAttempts.Create(ctx, t.ID, s.UserID, s.Email, ticketLife)
	if err != nil {
		return "", nil, err
	}
	return m.cfg.PublicURL + "/connect?ticket=" + ticket, nil, m.store.Audits.Add(ctx, t.ID, s.UserID, "connect.started", nil)
}

// mayConnect judges plan and installation.
func (m *Market) mayConnect(ctx context.Context, t models.Tenant) (*Refusal, error) {
	s, err := m.standing(ctx, t.ID)
	if err != nil {
		return nil, err
	}
	return m.Judge(Facts{Plan: t.Plan, InstallState: s.install.State, ConnectionState: models.Connected, Ready: true, Linkname: t.Linkname}), nil
}

// OpenWindow trades a ticket for the address of Dialpad's consent and binds the walk to a browser: browser is a
// random value that the window's cookie keeps. A ticket that is no good gives a *Halt.
func (m *Market) OpenWindow(ctx context.Context, ticket, browser string) (redirect string, err error) {
	state, verifier := models.NewSecret(), oauth2.GenerateVerifier()
	a, err := m.store.ConnectAttempts.UseTicket(ctx, ticket, state, browser, verifier)
	switch {
	case errors.Is(err, models.ErrNotFound):
		return "", &Halt{Code: "unknown", Outcome: staleOutcome, Cause: err}
	case errors.Is(err, models.ErrLost):
		t, gone := m.store.Tenants.Get(ctx, a.TenantID)
		if gone != nil {
			return "", gone
		}
		return "", m.halt(t, staleHalt(err))
	case err != nil:
		return "", err
	}
	return m.dp.AuthCodeURL(state, verifier), nil
}

// Callback takes what Dialpad sent back: it redeems the code, looks who consented for which company, and connects,
// asks, or says why not. A grant that is refused is given back. The error is ours alone, never the person's.
func (m *Market) Callback(ctx context.Context, q CallbackQuery) (Outcome, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), windowFor)
	defer cancel()
	a, verifier, err := m.store.ConnectAttempts.TakeCallback(ctx, q.State, q.Browser)
	if err != nil {
		return m.stray(ctx, q, err)
	}
	t, err := m.store.Tenants.Get(ctx, a.TenantID)
	if err != nil {
		return Outcome{}, err
	}
	if q.Code == "" {
		return m.stop(ctx, a, t, refusedHalt(q.Error), granted{})
	}
	g, halt := m.redeem(ctx, q.Code, verifier)
	if halt != nil {
		return m.stop(ctx, a, t, halt, g)
	}
	return m.admit(ctx, a, t, g)
}

// stray is a callback that no waiting walk in this browser asked for.
func (m *Market) stray(ctx context.Context, q CallbackQuery, cause error) (Outcome, error) {
	if !errors.Is(cause, models.ErrNotFound) && !errors.Is(cause, models.ErrLost) {
		return Outcome{}, cause
	}
	a, err := m.store.ConnectAttempts.ByStateAllTenants(ctx, q.State)
	if errors.Is(err, models.ErrNotFound) {
		return staleOutcome, nil
	}
	if err != nil {
		return Outcome{}, err
	}
	t, err := m.store.Tenants.Get(ctx, a.TenantID)
	if err != nil {
		return Outcome{}, err
	}
	switch {
	case errors.Is(cause, models.ErrNotFound):
		m.log.Warn("a consent came back in another browser", "tenant", a.TenantID, "attempt", a.ID)
		return m.halt(t, otherBrowserHalt()).Outcome, nil
	case a.Step == models.StepFinishing, a.Step == models.StepSubscribes, a.Step == models.StepDone:
		return m.connected(t, ""), nil // the page was loaded again
	case a.Step == models.StepFailed:
		return m.halt(t, &Halt{Code: a.Code, Outcome: Outcome{Title: notConnected, Message: a.Message}}).Outcome, nil
	}
	return m.halt(t, staleHalt(cause)).Outcome, nil
}

// granted is a grant and what Dialpad says of whoever gave it. Sealed in its attempt it waits for the confirmation,
// or for CleanGrant; then Path and Known name the webhook it had.
type granted struct {
	Grant       models.Grant
	CompanyID   string
	CompanyName string
	UserID      string
	Emails      []string
	Path        string
	Known       models.Subscriptions
}

func (g granted) seal() string {
	if g.Grant.Access == "" {
		return ""
	}
	b, err := json.Marshal(g)
	if err != nil {
		panic(err) // strings and a time: always marshals
	}
	return string(b)
}

func parseGranted(sealed string) (granted, error) {
	var g granted
	if json.Unmarshal([]byte(sealed), &g) != nil {
		return g, errors.New("a stored grant is not readable") // the cause would quote it
	}
	return g, nil
}

func (g granted) email() string {
	if len(g.Emails) == 0 {
		return "A person without an e-mail"
	}
	return g.Emails[0]
}

// of tells whether one of the consenting person's e-mails is this one.
func (g granted) of(email string) bool {
	for _, e := range g.Emails {
		if e == models.FoldEmail(email) {
			return true
		}
	}
	return false
}

// redeem trades the code and asks who consented. The grant comes back with the halt too: it has to be given back.
func (m *Market) redeem(ctx context.Context, code, verifier string) (granted, *Halt) {
	token, err := m.dp.Exchange(ctx, code, verifier)
	if err != nil {
		return granted{}, exchangeHalt(err)
	}
	g := granted{Grant: grantOf(token)}
	me, err := m.dp.Me(ctx, token.Access)
	if err != nil {
		return g, askHalt(err)
	}
	g.UserID, g.CompanyID = me.ID, me.CompanyID
	for _, e := range me.Emails {
		g.Emails = append(g.Emails, models.FoldEmail(e))
	}
	if !me.IsSuperAdmin {
		return g, notAdminHalt(g.email())
	}
	company, err := m.dp.Company(ctx, token.Access)
	switch {
	case dialpad.KindOf(err) == dialpad.Forbidden:
		return g, notAdminHalt(g.email())
	case err != nil:
		return g, askHalt(err)
	}
	g.CompanyName = company.Name
	if g.CompanyID == "" {
		g.CompanyID = company.ID
	}
	if g.CompanyName == "" {
		g.CompanyName = "Dialpad company " + g.CompanyID
	}
	return g, nil
}
