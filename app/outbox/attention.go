package outbox

import (
	"context"
	"time"

	"dialpad-texting/app/access"
	"dialpad-texting/app/apierror"
)

// AttentionView is what the asker should look at: what is held, and the
// asker's own texts that failed or were answered since the asker last looked.
type AttentionView struct {
	Held      []HeldView `json:"held"`
	Failed    int        `json:"failed"`
	Uncertain int        `json:"uncertain"`
	Replied   int        `json:"replied"` // answers, 100 at most
	Many      bool       `json:"many"`    // Failed and Uncertain are at least that many
	Since     time.Time  `json:"since"`
}

// HeldView is a cause for which batches are held. Overdue is how many of
// them send at once when they are resumed.
type HeldView struct {
	Code      string `json:"code"`
	Reason    string `json:"reason"`
	Batches   int    `json:"batches"`
	Overdue   int    `json:"overdue"`
	Resumable bool   `json:"resumable"` // the tenant may text now
}

const (
	attentionAge = 7 * 24 * time.Hour
	maxAttention = 100
)

// Attention returns what the asker should look at.
func (x *Outbox) Attention(ctx context.Context, a access.Asker) (AttentionView, error) {
	v := AttentionView{Held: []HeldView{}, Since: x.now().Add(-attentionAge).UTC()}
	causes, err := x.store.OnHold.Causes(ctx, a.Tenant.ID, a.VisibleUserID())
	if err != nil {
		return v, err
	}
	able := false
	if len(causes) > 0 {
		if able, err = x.batches.Held.MayText(ctx, a.Tenant.ID); err != nil {
			return v, err
		}
	}
	for _, c := range causes {
		v.Held = append(v.Held, HeldView{Code: c.HeldCode, Reason: c.HeldReason, Batches: c.Batches, Overdue: c.Overdue, Resumable: able})
	}
	u, err := x.store.Users.Get(ctx, a.Tenant.ID, a.UserID)
	if err != nil {
		return v, apierror.IgnoreNotFound(err)
	}
	if u.OutboxSeenAt != nil && u.OutboxSeenAt.After(v.Since) {
		v.Since = u.OutboxSeenAt.UTC()
	}
	if v.Replied, err = x.store.Replies.CountSince(ctx, a.Tenant.ID, a.UserID, v.Since, maxAttention); err != nil {
		return v, err
	}
	counts, err := x.store.Messages.CountProblems(ctx, a.Tenant.ID, a.UserID, v.Since, maxAttention)
	v.Failed, v.Uncertain = counts.Failed+counts.Undelivered, counts.Uncertain
	v.Many = v.Failed+v.Uncertain >= maxAttention
	return v, err
}

// MarkSeen notes that the asker has looked at what failed until now.
func (x *Outbox) MarkSeen(ctx context.Context, a access.Asker) error {
	return x.store.Users.MarkOutboxSeen(ctx, a.Tenant.ID, a.UserID)
}

// SendersView lists CRM users, for the filter by sender.
type SendersView struct {
	Senders []PersonView `json:"senders"`
}

const maxSenders = 20

// Senders returns CRM users by name or e-mail, the first ones.
func (x *Outbox) Senders(ctx context.Context, a access.Asker, q string) (SendersView, error) {
	v := SendersView{Senders: []PersonView{}}
	list, _, err := x.store.Users.People(ctx, a.Tenant.ID, q, false, "", maxSenders)
	for _, p := range list {
		v.Senders = append(v.Senders, PersonView{ID: p.UserID, Name: p.Name, Email: p.Email})
	}
	return v, err
}
