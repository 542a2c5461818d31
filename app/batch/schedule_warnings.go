package batch

import (
	"cmp"
	"context"
	"strings"
	"time"

	"dialpad-texting/app/eligibility"
	"dialpad-texting/app/hours"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/queue"
)

// WarningCounts is what one check of the schedules changed. Refreshed
// counts the senders to be read again at Dialpad.
type WarningCounts struct{ Warned, Cleared, Moved, Refreshed int }

// WarnAllTenants checks whether each scheduled batch could go now. It
// stores a warning if not, and removes it when all is well again. It
// also finds the instants that new zone rules gave to their wall times.
func (s *Scheduler) WarnAllTenants(ctx context.Context) (WarningCounts, error) {
	return s.warnPages(ctx, func(after string) ([]ledger.Batch, error) {
		return s.store.Batches.ScheduledAllTenants(ctx, after, warningsPage)
	})
}

// WarnTenant does the same for one tenant, after a change of its people.
func (s *Scheduler) WarnTenant(ctx context.Context, tenantID string) (WarningCounts, error) {
	return s.warnPages(ctx, func(after string) ([]ledger.Batch, error) {
		return s.store.Batches.ListByState(ctx, tenantID, []string{ledger.BatchScheduled}, after, warningsPage)
	})
}

// senderStates remembers whether a tenant's sender may text, during one
// check.
type senderStates map[[2]string]senderState // by tenant and CRM user

type senderState struct {
	user    models.User
	account models.Account
	refusal *eligibility.Refusal
}

func (s *Scheduler) warn(ctx context.Context, b ledger.Batch, senders senderStates, n *WarningCounts) error {
	if at, moved := movedInstant(b); moved {
		n.Moved++
		return moveSchedule(ctx, s.store, b, at)
	}
	key := [2]string{b.TenantID, b.Sender()}
	sender, known := senders[key]
	if !known {
		var err error
		if sender.user, sender.account, sender.refusal, err = s.eligibility.CheckSender(ctx, b.TenantID, b.Sender()); err != nil {
			return err
		}
	}
	if sender.refusal != nil && sender.account.DialpadID == "" {
		// The e-mail may be new in Dialpad too: read the account that it was.
		if a, err := s.store.Accounts.Get(ctx, b.TenantID, b.SenderID); err == nil {
			sender.account = a
		}
	}
	if !sender.account.Stale && sender.account.DialpadID != "" && sender.account.CheckedAt.Before(lastRefresh(b, s.now())) {
		n.Refreshed++
		if err := s.refreshAccount(ctx, b.TenantID, sender.account.DialpadID); err != nil {
			return err
		}
		sender.account.Stale = true
	}
	senders[key] = sender
	warning := sender.warning(b, s.now())
	if warning == b.Warning {
		return nil
	}
	if warning == "" {
		n.Cleared++
	} else {
		n.Warned++
	}
	return s.store.Batches.SetWarning(ctx, b, warning)
}

// refreshBefore is how long before its time a batch's sender is read
// again at Dialpad, as when it is made: there may be no event for a
// change.
var refreshBefore = []time.Duration{24 * time.Hour, time.Hour}

// lastRefresh is the latest time at which a batch's sender had to be
// read.
func lastRefresh(b ledger.Batch, now time.Time) time.Time {
	last := b.CreatedAt
	for _, before := range refreshBefore {
		if at := b.SendAt.Add(-before); at.After(last) && !at.After(now) {
			last = at
		}
	}
	return last
}

// refreshAccount queues the reading of an account; schedules are
// checked after it.
func (s *Scheduler) refreshAccount(ctx context.Context, tenantID, dialpadID string) error {
	return s.store.Tx(ctx, func(tx *models.Store) error {
		if err := tx.Accounts.MarkStale(ctx, tenantID, []string{dialpadID}); err != nil {
			return err
		}
		return tx.Enqueue(ctx, queue.ReadStaleAccounts{TenantID: tenantID})
	})
}

// warning says what will become of a batch: "Ana's Dialpad account is
// suspended: this will fail on Friday."
func (s senderState) warning(b ledger.Batch, now time.Time) string {
	if s.refusal == nil {
		return ""
	}
	name := s.name(b)
	reason, outcome := cmp.Or(s.refusal.Reason, s.refusal.Message), "be held"
	if s.refusal.Code == eligibility.CodeNoAccount {
		outcome = "fail"
		reason = strings.NewReplacer(eligibility.NoAccountMessage, name+" has no Dialpad account",
			"The Dialpad account", name+"'s Dialpad account", "The Dialpad invitation", name+"'s Dialpad invitation").Replace(reason)
	}
	return strings.TrimSuffix(reason, ".") + ": this will " + outcome + " " + dayOf(*b.SendAt, now, b.TimeZone) + "."
}

// name is the sender's first name, else the e-mail.
func (s senderState) name(b ledger.Batch) string {
	name := cmp.Or(s.user.Name, s.account.Name)
	if b.Sender() == b.UserID {
		name = b.UserName
	}
	return cmp.Or(firstName(name), s.user.Email, b.SenderEmail)
}

func firstName(name string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(name), " ")
	return first
}

// dayOf names the day of an instant as people do: today, tomorrow, on
// Friday, on March 27.
func dayOf(at, now time.Time, zone string) string {
	at, now = hours.Local(at, zone), hours.Local(now, zone)
	midnight := func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC) }
	switch days := int(midnight(at).Sub(midnight(now)).Hours() / 24); {
	case days <= 0:
		return "today"
	case days == 1:
		return "tomorrow"
	case days < 7:
		return "on " + at.Format("Monday")
	case at.Year() != now.Year():
		return "on " + at.Format("January 2, 2006")
	}
	return "on " + at.Format("January 2")
}
