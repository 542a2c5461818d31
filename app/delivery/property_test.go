package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"dialpad-texting/app/delivery"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/seed"
)

// TestNoScheduleTextsTwiceOrLosesAnybody drives the ledger through random schedules: three workers that stall, die,
// lose answers and wake late, people who pause, hold and cancel, and a Dialpad whose events come in any order.
// A failing schedule names its seed; put it into only to see it alone.
func TestNoScheduleTextsTwiceOrLosesAnybody(t *testing.T) {
	const only = 0
	modeltest.Each(t, seed.Migrate, func(t *testing.T, dsn string) {
		seeds, steps := 6, 350
		if strings.HasPrefix(dsn, "postgres") {
			seeds, steps = 4, 150
		}
		seen := map[string]int{}
		for i := range seeds {
			n := uint64(i + 1)
			if only != 0 {
				n = only
			}
			w := newSchedule(t, dsn, n, seen)
			for w.step = range steps {
				w.act()
				w.look()
			}
			w.finish()
		}
		for _, what := range []string{wokeLate, wentAgain, eventWaited, unknownSettled, claimUnheard} {
			if seen[what] == 0 {
				t.Errorf("no schedule came across %s", what)
			}
		}
	})
}

// What the schedules must have come across, or they say nothing.
const (
	wokeLate       = "a worker that woke after its lease"
	wentAgain      = "a text that went again"
	eventWaited    = "an event that waited for an answer"
	unknownSettled = "an unknown outcome that was settled"
	claimUnheard   = "a claim whose answer was lost"
)

// schedule is one random run: the real store, workers that are moved by hand, and a Dialpad that counts.
type schedule struct {
	t       *testing.T
	r       *rand.Rand
	seed    uint64
	step    int
	trace   []string
	db      *seed.DB
	clock   *seed.Clock
	rec     *delivery.Reconciler
	acme    *seed.Tenant
	tenant  string
	batches []string
	texts   map[string]*fate // by message
	workers []*drainer
	events  []ledger.WebhookEvent
	stored  []string // events that wait for an answer
	newest  int64    // the newest fence that was handed out
	n       int
	seen    map[string]int // what the schedule came across
}

// fate is what truly became of one text.
type fate struct {
	state     string // as last seen in the ledger
	claims    int
	open      bool // claimed, and what became of it may still be unknown
	unheard   bool // claimed without anybody hearing of it
	onWire    int  // POSTs that Dialpad did not surely turn down
	accepted  int
	dialpadID string
}

// drainer is a worker: a lane perhaps, and what it has claimed.
type drainer struct {
	name    string
	lane    *ledger.Lane
	wakes   int64
	asleep  int  // steps it does not move
	unheard bool // the answer to its last claim was lost
	flights []*flight
}

// flight is one claimed text: not yet posted, or posted with an answer on its way.
type flight struct {
	ledger.ClaimedMessage
	posted bool
	answer ledger.Outcome
}

func newSchedule(t *testing.T, dsn string, n uint64, seen map[string]int) *schedule {
	w := &schedule{t: t, seed: n, r: rand.New(rand.NewPCG(n, 7)), clock: seed.NewClock(), tenant: fmt.Sprint("t_", 900+n),
		texts: map[string]*fate{}, seen: seen}
	w.db = seed.Store(t, dsn, w.clock.Now)
	w.rec = delivery.NewReconciler(w.db.Store, slog.New(slog.DiscardHandler))
	w.acme = w.db.Tenant(w.tenant).Connected("c"+w.tenant).Account("1", "ana@acme.com", from).Account("2", "ben@acme.com", "+14155550101")
	for range 3 {
		w.workers = append(w.workers, &drainer{name: w.name("w")})
	}
	w.queue()
	return w
}

func (w *schedule) name(kind string) string { w.n++; return fmt.Sprint(kind, "-", w.tenant, "-", w.n) }

func (w *schedule) fail(format string, args ...any) {
	w.t.Helper()
	last := w.trace[max(0, len(w.trace)-40):]
	w.t.Fatalf("seed %d, step %d: %s\n%s", w.seed, w.step, fmt.Sprintf(format, args...), strings.Join(last, "\n"))
}

func (w *schedule) must(err error) {
	w.t.Helper()
	if err != nil {
		w.fail("%v", err)
	}
}

func (w *schedule) note(format string, args ...any) {
	w.trace = append(w.trace, fmt.Sprintf("%d ", w.step)+fmt.Sprintf(format, args...))
}

// queue asks for a few texts. Batches share numbers: a pair of sender and recipient may have several.
func (w *schedule) queue() {
	class, sender := w.r.IntN(3), 1+w.r.IntN(2)
	b := w.name("b")
	for _, m := range w.acme.Batch(b, class, fmt.Sprint(sender), []string{"ana@acme.com", "ben@acme.com"}[sender-1], 1+w.r.IntN(6)) {
		w.texts[m.ID] = &fate{state: ledger.Queued}
	}
	w.batches = append(w.batches, b)
	w.note("queue %s", b)
}

