package texting

import (
	"context"
	"sync"
	"time"

	"dialpad-texting/integrations/crm"
	"dialpad-texting/models/ledger"
)

// A one-to-one that waits has no text yet that holds its person's name, and nothing to be texted is read before it is
// prepared. So the outbox asks the CRM for the name, as whoever looks: a number is shown to who may not see the record.
const (
	namesKept = time.Minute
	namesWait = 2 * time.Second // an outbox without a name is better than one that hangs with the CRM
)

// nameCache remembers names, and that there is none, for a minute: the outbox asks every few seconds.
type nameCache struct {
	mu   sync.Mutex
	list map[string]cachedName
}

type cachedName struct {
	name, deal string
	until      time.Time
}

// fillRecipients names the one recipient of each one-to-one.
func (x *Texting) fillRecipients(ctx context.Context, a Asker, batches []ledger.Batch, views []BatchView) error {
	unnamed := map[string][]int{} // by module
	for i, b := range batches {
		if b.Source != ledger.SourceOne {
			continue
		}
		to, err := x.onlyRecipient(ctx, b)
		if err != nil {
			return err
		}
		views[i].To = to
		erased := b.ToNumber == "" // and nobody asks for that person's name again
		if to.Name == "" && len(b.RecordIDs) == 1 && (!b.Ended() || !b.Prepared && !erased) {
			unnamed[b.Module] = append(unnamed[b.Module], i)
		}
	}
	for module, list := range unnamed {
		ids := make([]string, len(list))
		for n, i := range list {
			ids[n] = batches[i].RecordIDs[0]
		}
		names := x.names(ctx, a, module, ids)
		for n, i := range list {
			views[i].To.Name, views[i].To.Deal = names[ids[n]].name, names[ids[n]].deal
		}
	}
	return nil
}

// names are what the CRM calls some records; those that it does not tell are left out.
func (x *Texting) names(ctx context.Context, a Asker, module string, ids []string) map[string]cachedName {
	known, ask := x.knownNames(a, module, ids)
	if len(ask) == 0 {
		return known
	}
	ctx, cancel := context.WithTimeout(ctx, namesWait)
	defer cancel()
	records, err := x.resolve(ctx, a.Tenant, crm.ResolveQuery{UserID: a.UserID, Module: module, IDs: ask})
	if err != nil {
		x.log.Warn("names for the outbox could not be read", "tenant", a.Tenant.ID, "err", err)
	}
	until := x.now().Add(namesKept)
	for _, id := range ask {
		known[id] = cachedName{until: until}
	}
	for _, r := range records.Records {
		name, deal := whoIs(r)
		known[r.ID] = cachedName{name, deal, until}
	}
	x.named.mu.Lock()
	defer x.named.mu.Unlock()
	if x.named.list == nil || len(x.named.list) > 10_000 {
		x.named.list = map[string]cachedName{}
	}
	for _, id := range ask {
		x.named.list[nameKey(a, module, id)] = known[id]
	}
	return known
}

func (x *Texting) knownNames(a Asker, module string, ids []string) (known map[string]cachedName, ask []string) {
	known = map[string]cachedName{}
	now := x.now()
	x.named.mu.Lock()
	defer x.named.mu.Unlock()
	for _, id := range ids {
		if _, twice := known[id]; twice {
			continue
		}
		got := x.named.list[nameKey(a, module, id)]
		if !now.Before(got.until) {
			ask = append(ask, id)
		}
		known[id] = got
	}
	return known, ask
}

func nameKey(a Asker, module, id string) string {
	return a.Tenant.ID + "\x00" + a.UserID + "\x00" + module + "\x00" + id
}
