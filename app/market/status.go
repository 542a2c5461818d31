package market

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/queue"
)

const (
	attemptShown = 10 * time.Minute // how long the app page speaks of a connect attempt
	lookEvery    = 15 * time.Second // how often a broken connection is checked while its page is open
)

// Status is all that the app page shows, as GET /apps/dialpad/status answers it. Times are UTC.
type Status struct {
	PlanOK      bool              `json:"plan_ok"`
	Installed   bool              `json:"installed"`
	Connected   bool              `json:"connected"` // directory and subscriptions are in place
	State       *Refusal          `json:"state"`
	Role        string            `json:"role"`
	Plan        StatusPlan        `json:"plan"`
	Plans       []StatusPlan      `json:"plans"`
	InstalledBy string            `json:"installed_by,omitempty"`
	Connection  *StatusConnection `json:"connection"`
	Attempt     *StatusAttempt    `json:"attempt"`
	Settings    StatusSettings    `json:"settings"`
	Queue       StatusQueue       `json:"queue"`
	Warnings    []string          `json:"warnings"` // which schedules will fail if nothing changes, soonest first
	Held        []string          `json:"held"`     // why texts are on hold, each reason once, newest first
}

// StatusPlan is a plan by its key.
type StatusPlan struct {
	Key             string `json:"key"`
	Name            string `json:"name"`
	IncludesDialpad bool   `json:"includes_dialpad"`
}

// StatusConnection is the connection, connected or broken.
type StatusConnection struct {
	Company        string    `json:"company"`
	ConnectedBy    string    `json:"connected_by"`
	ConnectedAt    time.Time `json:"connected_at"`
	State          string    `json:"state"`
	Reason         string    `json:"reason,omitempty"` // why it is broken, for the admin
	RatePerMinute  int       `json:"rate_per_minute"`
	Reserve        int       `json:"reserve"`
	UsedLastMinute int64     `json:"used_last_minute"`
	// Allowed is what goes out a minute at most now: the rate without the reserve, or what Dialpad was seen to take.
	Allowed        int                 `json:"allowed_per_minute"`
	LearnedRate    *float64            `json:"learned_rate"`  // texts a minute that Dialpad was seen to take, null when it never said it was too much
	LimitedAt      *time.Time          `json:"limited_at"`    // when Dialpad last said it was too much
	LimitedWords   string              `json:"limited_words"` // in its words
	LastEventAt    *time.Time          `json:"last_event_at"`
	LastCheckedAt  *time.Time          `json:"last_checked_at"` // the grant and the subscriptions
	DirectoryAt    *time.Time          `json:"directory_at"`    // the people
	TokenExpiresAt *time.Time          `json:"token_expires_at"`
	Subscriptions  StatusSubscriptions `json:"subscriptions"`
}

// StatusSubscriptions says which events Dialpad sends us, and which it refused.
type StatusSubscriptions struct {
	SMS       bool   `json:"sms"`
	ChangeLog bool   `json:"change_log"`
	Note      string `json:"note"`
}

// StatusAttempt is the newest connect attempt of the last ten minutes.
type StatusAttempt struct {
	Step      string    `json:"step"`
	Code      string    `json:"code"`
	Message   string    `json:"message"`
	StartedAt time.Time `json:"started_at"`
}

// StatusSettings are the tenant's settings, as PUT /apps/dialpad/settings takes them.
type StatusSettings struct {
	Country       string      `json:"country"`
	RatePerMinute int         `json:"rate_per_minute"`
	Reserve       int         `json:"reserve"`
	QuietHours    *QuietHours `json:"quiet_hours"`
	OptOutLine    string      `json:"opt_out_line"`
}

