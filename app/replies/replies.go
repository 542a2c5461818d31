// Package replies keeps what people answer to a tenant's texts, and shows it
// beside them.
package replies

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/internal/phone"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

const (
	// answerWithin is how long after a text an inbound one counts as its
	// answer. Later ones are a matter between the two, and are not kept.
	answerWithin = 30 * 24 * time.Hour
	// clockSkew is how far Dialpad's clock may be from ours: a text can be
	// answered as soon as it is posted.
	clockSkew = 2 * time.Second
	// maxAnswers is how many answers to one text are kept.
	maxAnswers = 500
	// maxBody is how much of an answer is kept, in bytes; Dialpad's texts are
	// shorter.
	maxBody = 8 << 10
)

// Replies records answers. Safe for concurrent use.
type Replies struct{ store *models.Store }

// New returns a Replies.
func New(store *models.Store) *Replies { return &Replies{store: store} }

// Record stores an inbound text once if it answers one of the tenant's: if
// its number was texted lately from the number that it came to. Others leave
// no trace. e has the text's numbers in E.164 and its direction.
func (x *Replies) Record(ctx context.Context, e ledger.WebhookEvent, sms dialpad.SMSEvent) error {
	if e.Direction != "inbound" || sms.Internal || sms.TargetType != "" && sms.TargetType != "user" {
		return nil
	}
	keys, err := x.store.Tenants.NumberKeys(ctx, e.TenantID, e.FromNumber)
	if err != nil {
		return err
	}
	now := x.store.Now()
	written := now
	if e.EventAt != nil && e.EventAt.Before(now) {
		written = *e.EventAt
	}
	m, err := x.store.Pairs.AnsweredAt(ctx, e.TenantID, phone.Forms(e.ToNumber), keys, written.Add(-answerWithin), written, clockSkew)
	if errors.Is(err, models.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	contacts, err := x.store.Pairs.CountContacts(ctx, e.TenantID, keys)
	if err != nil {
		return err
	}
	r := models.Reply{ID: models.ReplyID(e.TenantID, cmp.Or(e.DialpadID, e.BodyHash)), TenantID: e.TenantID, MessageID: m.ID, BatchID: m.BatchID,
		UserID: m.UserID, ContactID: m.ContactID, DealID: m.DealID, Contacts: contacts, NumberKey: m.ToKey, FromNumber: m.ToNumber,
		ToNumber: m.FromNumber, Picture: sms.Picture, WrittenAt: written.UTC(), ReceivedAt: now, Body: cut(sms.Text)}
	return x.store.Tx(ctx, func(tx *models.Store) error { return add(ctx, tx, r) })
}

// add stores an answer unless its person was erased meanwhile. It locks the
// batch before the message, as others do.
func add(ctx context.Context, tx *models.Store, r models.Reply) error {
	if err := tx.Pairs.MarkReplied(ctx, r.TenantID, r.BatchID); err != nil {
		return err
	}
	m, err := tx.Pairs.Lock(ctx, r.TenantID, r.MessageID)
	if errors.Is(err, models.ErrNotFound) || err == nil && m.Erased() {
		return nil
	}
	if err != nil {
		return err
	}
	before, err := tx.Replies.CountOf(ctx, r.TenantID, r.BatchID, r.MessageID)
	if err != nil || before >= maxAnswers {
		return err
	}
	isNew, err := tx.Replies.Add(ctx, r)
	if err != nil || !isNew || before > 0 {
		return err
	}
	return tx.Figures.CountReply(ctx, m)
}

// cut bounds a body at a character.
func cut(body string) string {
	if len(body) <= maxBody {
		return body
	}
	runes := []rune(body[:maxBody])
	return string(slices.DeleteFunc(runes, func(r rune) bool { return r == '\uFFFD' }))
}
