package batch

import (
	"cmp"
	"context"

	"dialpad-texting/app/access"
	"dialpad-texting/app/apierror"
	"dialpad-texting/app/audience"
	"dialpad-texting/app/compose"
	"dialpad-texting/app/templates"
	"dialpad-texting/app/walltime"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/queue"
)

// Request asks for a batch; its recipients are the session's ctx.
type Request struct {
	ToField    string             `json:"to_field"`
	ElseField  string             `json:"else_field,omitempty"`           // where to_field has no usable number
	Exclude    []string           `json:"exclude,omitempty" max:"100000"` // records that a bulk leaves out
	Message    string             `json:"message" max:"text"`
	TemplateID string             `json:"template_id"`
	Schedule   *walltime.Schedule `json:"schedule"`
	Late       *Late              `json:"late"`
	MoveQuiet  *bool              `json:"move_quiet"`             // nil: bulks do, one-to-ones are asked about
	Undo       int                `json:"undo_seconds,omitempty"` // how long a bulk waits, so that it can be cancelled
}

// Create makes a batch, once per user and idempotency key: see byKey. A
// one-to-one that can't go is refused here, and then nothing is stored.
func (x *Batches) Create(ctx context.Context, a access.Asker, key string, r Request) (ledger.Batch, error) {
	if a.Target == nil {
		return ledger.Batch{}, apierror.NoRecords()
	}
	b := draft(a, key, r)
	var err error
	if b.BodyHash, err = x.store.Tenants.RequestHash(ctx, b.TenantID, audience.RequestHash(a.Target, r)); err != nil {
		return ledger.Batch{}, err
	}
	if old, found, err := x.byKey(ctx, a, key, b.BodyHash); err != nil || found {
		return old, err
	}
	if err := x.validate(ctx, a, r, &b); err != nil {
		return ledger.Batch{}, err
	}
	recipient, err := x.resolveSingle(ctx, a.Tenant, b)
	if err != nil {
		return ledger.Batch{}, err
	}
	if b.Source == ledger.SourceOneToOne && b.State == ledger.BatchPreparing && r.MoveQuiet == nil {
		if err := askInQuietHours(a.Tenant, b, recipient, x.now()); err != nil {
			return ledger.Batch{}, err
		}
	}
	stored, created, err := x.insert(ctx, b, recipient)
	if err != nil {
		return ledger.Batch{}, err
	}
	if !created { // the same key was faster
		return stored, sameRequest(stored, b.BodyHash)
	}
	x.cfg.Notify()
	if stored.State == ledger.BatchScheduled {
		return x.checkSchedule(ctx, a, stored.ID)
	}
	return stored, nil
}

// draft is the batch as asked for, not yet checked.
func draft(a access.Asker, key string, r Request) ledger.Batch {
	b := ledger.Batch{ID: models.NewID(), TenantID: a.Tenant.ID, UserID: a.UserID, UserEmail: a.Email, UserName: a.Name,
		SenderUserID: a.UserID, Source: ledger.SourceOneToOne, Class: ledger.ClassOneToOne, Module: a.Target.Module,
		RecordIDs: audience.UniqueIDs(a.Target.RecordIDs), ToNumber: a.Target.ToNumber, Message: r.Message, TemplateID: r.TemplateID,
		IdempotencyKey: key, Expected: 1, LateMinutes: defaultLateMinutes, LateDo: ledger.LateHold}
	if a.Target.Mode == crm.ModeBulk {
		b.Source, b.Class, b.ToNumber = ledger.SourceBulk, ledger.ClassBulk, ""
		b.ToField = cmp.Or(r.ToField, audience.DefaultPhoneField)
		b.ElseField = r.ElseField
		b.Selection, b.Expected = a.Target.Selection, a.Target.Count
		if len(b.RecordIDs) > 0 {
			b.Expected = len(b.RecordIDs)
		}
	}
	setMoveQuiet(&b, r.MoveQuiet)
	return b
}

