package optout

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"unicode"

	"dialpad-texting/app/compose"
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
// direction. What an inbound text says of opting out is in force when
// Receive returns: no text leaves between storing and processing it.
func (o *OptOuts) Receive(ctx context.Context, sms dialpad.SMSEvent, e ledger.WebhookEvent, save SaveEvent) error {
	country, err := o.country(ctx, e.TenantID, sms)
	if err != nil {
		return err
	}
	p := readParties(sms, country)
	if e.Direction, err = o.direction(ctx, e.TenantID, sms, p); err != nil {
		return err
	}
	e.FromNumber, e.ToNumber = cmp.Or(firstOf(p.from), sms.FromNumber), cmp.Or(firstOf(p.to), firstOf(sms.ToNumbers))
	if e.Direction != outbound {
		e.OptWord = Word(sms.Text)
	}
	if e.Direction != inbound && e.OptWord != WordStop {
		e.OptWord = "" // nobody knows who wrote it: only a STOP counts
	}
	if e.OptWord == "" {
		return save(ctx, e)
	}
	return o.store.Tx(ctx, func(tx *models.Store) error {
		saved, isNew, err := tx.StoreEvent(ctx, e)
		if err != nil || !isNew {
			return err
		}
		if err := o.in(tx).applyWord(ctx, saved, p.from, sms.Text); err != nil {
			return err
		}
		return tx.Events.Close(ctx, saved.TenantID, saved.ID, ledger.EventApplied, "")
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

// parties are the numbers that an event names, each in all ways that it
// can be read.
type parties struct{ from, to, contact, target []string }

func readParties(sms dialpad.SMSEvent, country string) parties {
	p := parties{contact: PossibleNumbers(sms.ContactNumber, country), target: PossibleNumbers(sms.TargetNumber, country),
		from: PossibleNumbers(sms.FromNumber, country), to: PossibleNumbers(firstOf(sms.ToNumbers), country)}
	if strings.EqualFold(sms.Direction, outbound) {
		p.from = narrow(p.from, p.target)
		p.to = narrow(p.to, p.contact)
		return p
	}
	if !overlap(p.to, p.contact) {
		p.from = narrow(p.from, p.contact)
		p.to = narrow(p.to, p.target)
	}
	return p
}

// narrow returns the readings that a second field confirms, or those of
// the one field that can be read.
func narrow(readings, second []string) []string {
	if len(readings) == 0 {
		return second
	}
	var both []string
	for _, number := range readings {
		if slices.Contains(second, number) {
			both = append(both, number)
		}
	}
	if len(both) > 0 {
		return both
	}
	return readings
}

func firstOf(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(number string) bool { return slices.Contains(b, number) })
}

// PossibleNumbers returns the numbers (E.164) that a number without a plus may
// mean: with its country code ("14155558002"), or as it is dialled in
// the country. There may be two; a plus leaves no doubt.
func PossibleNumbers(raw, country string) []string {
	raw = strings.TrimSpace(raw)
	if raw == "" {
		return nil
	}
	if number, err := compose.ParseAnyNumber(raw, ""); err == nil {
		return []string{number}
	}
	var out []string
	national, err := compose.ParseAnyNumber(raw, country)
	if err == nil {
		out = append(out, national)
	}
	if strings.HasPrefix(national, "+1") && len(national) == len("+1")+countDigits(raw) {
		return out // ten digits in North America
	}
	if number, err := compose.ParseAnyNumber("+"+strings.TrimLeft(raw, "+0"), ""); err == nil && number != national {
		out = append(out, number)
	}
	return out
}

func countDigits(s string) (n int) {
	for _, r := range s {
		if unicode.IsDigit(r) {
			n++
		}
	}
	return n
}
