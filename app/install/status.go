package install

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"dialpad-texting/app/compose"
	"dialpad-texting/app/connection"
	"dialpad-texting/app/eligibility"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/queue"
)

const (
	attemptShownFor = 10 * time.Minute // how long the page shows a finished connect attempt
	recheckInterval = 15 * time.Second // of a broken connection while its page is open
	maxWarnings     = 5                // and reasons of held batches
	maxHeldRead     = 50
)

// Status returns what the app page shows to this session's person.
func (i *Installer) Status(ctx context.Context, v models.Session) (Status, error) {
	t, err := i.store.Tenants.Get(ctx, v.TenantID)
	if err != nil {
		return Status{}, err
	}
	s, err := eligibility.ReadState(ctx, i.store, t.ID)
	if err != nil {
		return Status{}, err
	}
	out := Status{PlanOK: i.eligible.HasPlan(t.Plan), Installed: s.Installation.State == models.Installed,
		State: i.eligible.CheckState(t, s), Role: v.Role,
		Plan: i.plan(t.Plan), Plans: i.comparedPlans(t.Plan), Settings: SettingsOf(t)}
	if err = i.addWarnings(ctx, v, &out); err != nil {
		return out, err
	}
	out.Connected = out.Installed && s.Connection.Usable()
	if out.You, err = i.you(ctx, v); err != nil {
		return out, err
	}
	if out.Installed {
		if u, err := i.store.Users.Get(ctx, t.ID, s.Installation.InstalledBy); err == nil {
			out.InstalledBy = u.Name
		}
	}
	if out.Attempt, err = i.latestAttempt(ctx, t.ID); err != nil {
		return out, err
	}
	if s.Connection.State != models.Connected && s.Connection.State != models.Broken {
		out.Queue, err = i.queue(ctx, t.ID, "")
		return out, err
	}
	if out.Connection, err = i.connectionStatus(ctx, t, s.Connection); err != nil {
		return out, err
	}
	if err = i.recheckBroken(ctx, s.Connection); err != nil {
		return out, err
	}
	out.Queue, err = i.queue(ctx, t.ID, s.Connection.CompanyID)
	return out, err
}

// you says whether a session's person may text.
func (i *Installer) you(ctx context.Context, v models.Session) (StatusYou, error) {
	account, refusal, err := i.eligible.CheckUser(ctx, v.TenantID, v.Email)
	if err != nil {
		return StatusYou{}, err
	}
	out := StatusYou{Able: refusal == nil, Email: v.Email, Number: compose.Display(account.Number)}
	if refusal != nil {
		out.Code, out.Reason = refusal.Code, refusal.Reason
	}
	if account.LacksNumber() {
		out.Code = eligibility.CodeNoNumber
	}
	return out, nil
}

func (i *Installer) connectionStatus(ctx context.Context, t models.Tenant, c models.Connection) (*StatusConnection, error) {
	used, err := i.store.Counters.AttemptedSince(ctx, t.ID, i.now().Add(-time.Minute))
	if err != nil {
		return nil, err
	}
	out := &StatusConnection{Company: c.CompanyName, ConnectedBy: c.ConnectedBy, ConnectedAt: c.ConnectedAt.UTC(), State: c.State,
		Reason: c.Reason, RatePerMinute: t.RatePerMinute, Reserve: t.Reserve, Allowed: t.AllowedRate(), UsedLastMinute: used, LastEventAt: c.LastEventAt,
		LastCheckedAt: c.LastCheckedAt, DirectoryAt: c.DirectoryAt, TokenExpiresAt: c.TokenExpiresAt,
		Subscriptions: StatusSubscriptions{SMS: c.SMSSubscription != "", ChangeLog: c.ChangeSubscription != "", Note: c.SubscriptionsNote}}
	l, err := i.store.Lanes.Get(ctx, t.ID, c.CompanyID)
	if errors.Is(err, models.ErrNotFound) {
		return out, nil
	}
	out.LimitedAt, out.LimitedWords = l.LimitedAt, l.LimitedWords
	if l.LearnedRate > 0 {
		out.LearnedRate = &l.LearnedRate
	}
	out.Allowed = l.AllowedRate(out.Allowed)
	return out, err
}