// act is one step of anybody.
func (w *schedule) act() {
	d := w.workers[w.r.IntN(len(w.workers))]
	switch p := w.r.IntN(100); {
	case p < 4:
		w.queue()
	case p < 12:
		w.pass(time.Duration(1+w.r.IntN(8000)) * time.Millisecond)
	case p < 20:
		w.hear()
	case p < 27:
		w.decide()
	case d.asleep > 0:
		w.hear()
	case p < 30:
		d.asleep = 10 + w.r.IntN(80)
		w.note("%s falls asleep", d.name)
	case p < 32:
		w.note("%s dies with %d on the wire", d.name, len(d.flights))
		*d = drainer{name: w.name("w")}
	case d.lane == nil:
		w.acquire(d)
	case p < 58:
		w.claim(d)
	case p < 60:
		w.giveUp(d)
	default:
		w.answer(d)
	}
	for _, d := range w.workers {
		d.asleep = max(0, d.asleep-1)
	}
}

const leaseTime = 10 * time.Second

// pass lets time go by; who is awake renews, as the engine does each third of a lease.
func (w *schedule) pass(d time.Duration) {
	w.clock.Add(d)
	for _, d := range w.workers {
		if d.lane == nil || d.asleep > 0 {
			continue
		}
		kept, err := w.db.Lanes.RenewAllTenants(context.Background(), d.name, leaseTime, []string{d.lane.ID})
		w.must(err)
		if !kept[d.lane.ID] {
			w.note("%s lost its lane", d.name)
			d.lane, d.unheard = nil, false
		}
	}
}

func (w *schedule) acquire(d *drainer) {
	lanes, err := w.db.Lanes.AcquireAllTenants(context.Background(), d.name, leaseTime, 0, 1000)
	w.must(err)
	for i := range lanes {
		if lanes[i].TenantID != w.tenant {
			continue
		}
		if d.lane, d.wakes = &lanes[i], lanes[i].Additions; d.lane.Fence <= w.newest {
			w.fail("fence %d after %d", d.lane.Fence, w.newest)
		}
		w.newest = d.lane.Fence
		w.note("%s has the lane, fence %d", d.name, d.lane.Fence)
	}
}

func (w *schedule) claim(d *drainer) {
	ctx := context.Background()
	if d.unheard {
		w.takeBack(d)
		return
	}
	_, _, err := w.db.Lanes.QueueDue(ctx, *d.lane, 100)
	w.must(err)
	take := ledger.ClaimSize{N: 1 + w.r.IntN(5), LowerClass: w.r.IntN(2), MaxLowerClass: 1 + w.r.IntN(2), Base: w.clock.Now()}
	got, wakes, err := w.take(*d.lane, take)
	if w.lost(d, err) {
		return
	}
	if d.lane.Fence != w.newest {
		w.fail("%s claims with fence %d, the lane's is %d", d.name, d.lane.Fence, w.newest)
	}
	d.unheard = len(got) > 0 && w.r.IntN(12) == 0
	for _, c := range got {
		f := w.texts[c.ID]
		w.note("%s claims %s, unheard %v", d.name, c.ID[24:], d.unheard)
		if f.claims++; f.open || f.onWire > 0 {
			w.fail("text %s is claimed again: %+v", c.ID, *f)
		}
		if f.unheard = d.unheard; !f.unheard {
			f.open, d.wakes = true, wakes
			d.flights = append(d.flights, &flight{Claimed: c})
		}
	}
}

// take claims alone, or as the engine does for many lanes at once.
func (w *schedule) take(l ledger.Lane, t ledger.ClaimSize) ([]ledger.ClaimedMessage, int64, error) {
	ctx := context.Background()
	if w.r.IntN(2) == 0 {
		return w.db.Lanes.Claim(ctx, l, t)
	}
	got, err := w.db.Lanes.ClaimMany(ctx, []ledger.ClaimRequest{{Lane: l, ClaimSize: t}})
	if err != nil {
		return nil, 0, err
	}
	if got[0].Busy {
		w.fail("nobody has the lane's row, and it is busy")
	}
	if got[0].Lost {
		return nil, 0, models.ErrLost
	}
	return got[0].Messages, got[0].Additions, nil
}

// lost tells whether a worker's lease is gone.
func (w *schedule) lost(d *drainer, err error) bool {
	if !errors.Is(err, models.ErrLost) {
		w.must(err)
		return false
	}
	w.note("%s lost its lease", d.name)
	w.seen[wokeLate]++
	d.lane, d.unheard = nil, false
	return true
}

// takeBack puts back what the worker claimed without hearing of it, once it has nothing else open.
func (w *schedule) takeBack(d *drainer) {
	if len(d.flights) > 0 {
		return
	}
	l := *d.lane
	l.LeaseOwner = d.name
	l, back, err := w.db.Lanes.UndoClaim(context.Background(), l)
	if w.lost(d, err) {
		return
	}
	d.lane, d.unheard, w.newest = &l, false, l.Fence
	w.note("%s takes %d back", d.name, len(back))
	w.seen[claimUnheard] += len(back)
	w.must(w.db.FollowUp(context.Background(), back))
}

// giveUp hands the lane back when nothing is open, as the engine does.
func (w *schedule) giveUp(d *drainer) {
	if len(d.flights) > 0 || d.unheard {
		return
	}
	l := *d.lane
	l.LeaseOwner, l.Additions = d.name, d.wakes
	soon := w.clock.Now().Add(time.Second)
	gone, err := w.db.Lanes.Release(context.Background(), l, &soon)
	w.must(err)
	if gone {
		w.note("%s gives the lane back", d.name)
		d.lane = nil
	}
}
