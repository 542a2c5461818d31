package texting

import (
	"context"
	"errors"
	"slices"

	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/queue"
)

// ResendRequest names the states whose people are texted again.
type ResendRequest struct {
	States  []string `json:"states"`
	Confirm bool     `json:"confirm"`
}

// surelyNotSent are the states whose people may be texted again without asking twice.
var surelyNotSent = []string{ledger.Failed, ledger.Cancelled, ledger.Skipped}

var (
	errNobodyLeft  = problem("state_conflict", "There is nobody left to text again.")
	errResentByNow = problem("state_conflict", "These people were texted again already. Look for it in the outbox.")
)

// Resend makes a new batch for the people of some states. Uncertain ones may have got their text: they need a
// deliberate confirm. Each text is sent again once, whatever the key; who gets nothing that time either is sent again from
// the new text. The same key again gives the same batch.
func (x *Texting) Resend(ctx context.Context, a Asker, id, key string, r ResendRequest) (BatchView, error) {
	b, err := x.store.Batches.Get(ctx, a.Tenant.ID, a.scope(), id)
	if err != nil {
		return BatchView{}, found(err)
	}
	if err := mayResend(b, r); err != nil {
		return BatchView{}, err
	}
	slices.Sort(r.States)
	r.States = slices.Compact(r.States)
	hash := bodyHash("resend", id, r.States)
	if old, err := x.byKey(ctx, a, key); err != nil || old != nil {
		return x.resentBefore(ctx, a, old, hash, err)
	}
	fresh, err := x.again(ctx, a, b)
	if err != nil {
		return BatchView{}, err
	}
	fresh.IdempotencyKey, fresh.BodyHash = firstOf(key, "resend:"+fresh.ID), hash
	err = x.insertAgain(ctx, b, &fresh, r.States)
	if errors.Is(err, models.ErrConflict) || errors.Is(err, errResentByNow) {
		// The same key may just have been faster.
		if old, keyErr := x.byKey(ctx, a, key); keyErr != nil || old != nil {
			return x.resentBefore(ctx, a, old, hash, keyErr)
		}
	}
	if err != nil {
		return BatchView{}, err
	}
	x.wake()
	return x.view(ctx, a, fresh)
}

// byKey is the batch that a key already made, nil for none.
func (x *Texting) byKey(ctx context.Context, a Asker, key string) (*ledger.Batch, error) {
	if key == "" {
		return nil, nil
	}
	b, err := x.store.Batches.ByIdempotencyKey(ctx, a.Tenant.ID, a.UserID, key)
	if err != nil {
		return nil, ignoreNotFound(err)
	}
	return &b, nil
}

func (x *Texting) resentBefore(ctx context.Context, a Asker, old *ledger.Batch, hash string, err error) (BatchView, error) {
	if err != nil {
		return BatchView{}, err
	}
	return x.sameBatch(ctx, a, *old, hash)
}

func mayResend(b ledger.Batch, r ResendRequest) error {
	if len(r.States) == 0 || b.Source == ledger.SourceAutomation {
		return problem("bad_request", "Name the states whose people should be texted again.")
	}
	for _, s := range r.States {
		if s == ledger.Uncertain {
			if !r.Confirm {
				return problem("confirm_required", ledger.UnknownOutcome+". Confirm to send again.")
			}
			continue
		}
		if !slices.Contains(surelyNotSent, s) {
			return problem("bad_request", "Only texts that were surely not sent can be sent again.")
		}
	}
	return nil
}

// again is a new batch like another one, for people yet to be named.
func (x *Texting) again(ctx context.Context, a Asker, b ledger.Batch) (ledger.Batch, error) {
	account, refusal, err := x.market.UserMay(ctx, a.Tenant.ID, a.Email)
	if err != nil {
		return b, err
	}
	if refusal != nil {
		return b, refusal
	}
	now := x.now().UTC()
	return ledger.Batch{ID: models.NewID(), TenantID: b.TenantID, UserID: a.UserID, UserEmail: a.Email, UserName: a.Name,
		SenderID: account.DialpadID, SenderEmail: models.FoldEmail(a.Email), Source: b.Source, Class: b.Class, Module: b.Module,
		ToNumber: b.ToNumber, ToField: b.ToField, Message: b.Message, TemplateID: b.TemplateID,
		State: ledger.BatchPreparing, StartedAt: &now, LateMinutes: 60, LateDo: ledger.LateHold}, nil
}

// insertAgain stores the new batch for whoever of the old one's people it is the first to take; models.ErrConflict when its
// key made another one meanwhile.
func (x *Texting) insertAgain(ctx context.Context, old ledger.Batch, fresh *ledger.Batch, states []string) error {
	from := resendFrom(old, states)
	return x.store.Tx(ctx, func(tx *models.Store) error {
		ids, err := tx.Messages.TakeForResend(ctx, from, fresh.ID)
		if err != nil {
			return err
		}
		if len(ids) == 0 {
			return nobodyLeft(ctx, tx, from)
		}
		fresh.RecordIDs, fresh.Expected = ids, len(ids)
		stored, created, err := tx.Batches.Create(ctx, *fresh)
		if err != nil {
			return err
		}
		if !created {
			return models.ErrConflict
		}
		*fresh = stored
		return tx.Enqueue(ctx, queue.PrepareBatch{TenantID: fresh.TenantID, BatchID: fresh.ID})
	})
}

// resendFrom names a batch's texts of some states. A twin's number has its text already, and who was left out was meant to be.
func resendFrom(b ledger.Batch, states []string) ledger.ResendFilter {
	return ledger.ResendFilter{TenantID: b.TenantID, BatchID: b.ID, States: states, Without: []string{codeDuplicate, codeLeftOut}}
}

// resendable counts only where there is something to count: most batches are looked at while they go well.
func (x *Texting) resendable(ctx context.Context, b ledger.Batch, c ledger.Counts) (*Resendable, error) {
	if b.Source == ledger.SourceAutomation || c.Failed+c.Uncertain == 0 {
		return &Resendable{}, nil
	}
	n, err := x.store.Messages.CountForResend(ctx, resendFrom(b, []string{ledger.Failed, ledger.Uncertain}))
	return &Resendable{Failed: n[ledger.Failed], Uncertain: n[ledger.Uncertain]}, err
}

func nobodyLeft(ctx context.Context, tx *models.Store, from ledger.ResendFilter) error {
	resent, err := tx.Messages.AnyResent(ctx, from)
	if err != nil {
		return err
	}
	if resent {
		return errResentByNow
	}
	return errNobodyLeft
}
