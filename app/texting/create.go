package texting

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"dialpad-texting/app/compose"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/queue"
)

// BatchRequest asks for a batch; whom it is about stands in the session's ctx.
type BatchRequest struct {
	ToField    string    `json:"to_field"`
	Message    string    `json:"message"`
	TemplateID string    `json:"template_id"`
	Schedule   *Schedule `json:"schedule"`
	Late       *Late     `json:"late"`
	MoveQuiet  bool      `json:"move_quiet"`
}

// Create makes a batch, once per user and key: the same request again gives the same batch, another body a conflict.
// A text that can't go is refused here, and then nothing is stored.
func (x *Texting) Create(ctx context.Context, a Asker, key string, r BatchRequest) (BatchView, error) {
	if a.Ctx == nil {
		return BatchView{}, problem("bad_request", "This page is about nobody: open the popup from a record.")
	}
	b := x.draft(a, key, r)
	if old, err := x.store.Batches.ByIdempotencyKey(ctx, a.Tenant.ID, a.UserID, key); err == nil {
		return x.sameBatch(ctx, a, old, b.BodyHash)
	} else if !errors.Is(err, models.ErrNotFound) {
		return BatchView{}, err
	}
	if err := x.complete(ctx, a, r, &b); err != nil {
		return BatchView{}, err
	}
	var only *recipient
	if b.Source == ledger.SourceOne {
		now, err := x.oneNow(ctx, a.Tenant, b)
		if err != nil {
			return BatchView{}, err
		}
		if b.State == ledger.BatchPreparing {
			only = now // of one that waits for its time everything is read again then
		}
	}
	stored, created, err := x.insert(ctx, b, only)
	if err != nil {
		return BatchView{}, err
	}
	if !created {
		return x.sameBatch(ctx, a, stored, b.BodyHash)
	}
	x.wake()
	if stored.State == ledger.BatchScheduled {
		return x.lookAgain(ctx, a, stored.ID)
	}
	return x.view(ctx, a, stored)
}

func (x *Texting) sameBatch(ctx context.Context, a Asker, old ledger.Batch, bodyHash string) (BatchView, error) {
	if old.BodyHash != bodyHash {
		return BatchView{}, problem("idempotency_conflict", "This request was already used for another text. Send again from a new popup.")
	}
	return x.view(ctx, a, old)
}

// draft is the batch as asked for, not yet checked.
func (x *Texting) draft(a Asker, key string, r BatchRequest) ledger.Batch {
	b := ledger.Batch{ID: models.NewID(), TenantID: a.Tenant.ID, UserID: a.UserID, UserEmail: a.Email, UserName: a.Name,
		SenderEmail: models.FoldEmail(a.Email), Source: ledger.SourceOne, Class: ledger.ClassPerson, Module: a.Ctx.Module,
		RecordIDs: eachOnce(a.Ctx.RecordIDs), ToNumber: a.Ctx.ToNumber, Message: r.Message, TemplateID: r.TemplateID,
		IdempotencyKey: key, Expected: 1, LateMinutes: 60, LateDo: ledger.LateHold, MoveQuiet: r.MoveQuiet}
	if a.Ctx.Mode == "bulk" {
		b.Source, b.Class, b.ToField, b.ToNumber = ledger.SourceBulk, ledger.ClassBulk, firstOf(r.ToField, defaultField), ""
		b.Selection, b.Expected = a.Ctx.Selection, a.Ctx.Count
		if len(b.RecordIDs) > 0 {
			b.Expected = len(b.RecordIDs)
		}
	}
	b.BodyHash = bodyHash(a.Ctx, r)
	return b
}

// eachOnce leaves out ids that are named again: the CRM would answer them twice.
func eachOnce(ids []string) []string {
	seen := map[string]bool{}
	var out []string
	for _, id := range ids {
		if !seen[id] {
			seen[id], out = true, append(out, id)
		}
	}
	return out
}

const defaultField = "mobile"

