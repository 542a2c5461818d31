package delivery

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// Timeline is the CRM's side of what became of a text.
type Timeline interface {
	UpsertActivity(ctx context.Context, t crm.Tenant, id string, a crm.Activity) error
}

// Teller tells the CRM's timeline about each change of a message, keyed by the message: late is fine, lost is not.
type Teller struct {
	store *models.Store
	crm   Timeline

	mu    sync.Mutex
	stuck map[string]stuck // by message: what the CRM fails at, in this process
}

// stuck is a message that the CRM answered with a fault of its own.
type stuck struct {
	times int
	until time.Time
}

// NewTeller returns a teller.
func NewTeller(store *models.Store, c Timeline) *Teller {
	return &Teller{store: store, crm: c, stuck: map[string]stuck{}}
}

const (
	tellPage     = 100
	tellTogether = 8
	stuckFirst   = 30 * time.Second
	stuckMost    = time.Hour
	stuckKept    = 10_000
)

// Round tells what one tenant's CRM has not heard, and how much that was. A message that the CRM fails at is passed
// over, and tried again in a later round. An error means that the CRM should be asked again later; what it has taken
// until then is not told again.
func (t *Teller) Round(ctx context.Context, tenantID string) (told int, err error) {
	tenant, err := t.store.Tenants.Get(ctx, tenantID)
	if err != nil {
		return 0, err
	}
	to := crm.Tenant{ID: tenant.ID, Linkname: tenant.Linkname, Name: tenant.Name, Plan: tenant.Plan, TimeZone: tenant.TimeZone}
	for last := (ledger.Message{}); ; {
		page, err := t.store.Messages.TimelinePending(ctx, tenantID, last, tellPage)
		if err != nil || len(page) == 0 {
			return told, err
		}
		n, err := t.page(ctx, to, page)
		told += n
		if err != nil {
			return told, err
		}
		last = page[len(page)-1]
	}
}

// page tells one page. When the CRM fails at all of several messages, it is the CRM and not the messages.
func (t *Teller) page(ctx context.Context, to crm.Tenant, page []ledger.Message) (int, error) {
	sources, err := t.sources(ctx, to.ID, page)
	if err != nil {
		return 0, err
	}
	var told atomic.Int64
	var failed [tellPage]error
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(tellTogether)
	for i, m := range page {
		if !t.mayTry(m.ID) {
			continue
		}
		g.Go(func() error {
			err := t.tell(gctx, to, m, sources[m.BatchID])
			if failed[i] = itsOwn(err); failed[i] != nil {
				return nil
			}
			if err == nil {
				told.Add(1)
				t.free(m.ID)
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return int(told.Load()), err
	}
	n := 0
	for i, err := range failed {
		if err == nil {
			continue
		}
		n++
		t.setAside(page[i].ID)
		if n > tellTogether && told.Load() == 0 {
			return 0, err
		}
	}
	return int(told.Load()), nil
}

// itsOwn is an error that may be about this very message: a fault (500), or an answer that is none.
func itsOwn(err error) error {
	var e *crm.Error
	if errors.As(err, &e) && (e.Status == http.StatusInternalServerError || e.Kind == crm.Garbage) {
		return err
	}
	return nil
}

func (t *Teller) mayTry(id string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.store.Now().Before(t.stuck[id].until)
}

func (t *Teller) free(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.stuck, id)
}

// setAside lets a message wait, each time twice as long.
func (t *Teller) setAside(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.stuck) >= stuckKept {
		clear(t.stuck) // they are tried once too often
	}
	s := t.stuck[id]
	s.until = t.store.Now().Add(min(stuckFirst<<min(s.times, 10), stuckMost))
	s.times++
	t.stuck[id] = s
}

func (t *Teller) sources(ctx context.Context, tenantID string, page []ledger.Message) (map[string]string, error) {
	out := map[string]string{}
	for _, m := range page {
		if _, known := out[m.BatchID]; known {
			continue
		}
		b, err := t.store.Batches.Get(ctx, tenantID, "", m.BatchID)
		if err != nil && !errors.Is(err, models.ErrNotFound) {
			return nil, err
		}
		out[m.BatchID] = b.Source
	}
	return out, nil
}

func (t *Teller) tell(ctx context.Context, to crm.Tenant, m ledger.Message, source string) error {
	if m.Erased() {
		return t.store.Messages.MarkTimelineSynced(ctx, m) // there is nobody left to tell of
	}
	a := crm.Activity{MessageID: m.ID, ContactID: m.ContactID, DealID: m.DealID, UserID: m.UserID, From: m.FromNumber,
		To: m.ToNumber, Body: m.Text, Status: publicState(m.State), Error: m.ErrorText, SentAt: m.SentAt, Source: source, BatchID: m.BatchID}
	// The same change told twice has the same id, so that the CRM may drop the second.
	id := "act_" + m.ID + "_" + m.UpdatedAt.UTC().Format(time.RFC3339Nano)
	err := t.crm.UpsertActivity(ctx, to, id, a)
	var e *crm.Error
	if errors.As(err, &e) && slices.Contains(unwanted, e.Status) {
		return t.store.Messages.MarkTimelineSynced(ctx, m)
	}
	if err != nil {
		return err
	}
	return t.store.Messages.MarkTimelineSynced(ctx, m)
}

// unwanted are the answers of a CRM that does not want a message (its record is gone): asking again would not help. 401 and
// 403 are not among them: a secret that is being rotated says nothing of a message.
var unwanted = []int{http.StatusNotFound, http.StatusGone, http.StatusUnprocessableEntity}

// publicState folds what only we tell apart.
func publicState(state string) string {
	if state == ledger.Waiting {
		return ledger.Queued
	}
	return state
}
