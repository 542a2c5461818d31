package optout

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

const (
	inbound  = "inbound"
	outbound = "outbound"
)

// SaveEvent stores an event that says nothing of opting out.
type SaveEvent func(ctx context.Context, e ledger.WebhookEvent) error

// Receive stores an SMS event once, with its numbers in E.164 and its
// direction, and returns it so. What an inbound text says of opting out is in force when
// Receive returns: no text leaves between storing and processing it.
func (o *OptOuts) Receive(ctx context.Context, sms dialpad.SMSEvent, e ledger.WebhookEvent, save SaveEvent) (ledger.WebhookEvent, error) {
	country, err := o.country(ctx, e.TenantID, sms)
	if err != nil {
		return e, err
	}
	p := o.numbers.parties(sms, country)
	if e.Direction, err = o.direction(ctx, e.TenantID, sms, p); err != nil {
		return e, err
	}
	e.FromNumber, e.ToNumber = cmp.Or(firstOf(p.from), sms.FromNumber), cmp.Or(firstOf(p.to), firstOf(sms.ToNumbers))
	if e.Direction != outbound {
		e.OptWord = Word(sms.Text)
	}
	if e.Direction != inbound && e.OptWord != WordStop {
		e.OptWord = "" // nobody knows who wrote it: only a STOP counts
	}
	if e.OptWord == "" {
		return e, save(ctx, e)
	}
	return e, o.store.Tx(ctx, func(tx *models.Store) error {
		saved, isNew, err := tx.StoreEvent(ctx, e)
		if err != nil || !isNew {
			return err
		}
		if err := o.in(tx).applyWord(ctx, saved, p.from, sms.Text); err != nil {
			return err
		}
		return tx.Events.Close(ctx, saved, ledger.EventApplied, "")
	})
}

// country returns where numbers without a plus are dialled, "" if the
// event has none.
func (o *OptOuts) country(ctx context.Context, tenantID string, sms dialpad.SMSEvent) (string, error) {
	for _, number := range []string{sms.FromNumber, firstOf(sms.ToNumbers), sms.ContactNumber, sms.TargetNumber} {
		if number != "" && !strings.HasPrefix(number, "+") {
			t, err := o.store.Tenants.Get(ctx, tenantID)
			return t.Country, err
		}
	}
	return "", nil
}

// direction returns who wrote a text. Events may come without it; then
// the numbers tell. It returns "" where they do not.
func (o *OptOuts) direction(ctx context.Context, tenantID string, sms dialpad.SMSEvent, p parties) (string, error) {
	switch d := strings.ToLower(strings.TrimSpace(sms.Direction)); d {
	case inbound, outbound:
		return d, nil
	}
	if sms.ID != "" {
		_, err := o.store.Messages.ByDialpadID(ctx, tenantID, sms.ID)
		if err == nil {
			return outbound, nil
		}
		if !errors.Is(err, models.ErrNotFound) {
			return "", err
		}
	}
	ours, err := o.store.Accounts.OwnNumbers(ctx, tenantID, slices.Concat(p.from, p.to))
	if err != nil {
		return "", err
	}
	isOurs := func(number string) bool { return ours[number] }
	switch {
	case slices.ContainsFunc(p.from, isOurs):
		return outbound, nil
	case slices.ContainsFunc(p.to, isOurs), overlap(p.from, p.contact), overlap(p.to, p.target):
		return inbound, nil
	case overlap(p.to, p.contact), overlap(p.from, p.target):
		return outbound, nil
	}
	return "", nil
}