func bodyHash(parts ...any) string {
	body, err := json.Marshal(parts)
	if err != nil {
		panic(err) // our own types always marshal
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// complete checks everything that can be known now: the text, the time, the sender, the field.
func (x *Texting) complete(ctx context.Context, a Asker, r BatchRequest, b *ledger.Batch) error {
	account, refusal, err := x.market.UserMay(ctx, a.Tenant.ID, a.Email)
	if err != nil {
		return err
	}
	if refusal != nil {
		return refusal
	}
	b.SenderID = account.DialpadID
	tpl, err := x.check(ctx, a.Tenant, a.Ctx.Module, r.Message)
	if err != nil {
		return err
	}
	b.Message = tpl.String()
	if b.Source == ledger.SourceOne {
		// Kept as E.164: what is erased is found by it.
		if b.ToNumber, err = compose.E164(b.ToNumber, a.Tenant.Country); err != nil {
			return textProblem(err)
		}
	} else if err := x.knownField(ctx, a.Tenant, b.Module, b.ToField); err != nil {
		return err
	}
	if err := setLate(b, r.Late); err != nil {
		return err
	}
	b.State = ledger.BatchPreparing
	now := x.now().UTC()
	b.StartedAt = &now
	if r.Schedule == nil {
		return nil
	}
	return x.setSchedule(b, *r.Schedule)
}

func (x *Texting) setSchedule(b *ledger.Batch, s Schedule) error {
	at, err := s.resolve(x.now())
	if err != nil {
		return err
	}
	at = at.UTC()
	b.State, b.SendAt, b.StartedAt = ledger.BatchScheduled, &at, nil
	b.LocalTime, b.TimeZone, b.UTCOffset = s.minute(), s.TimeZone, offsetAt(at, s.TimeZone)
	return nil
}

func offsetAt(at time.Time, zone string) string {
	loc, err := time.LoadLocation(zone)
	if err != nil {
		return ""
	}
	return at.In(loc).Format(offsetFormat)
}

func setLate(b *ledger.Batch, l *Late) error {
	if l == nil {
		return nil
	}
	switch l.Do {
	case ledger.LateHold, ledger.LateDrop, ledger.LateSend:
	default:
		return &Problem{Code: "bad_request", Message: "A late text can be held, dropped or sent.", Details: map[string]any{"field": "late.do"}}
	}
	if l.AfterMinutes < 1 || l.AfterMinutes > 7*24*60 {
		return &Problem{Code: "bad_request", Message: "Late begins between one minute and seven days after the time.",
			Details: map[string]any{"field": "late.after_minutes"}}
	}
	b.LateMinutes, b.LateDo = l.AfterMinutes, l.Do
	return nil
}

func (x *Texting) knownField(ctx context.Context, t models.Tenant, module, field string) error {
	list, err := x.fieldsOf(ctx, t, module)
	if err != nil {
		return err
	}
	for _, p := range list.Phones {
		if p.Key == field {
			return nil
		}
	}
	return &Problem{Code: "bad_request", Message: fmt.Sprintf("There is no phone field %s.", strconv.Quote(field)), Details: map[string]any{"field": "to_field"}}
}

// oneNow resolves the one recipient of a text, so that what can't go is refused at once. When the CRM does not answer the
// text is not lost: it waits in preparing.
func (x *Texting) oneNow(ctx context.Context, t models.Tenant, b ledger.Batch) (*recipient, error) {
	w, err := wishOf(t, b)
	if err != nil {
		return nil, textProblem(err)
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	p, err := x.recipients(ctx, w, "")
	var crmDown *Problem
	if errors.As(err, &crmDown) && crmDown.Code == "crm_unreachable" {
		x.log.Warn("a text waits for the CRM", "tenant", t.ID, "batch", b.ID, "err", err)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if len(p.recipients) != 1 {
		return nil, problem("not_found", wordsMissing)
	}
	r := p.recipients[0]
	if r.code != "" {
		return nil, &Problem{Code: r.code, Message: r.reason, Details: map[string]any{"field": r.field}}
	}
	return &r, nil
}

// insert stores a batch, with its message where that is known already, or else the job that prepares it.
func (x *Texting) insert(ctx context.Context, b ledger.Batch, only *recipient) (stored ledger.Batch, created bool, err error) {
	if only != nil {
		b.State, b.Prepared = ledger.BatchSending, true
	}
	err = x.store.Tx(ctx, func(tx *models.Store) error {
		stored, created, err = tx.Batches.Create(ctx, b)
		if err != nil || !created {
			return err
		}
		if only != nil {
			return x.queuePage(ctx, tx, stored, stored.SenderID, []recipient{*only})
		}
		if b.State == ledger.BatchPreparing {
			return tx.Enqueue(ctx, queue.PrepareBatch{TenantID: b.TenantID, BatchID: b.ID})
		}
		return nil
	})
	return stored, created, err
}
