package outbox

import (
	"context"
	"time"

	"dialpad-texting/app/access"
	"dialpad-texting/app/audience"
	"dialpad-texting/app/compose"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/internal/faircache"
	"dialpad-texting/models/ledger"
)

// A one-to-one that waits has no message yet that stores its
// recipient's name, so the outbox asks the CRM, as the user who asks:
// others see the number only.
const (
	namesTTL     = time.Minute // the outbox asks every few seconds
	namesTimeout = 2 * time.Second
)

// nameLimits hold at least the names of 100 pages of a user's outbox.
var nameLimits = faircache.Limits{User: 1 << 20, Tenant: 4 << 20, Total: 8 << 20}

type nameKey struct{ module, recordID string }

// personName is empty where the CRM gave no name.
type personName struct{ name, deal string }

func nameOwner(a access.Asker) faircache.Owner {
	return faircache.Owner{Tenant: a.Tenant.ID, User: a.UserID}
}

// isToOne reports whether a batch has one recipient, who is named.
func isToOne(b ledger.Batch) bool {
	return b.Source == ledger.SourceOneToOne || b.Source == ledger.SourceTest
}

// fillRecipients names the one recipient of each one-to-one.
func (x *Outbox) fillRecipients(ctx context.Context, a access.Asker, batches []ledger.Batch, views []BatchView) error {
	var ids []string
	for _, b := range batches {
		if isToOne(b) {
			ids = append(ids, b.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	messages, err := x.store.Messages.OneToOnes(ctx, a.Tenant.ID, ids)
	if err != nil {
		return err
	}
	unnamed := map[string][]int{} // by module
	for i, b := range batches {
		if !isToOne(b) {
			continue
		}
		m, prepared := messages[b.ID]
		to := recipientOf(b, m, prepared)
		views[i].To = to
		views[i].Wait = x.messageWait(b, m)
		erased := b.ToNumber == "" // and nobody asks for that person's name again
		if to.Name == "" && len(b.RecordIDs) == 1 && (!b.Ended() || !b.Prepared && !erased) {
			unnamed[b.Module] = append(unnamed[b.Module], i)
		}
	}
	x.nameFromCRM(ctx, a, batches, views, unnamed)
	return nil
}

// nameFromCRM asks the CRM for the names of the recipients at the given
// places, by module.
func (x *Outbox) nameFromCRM(ctx context.Context, a access.Asker, batches []ledger.Batch, views []BatchView, unnamed map[string][]int) {
	for module, list := range unnamed {
		records := make([]string, len(list))
		for n, i := range list {
			records[n] = batches[i].RecordIDs[0]
		}
		names := x.recordNames(ctx, a, module, records)
		for n, i := range list {
			views[i].To.Name, views[i].To.Deal = names[records[n]].name, names[records[n]].deal
		}
	}
}

// recipientOf is a one-to-one's recipient as stored, perhaps without a
// name.
func recipientOf(b ledger.Batch, m ledger.Message, prepared bool) *RecipientView {
	if prepared {
		return &RecipientView{Name: m.Name, Deal: m.Deal, Display: compose.Display(numberOf(m))}
	}
	return &RecipientView{Display: compose.Display(b.ToNumber)}
}

// recordNames asks the CRM for some records' names, cached for a
// minute. When it fails the names are empty: better than an outbox that
// hangs.
func (x *Outbox) recordNames(ctx context.Context, a access.Asker, module string, ids []string) map[string]personName {
	names, unknown := x.cachedNames(a, module, ids)
	if len(unknown) == 0 {
		return names
	}
	ctx, cancel := context.WithTimeout(ctx, namesTimeout)
	defer cancel()
	records, err := x.audience.Records(ctx, a.Tenant, crm.ResolveQuery{UserID: a.UserID, Module: module, IDs: unknown})
	if err != nil {
		x.log.Warn("reading names for the outbox failed", "tenant", a.Tenant.ID, "err", err)
	}
	for _, r := range records.Records {
		name, deal := audience.PersonOf(r)
		names[r.ID] = personName{name, deal}
	}
	for _, id := range unknown {
		n := names[id]
		x.names.Put(nameOwner(a), nameKey{module, id}, n, len(id)+len(n.name)+len(n.deal))
	}
	return names
}

func (x *Outbox) cachedNames(a access.Asker, module string, ids []string) (names map[string]personName, unknown []string) {
	names = map[string]personName{}
	for _, id := range audience.UniqueIDs(ids) {
		cached, known := x.names.Get(nameOwner(a), nameKey{module, id})
		if !known {
			unknown = append(unknown, id)
		}
		names[id] = cached
	}
	return names, unknown
}