// validate checks what can be known now (sender, text, number or field,
// late rule, schedule) and completes the draft.
func (x *Batches) validate(ctx context.Context, a access.Asker, r Request, b *ledger.Batch) error {
	from, err := x.senderFor(ctx, a.Tenant.ID, a.UserID)
	if err != nil {
		return err
	}
	b.SenderID, b.SenderEmail = from.dialpadID, from.email
	tpl, err := checkText(ctx, x.templates, a.Tenant, *b, r.Message)
	if err != nil {
		return err
	}
	b.Message = tpl.String()
	if b.Source == ledger.SourceOneToOne {
		// Stored as E.164: an erasure finds it by its number.
		if b.ToNumber, err = compose.E164(b.ToNumber, a.Tenant.Country); err != nil {
			return apierror.Text(err)
		}
	} else if err := validateBulk(ctx, x.audience, a, r, b); err != nil {
		return err
	}
	if err := setLate(b, r.Late); err != nil {
		return err
	}
	b.State = ledger.BatchPreparing
	now := x.now()
	b.StartedAt = &now
	if r.Schedule == nil {
		return setUndo(b, r.Undo, now)
	}
	if err := setSchedule(b, *r.Schedule, x.cfg.Now()); err != nil {
		return err
	}
	b.History = ledger.HistoryOf(ledger.Moment{At: now, What: ledger.MomentScheduled, By: a.Name, SendAt: b.SendAt})
	return nil
}

// validateBulk checks the phone fields and who is left out.
func validateBulk(ctx context.Context, aud *audience.Audience, a access.Asker, r Request, b *ledger.Batch) error {
	if err := aud.CheckPhoneFields(ctx, a.Tenant, b.Module, b.ToField, b.ElseField); err != nil {
		return err
	}
	out, err := excluded(*b, r.Exclude)
	b.Excluded = out
	return err
}

// checkText checks the text that a batch is to have.
func checkText(ctx context.Context, tpl *templates.Templates, t models.Tenant, b ledger.Batch, written string) (compose.Template, error) {
	if b.Source == ledger.SourceBulk {
		return tpl.CheckBulkText(ctx, t, b.Module, written)
	}
	return tpl.CheckText(ctx, t, b.Module, written)
}

// resolveSingle resolves a one-to-one's recipient; nil for a bulk, and
// for a text that is prepared later: all is read again then.
func (x *Batches) resolveSingle(ctx context.Context, t models.Tenant, b ledger.Batch) (*audience.Recipient, error) {
	if b.Source != ledger.SourceOneToOne {
		return nil, nil
	}
	r, err := x.audience.ResolveSingle(ctx, t, b)
	if b.State != ledger.BatchPreparing {
		return nil, err
	}
	return r, err
}

// insert stores a batch, with its message if the recipient is known
// already, else with the job that prepares it.
func (x *Batches) insert(ctx context.Context, b ledger.Batch, recipient *audience.Recipient) (stored ledger.Batch, created bool, err error) {
	if recipient != nil {
		b.State, b.Prepared = ledger.BatchSending, true
	}
	err = x.store.Tx(ctx, func(tx *models.Store) error {
		stored, created, err = tx.Batches.Create(ctx, b)
		if err != nil || !created {
			return err
		}
		if err := x.cfg.limitOneToOne(ctx, tx, stored); err != nil {
			return err
		}
		if recipient != nil {
			return x.audience.Queue(ctx, tx, stored, stored.SenderID, []audience.Recipient{*recipient})
		}
		switch {
		case b.State == ledger.BatchPreparing:
			return tx.Enqueue(ctx, queue.PrepareBatch{TenantID: b.TenantID, BatchID: b.ID})
		case b.Source == ledger.SourceBulk:
			return tx.Enqueue(ctx, queue.ForecastBatch{TenantID: b.TenantID, BatchID: b.ID})
		}
		return nil
	})
	return stored, created, err
}
