package batch

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"

	"dialpad-texting/app/access"
	"dialpad-texting/app/apierror"
	"dialpad-texting/app/audience"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/queue"
)

// ResendRequest names the states of the messages to send again.
type ResendRequest struct {
	States  []string `json:"states"`
	Confirm bool     `json:"confirm"`
}

var (
	errNobodyLeft    = apierror.Conflict("There is nobody left to text again.")
	errAlreadyResent = apierror.Conflict("These people were texted again already. Look for it in the outbox.")
)

// Resend makes a new batch for the messages of some states. Uncertain
// ones may have been sent: they need Confirm. Each message is sent
// again once, whatever the key; if that fails too, resend from the new
// batch. The same key again gives the same batch.
func (x *Batches) Resend(ctx context.Context, a access.Asker, id, key string, r ResendRequest) (ledger.Batch, error) {
	b, err := x.visible(ctx, a, id)
	if err != nil {
		return ledger.Batch{}, err
	}
	if err := checkResend(b, r); err != nil {
		return ledger.Batch{}, err
	}
	slices.Sort(r.States)
	r.States = slices.Compact(r.States)
	hash, err := x.store.Tenants.RequestHash(ctx, a.Tenant.ID, audience.RequestHash("resend", id, r.States))
	if err != nil {
		return ledger.Batch{}, err
	}
	if old, found, err := x.byKey(ctx, a, key, hash); err != nil || found {
		return old, err
	}
	again, err := x.resendDraft(ctx, a, b)
	if err != nil {
		return ledger.Batch{}, err
	}
	again.IdempotencyKey, again.BodyHash = cmp.Or(key, "resend:"+again.ID), hash
	err = x.insertResend(ctx, b, &again, r.States)
	if errors.Is(err, models.ErrConflict) || errors.Is(err, errAlreadyResent) {
		// The same key may just have been faster.
		if old, found, keyErr := x.byKey(ctx, a, key, hash); keyErr != nil || found {
			return old, keyErr
		}
	}
	if err != nil {
		return ledger.Batch{}, err
	}
	x.cfg.Notify()
	return again, nil
}

// certainlyNotSent are the states that need no confirmation.
var certainlyNotSent = []string{ledger.Failed, ledger.Cancelled, ledger.Skipped}

func checkResend(b ledger.Batch, r ResendRequest) error {
	if len(r.States) == 0 || b.Source == ledger.SourceAutomation {
		return apierror.New(apierror.CodeBadRequest, "Name the states whose people should be texted again.")
	}
	for _, s := range r.States {
		if s == ledger.Uncertain {
			if !r.Confirm {
				return apierror.New("confirm_required", ledger.UnknownOutcome+". Confirm to send again.")
			}
			continue
		}
		if !slices.Contains(certainlyNotSent, s) {
			return apierror.New(apierror.CodeBadRequest, "Only texts that were surely not sent can be sent again.")
		}
	}
	return nil
}

// resendDraft is a new batch like b, without recipients yet.
func (x *Batches) resendDraft(ctx context.Context, a access.Asker, b ledger.Batch) (ledger.Batch, error) {
	from, err := x.senderFor(ctx, a.Tenant.ID, a.UserID)
	if err != nil {
		return b, err
	}
	now := x.now()
	// Nobody is asked about the quiet hours of now: a one-to-one keeps to them.
	keepsQuiet := b.DeferInQuietHours || b.Source == ledger.SourceOneToOne
	return ledger.Batch{ID: models.NewID(), TenantID: b.TenantID, UserID: a.UserID, UserEmail: a.Email, UserName: a.Name,
		SenderID: from.dialpadID, SenderUserID: a.UserID, SenderEmail: from.email, DeferInQuietHours: keepsQuiet, Source: b.Source, Class: b.Class, Module: b.Module,
		ToNumber: b.ToNumber, ToField: b.ToField, ElseField: b.ElseField, Message: b.Message, TemplateID: b.TemplateID, ResendOf: b.ID,
		State: ledger.BatchPreparing, StartedAt: &now, LateMinutes: defaultLateMinutes, LateDo: ledger.LateHold}, nil
}

// insertResend stores the new batch for the old one's people that no
// other resend has taken; models.ErrConflict when its key made a batch
// meanwhile.
func (x *Batches) insertResend(ctx context.Context, old ledger.Batch, again *ledger.Batch, states []string) error {
	from := resendFrom(old, states)
	return x.store.Tx(ctx, func(tx *models.Store) error {
		ids, err := tx.Resends.Take(ctx, from, again.ID)
		if err != nil {
			return err
		}
		if len(ids) == 0 {
			return nobodyLeft(ctx, tx, from)
		}
		again.RecordIDs, again.Expected = ids, len(ids)
		stored, created, err := tx.Batches.Create(ctx, *again)
		if err != nil {
			return err
		}
		if !created {
			return models.ErrConflict
		}
		*again = stored
		detail := map[string]string{"batch": again.ID, "people": strconv.Itoa(len(ids))}
		if err := tx.Audits.Add(ctx, again.TenantID, again.UserID, "batch.resent", detail); err != nil {
			return err
		}
		if err := x.cfg.limitOneToOne(ctx, tx, stored); err != nil {
			return err
		}
		return tx.Enqueue(ctx, queue.PrepareBatch{TenantID: again.TenantID, BatchID: again.ID})
	})
}

// resendFrom selects a batch's messages of some states. The number of a
// duplicate has its text already, and who was left out was meant to be.
func resendFrom(b ledger.Batch, states []string) ledger.ResendFilter {
	return ledger.ResendFilter{TenantID: b.TenantID, BatchID: b.ID, States: states,
		ExceptCodes: []string{audience.CodeDuplicate, audience.CodeLeftOut}}
}

func nobodyLeft(ctx context.Context, tx *models.Store, from ledger.ResendFilter) error {
	resent, err := tx.Resends.Any(ctx, from)
	if err != nil {
		return err
	}
	if resent {
		return errAlreadyResent
	}
	return errNobodyLeft
}

// Resendable is how many people of a batch Resend would text again, by
// state.
type Resendable struct {
	Failed    int `json:"failed"`
	Uncertain int `json:"uncertain"`
}

// Resendable counts only where there may be something to count, which
// spares most batches the query.
func (x *Batches) Resendable(ctx context.Context, b ledger.Batch, c ledger.Counts) (*Resendable, error) {
	if b.Source == ledger.SourceAutomation || c.Failed+c.Uncertain == 0 {
		return &Resendable{}, nil
	}
	n, err := x.store.Resends.Count(ctx, resendFrom(b, []string{ledger.Failed, ledger.Uncertain}))
	return &Resendable{Failed: n[ledger.Failed], Uncertain: n[ledger.Uncertain]}, err
}