// QuietHours are wall times, "20:00" to "08:00".
type QuietHours struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// StatusQueue is what waits (texts), what is scheduled and held (batches), and the last hour.
type StatusQueue struct {
	Waiting        int64 `json:"waiting"`
	Scheduled      int   `json:"scheduled"`
	Held           int   `json:"held"`
	SentLastHour   int   `json:"sent_last_hour"`
	FailedLastHour int   `json:"failed_last_hour"`
	Uncertain      int   `json:"uncertain"`
}

// SettingsOf are a tenant's settings as JSON.
func SettingsOf(t models.Tenant) StatusSettings {
	s := StatusSettings{Country: t.Country, RatePerMinute: t.RatePerMinute, Reserve: t.Reserve, OptOutLine: t.OptOutLine}
	if t.QuietFrom != "" {
		s.QuietHours = &QuietHours{From: t.QuietFrom, To: t.QuietTo}
	}
	return s
}

// Status gathers what the app page shows to whoever's session this is.
func (m *Market) Status(ctx context.Context, v models.Session) (Status, error) {
	t, err := m.store.Tenants.Get(ctx, v.TenantID)
	if err != nil {
		return Status{}, err
	}
	refusal, s, err := m.judgeTenant(ctx, t)
	if err != nil {
		return Status{}, err
	}
	out := Status{PlanOK: m.HasPlan(t.Plan), Installed: s.install.State == models.Installed, State: refusal, Role: v.Role,
		Plan: m.plan(t.Plan), Plans: m.plansFor(t.Plan), Settings: SettingsOf(t)}
	if err = m.tell(ctx, v, &out); err != nil {
		return out, err
	}
	out.Connected = out.Installed && s.connection.Usable()
	if out.Installed {
		if u, err := m.store.Users.Get(ctx, t.ID, s.install.InstalledBy); err == nil {
			out.InstalledBy = u.Name
		}
	}
	if out.Attempt, err = m.attempt(ctx, t.ID); err != nil {
		return out, err
	}
	if s.connection.State != models.Connected && s.connection.State != models.Broken {
		out.Queue, err = m.queue(ctx, t.ID, "")
		return out, err
	}
	if out.Connection, err = m.health(ctx, t, s.connection); err != nil {
		return out, err
	}
	if err = m.lookAgain(ctx, s.connection); err != nil {
		return out, err
	}
	out.Queue, err = m.queue(ctx, t.ID, s.connection.CompanyID)
	return out, err
}

func (m *Market) health(ctx context.Context, t models.Tenant, c models.Connection) (*StatusConnection, error) {
	used, err := m.store.Messages.CountAttemptedSince(ctx, t.ID, m.now().Add(-time.Minute))
	if err != nil {
		return nil, err
	}
	out := &StatusConnection{Company: c.CompanyName, ConnectedBy: c.ConnectedBy, ConnectedAt: c.ConnectedAt.UTC(), State: c.State,
		Reason: c.Reason, RatePerMinute: t.RatePerMinute, Reserve: t.Reserve, Allowed: t.Allowed(), UsedLastMinute: used, LastEventAt: c.LastEventAt,
		LastCheckedAt: c.LastCheckedAt, DirectoryAt: c.DirectoryAt, TokenExpiresAt: c.TokenExpiresAt,
		Subscriptions: StatusSubscriptions{SMS: c.SMSSubscription != "", ChangeLog: c.ChangeSubscription != "", Note: c.SubscriptionsNote}}
	l, err := m.store.Lanes.Get(ctx, t.ID, c.CompanyID)
	if errors.Is(err, models.ErrNotFound) {
		return out, nil
	}
	out.LimitedAt, out.LimitedWords = l.LimitedAt, l.LimitedWords
	if l.LearnedRate > 0 {
		out.LearnedRate = &l.LearnedRate
		if learned := int(l.LearnedRate); out.Allowed == 0 || learned < out.Allowed {
			out.Allowed = learned
		}
	}
	return out, err
}