// recheckBroken enqueues a check of a broken connection while somebody has
// the page open: it may have been repaired at Dialpad.
func (i *Installer) recheckBroken(ctx context.Context, c models.Connection) error {
	if c.State != models.Broken || c.LastCheckedAt != nil && i.now().Sub(*c.LastCheckedAt) < recheckInterval {
		return nil
	}
	return i.store.Enqueue(ctx, queue.CheckConnection{TenantID: c.TenantID})
}

// addWarnings adds warnings and reasons of held batches: everybody's for an
// admin, else the person's own.
func (i *Installer) addWarnings(ctx context.Context, v models.Session, out *Status) (err error) {
	userID := v.UserID
	if v.Role == "admin" {
		userID = ""
	}
	if out.Warnings, err = i.store.Batches.Warnings(ctx, v.TenantID, userID, maxWarnings); err != nil {
		return err
	}
	held, err := i.store.Batches.List(ctx, v.TenantID, ledger.BatchFilter{UserID: userID, State: ledger.BatchHeld}, "", maxHeldRead)
	out.Held = []string{}
	for _, b := range held {
		if len(out.Held) < maxWarnings && !slices.Contains(out.Held, b.HeldReason) {
			out.Held = append(out.Held, b.HeldReason)
		}
	}
	return err
}

func (i *Installer) queue(ctx context.Context, tenantID, laneID string) (q StatusQueue, err error) {
	if laneID != "" {
		if q.Waiting, err = i.store.Counters.Queued(ctx, tenantID, laneID); err != nil {
			return q, err
		}
	}
	for state, n := range map[string]*int{ledger.BatchScheduled: &q.Scheduled, ledger.BatchHeld: &q.Held} {
		if *n, err = i.store.Counters.Batches(ctx, tenantID, state); err != nil {
			return q, err
		}
	}
	hour, err := i.store.Counters.SettledSince(ctx, tenantID, i.now().Add(-time.Hour))
	q.SentLastHour, q.FailedLastHour, q.Uncertain = hour.Sent+hour.Delivered, hour.Failed+hour.Undelivered, hour.Uncertain
	return q, err
}

// latestAttempt returns the newest connect attempt, nil when there is none
// to show. An unused ticket counts as waiting; one that expired was a window
// that somebody closed.
func (i *Installer) latestAttempt(ctx context.Context, tenantID string) (*StatusAttempt, error) {
	a, err := i.store.ConnectAttempts.Latest(ctx, tenantID)
	if errors.Is(err, models.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	out := &StatusAttempt{Step: a.Step, Code: a.Code, Message: a.Message, StartedAt: a.CreatedAt.UTC()}
	open := slices.Contains([]string{models.StepTicket, models.StepWaiting, models.StepExchanging, models.StepConfirm}, a.Step)
	if a.Step == models.StepTicket {
		out.Step = models.StepWaiting
	}
	now := i.now()
	switch {
	case open && !now.Before(a.ExpiresAt):
		out.Step, out.Code, out.Message = models.StepFailed, connection.CodeExpired, connection.AbandonedMessage
		if now.Sub(a.ExpiresAt) > attemptShownFor {
			return nil, nil
		}
	case !open && now.Sub(a.UpdatedAt) > attemptShownFor && a.Step != models.StepDirectory && a.Step != models.StepSubscriptions:
		return nil, nil
	}
	return out, nil
}

func (i *Installer) plan(key string) StatusPlan {
	first, size := utf8.DecodeRuneInString(key)
	name := strings.ReplaceAll(string(unicode.ToUpper(first))+key[size:], "_", " ")
	return StatusPlan{Key: key, Name: name, IncludesDialpad: i.eligible.HasPlan(key)}
}

// comparedPlans returns the tenant's own plan and those that include
// Dialpad.
func (i *Installer) comparedPlans(own string) []StatusPlan {
	var out []StatusPlan
	if !i.eligible.HasPlan(own) {
		out = append(out, i.plan(own))
	}
	for _, p := range i.eligible.Plans() {
		out = append(out, i.plan(p))
	}
	return out
}
