package sandbox

import (
	"cmp"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// state is the data that all parts of the sandbox share.
type state struct {
	opts      Options
	now       func() time.Time
	log       *slog.Logger
	numberIDs atomic.Bool

	mu          sync.RWMutex // guards all below
	appURL      string
	domain      string
	tenants     []*tenant // the list never changes
	calls       []CallRecord
	appliedIDs  map[string]bool // webhook-ids of writes
	completions []Completion
	seq         int64
}

func newState(o Options) *state {
	st := &state{
		opts: o, now: o.Now, log: cmp.Or(o.Log, slog.New(slog.DiscardHandler)),
		appURL: strings.TrimRight(o.AppURL, "/"), domain: o.Domain,
		tenants: sampleTenants(), appliedIDs: map[string]bool{},
	}
	st.numberIDs.Store(o.NumberIDs)
	if st.now == nil {
		st.now = time.Now
	}
	// The app keeps the highest seq it applied, perhaps for longer than
	// this process runs: never start at 1 again.
	st.seq = st.now().UnixMilli()
	return st
}

func (st *state) addresses() (appURL, domain string) {
	st.mu.RLock()
	defer st.mu.RUnlock()
	return st.appURL, st.domain
}

// tenant returns a tenant by id or linkname, or nil.
func (st *state) tenant(key string) *tenant {
	for _, t := range st.tenants {
		if t.id == key || t.linkname == key {
			return t
		}
	}
	return nil
}

// origin is the origin of the tenant's pages. The caller holds mu.
func (st *state) origin(t *tenant) string { return "http://" + t.linkname + "." + st.domain }

// change changes a tenant and what its live pages show.
func (st *state) change(tenantKey string, do func(*tenant)) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if t := st.tenant(tenantKey); t != nil {
		do(t)
		t.version++
	}
}

// jsonID returns an id as this CRM writes it: a string, or with
// Options.NumberIDs a number where possible. "" is null.
func (st *state) jsonID(id string) any {
	if id == "" {
		return nil
	}
	if st.numberIDs.Load() && isInteger(id) {
		return json.RawMessage(id)
	}
	return id
}

func (st *state) jsonIDs(ids []string) []any {
	out := make([]any, len(ids))
	for i, id := range ids {
		out[i] = st.jsonID(id)
	}
	return out
}