// lookAgain has a broken connection checked while somebody looks at it: it may have been mended at Dialpad.
func (m *Market) lookAgain(ctx context.Context, c models.Connection) error {
	if c.State != models.Broken || c.LastCheckedAt != nil && m.now().Sub(*c.LastCheckedAt) < lookEvery {
		return nil
	}
	return m.store.Enqueue(ctx, queue.CheckConnection{TenantID: c.TenantID})
}

const (
	warningsShown = 5
	heldLookedAt  = 50
)

// tell fills in what somebody should look after: everybody's for an admin, else the person's own.
func (m *Market) tell(ctx context.Context, v models.Session, out *Status) (err error) {
	userID := v.UserID
	if v.Role == "admin" {
		userID = ""
	}
	if out.Warnings, err = m.store.Batches.Warnings(ctx, v.TenantID, userID, warningsShown); err != nil {
		return err
	}
	held, err := m.store.Batches.List(ctx, v.TenantID, ledger.BatchFilter{UserID: userID, State: ledger.BatchHeld}, "", heldLookedAt)
	out.Held = []string{}
	for _, b := range held {
		if len(out.Held) < warningsShown && !slices.Contains(out.Held, b.HeldReason) {
			out.Held = append(out.Held, b.HeldReason)
		}
	}
	return err
}

func (m *Market) queue(ctx context.Context, tenantID, laneID string) (q StatusQueue, err error) {
	if laneID != "" {
		if q.Waiting, err = m.store.Messages.CountQueued(ctx, tenantID, laneID); err != nil {
			return q, err
		}
	}
	for state, n := range map[string]*int{ledger.BatchScheduled: &q.Scheduled, ledger.BatchHeld: &q.Held} {
		if *n, err = m.store.Batches.Count(ctx, tenantID, state); err != nil {
			return q, err
		}
	}
	hour, err := m.store.Messages.CountSettledSince(ctx, tenantID, m.now().Add(-time.Hour))
	q.SentLastHour, q.FailedLastHour, q.Uncertain = hour.Sent+hour.Delivered, hour.Failed+hour.Undelivered, hour.Uncertain
	return q, err
}

// attempt is the newest attempt as the page tells it. A ticket not yet used counts as waiting; one whose time is over
// was a window that somebody closed.
func (m *Market) attempt(ctx context.Context, tenantID string) (*StatusAttempt, error) {
	a, err := m.store.ConnectAttempts.Latest(ctx, tenantID)
	if errors.Is(err, models.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	out := &StatusAttempt{Step: a.Step, Code: a.Code, Message: a.Message, StartedAt: a.CreatedAt.UTC()}
	onTheWay := false
	switch a.Step {
	case models.StepTicket, models.StepWaiting, models.StepExchanging, models.StepConfirm:
		onTheWay = true
		if a.Step == models.StepTicket {
			out.Step = models.StepWaiting
		}
	}
	over := m.now()
	switch {
	case onTheWay && !over.Before(a.ExpiresAt):
		out.Step, out.Code, out.Message = models.StepFailed, expiredCode, "The Dialpad window was closed or left open for too long. Press Connect again."
		if over.Sub(a.ExpiresAt) > attemptShown {
			return nil, nil
		}
	case !onTheWay && over.Sub(a.UpdatedAt) > attemptShown && a.Step != models.StepFinishing && a.Step != models.StepSubscribes:
		return nil, nil
	}
	return out, nil
}

func (m *Market) plan(key string) StatusPlan {
	first, size := utf8.DecodeRuneInString(key)
	name := strings.ReplaceAll(string(unicode.ToUpper(first))+key[size:], "_", " ")
	return StatusPlan{Key: key, Name: name, IncludesDialpad: m.HasPlan(key)}
}

// plansFor is the comparison: the tenant's own plan, and those with Dialpad.
func (m *Market) plansFor(own string) []StatusPlan {
	var out []StatusPlan
	if !m.HasPlan(own) {
		out = append(out, m.plan(own))
	}
	for _, p := range m.cfg.Plans {
		out = append(out, m.plan(p))
	}
	return out
}
