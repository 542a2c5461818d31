package delivery_test

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"dialpad-texting/app/delivery"
	"dialpad-texting/models"
	"dialpad-texting/models/database"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/seed"
)

// TestRandomSchedulesNeverTextTwiceOrLoseAText drives the ledger
// through random schedules: workers that stall, die, lose answers and
// resume late, people who pause, hold and cancel, and events in any
// order. A failing schedule names its seed; set only to run it alone.
func TestRandomSchedulesNeverTextTwiceOrLoseAText(t *testing.T) {
	const only = 0
	modeltest.Each(t, seed.Migrate, func(t *testing.T, dsn string) {
		schedules, steps := 6, 350
		if strings.HasPrefix(dsn, "postgres") {
			schedules, steps = 6, 200
		}
		reached := map[string]int{}
		for i := range schedules {
			w := newSimulation(t, dsn, cmp.Or(only, uint64(i+1)), reached)
			for w.steps = range steps {
				w.step()
				w.checkLedger()
			}
			w.finish()
		}
		for _, what := range []string{wokeLate, requeuedText, waitingEvent, settledUnknown, lostClaim, leftUnposted} {
			if reached[what] == 0 {
				t.Errorf("no schedule reached %s", what)
			}
		}
	})
}

// What the schedules must reach, or they prove nothing.
const (
	wokeLate       = "a worker that woke after its lease"
	requeuedText   = "a text that was requeued"
	waitingEvent   = "an event that waited for an answer"
	settledUnknown = "an unknown outcome that was settled"
	lostClaim      = "a claim whose answer was lost"
	leftUnposted   = "a text that a takeover queued again before its request"
)

// simulation is one random schedule: the real store, workers
// that are moved by hand, and a Dialpad that counts.
type simulation struct {
	t           *testing.T
	r           *rand.Rand
	seed        uint64
	steps       int
	trace       []string
	db          *seed.DB
	read        *sql.Stmt // reads what is compared of all texts after each step
	clock       *seed.Clock
	rec         *delivery.Reconciler
	acme        *seed.Tenant
	tenant      string
	batches     []string
	texts       map[string]*truth // by message
	workers     []*simWorker
	events      []ledger.WebhookEvent
	waiting     []string // events that wait for an answer
	newestFence int64
	names       int
	reached     map[string]int
}

// truth is what really became of one text.
type truth struct {
	state     string // as last read from the ledger
	claims    int
	open      bool // marked as posted; its outcome may still be unknown
	claimLost bool // claimed, but the claim's answer was lost
	onWire    int  // POSTs that Dialpad may have accepted
	accepted  int
	dialpadID string
}

// simWorker is a worker with its lane, if it has one, and what it has claimed.
type simWorker struct {
	name      string
	lane      *ledger.Lane
	additions int64
	asleep    int  // steps until it moves again
	claimLost bool // the answer to its last claim was lost
	flights   []*flight
}

// flight is one claimed text: not yet posted,
// or posted with an answer on its way.
type flight struct {
	ledger.ClaimedMessage
	posted bool
	answer ledger.Outcome
}

func newSimulation(t *testing.T, dsn string, n uint64, reached map[string]int) *simulation {
	w := &simulation{t: t, seed: n, r: rand.New(rand.NewPCG(n, 7)), clock: seed.NewClock(), tenant: fmt.Sprint("t_", 900+n),
		texts: map[string]*truth{}, reached: reached}
	w.db = seed.Store(t, dsn, w.clock.Now)
	w.prepareRead(dsn)
	w.rec = delivery.NewReconciler(w.db.Store)
	w.acme = w.db.Tenant(w.tenant).Connected("c"+w.tenant).Account("1", "ana@acme.com", from).Account("2", "ben@acme.com", "+14155550101")
	for range 3 {
		w.workers = append(w.workers, &simWorker{name: w.name("w")})
	}
	w.queueBatch()
	return w
}

func (w *simulation) prepareRead(dsn string) {
	db, err := database.Open(w.t.Context(), dsn, database.Options{})
	w.must(err)
	w.t.Cleanup(func() { _ = db.Close() })
	pool, err := db.Gorm(w.t.Context()).DB()
	w.must(err)
	w.read, err = pool.PrepareContext(w.t.Context(), "SELECT id, state, dialpad_id, matched_by FROM messages WHERE tenant_id = '"+w.tenant+"'")
	w.must(err)
}

func (w *simulation) name(kind string) string {
	w.names++
	return fmt.Sprint(kind, "-", w.tenant, "-", w.names)
}

func (w *simulation) failf(format string, args ...any) {
	w.t.Helper()
	last := w.trace[max(0, len(w.trace)-40):]
	w.t.Fatalf("seed %d, step %d: %s\n%s", w.seed, w.steps, fmt.Sprintf(format, args...), strings.Join(last, "\n"))
}

func (w *simulation) must(err error) {
	w.t.Helper()
	if err != nil {
		w.failf("%v", err)
	}
}

func (w *simulation) logf(format string, args ...any) {
	w.trace = append(w.trace, fmt.Sprintf("%d ", w.steps)+fmt.Sprintf(format, args...))
}

// queueBatch queues a few texts. Batches share numbers, so
// a pair of sender and recipient may have several texts.
func (w *simulation) queueBatch() {
	class, sender := w.r.IntN(3), 1+w.r.IntN(2)
	b := w.name("b")
	for _, m := range w.acme.Batch(b, class, fmt.Sprint(sender), []string{"ana@acme.com", "ben@acme.com"}[sender-1], 1+w.r.IntN(6)) {
		w.texts[m.ID] = &truth{state: ledger.Queued}
	}
	w.batches = append(w.batches, b)
	w.logf("queue %s", b)
}

// step lets a worker, a person, Dialpad or the clock do one thing.
func (w *simulation) step() {
	d := w.workers[w.r.IntN(len(w.workers))]
	switch p := w.r.IntN(100); {
	case p < 4:
		w.queueBatch()
	case p < 12:
		w.advance(time.Duration(1+w.r.IntN(8000)) * time.Millisecond)
	case p < 20:
		w.receiveEvent()
	case p < 27:
		w.changeBatch()
	case d.asleep > 0:
		w.receiveEvent()
	case p < 30:
		d.asleep = 10 + w.r.IntN(80)
		w.logf("%s falls asleep", d.name)
	case p < 32:
		w.logf("%s dies with %d on the wire", d.name, len(d.flights))
		*d = simWorker{name: w.name("w")}
	case d.lane == nil:
		w.acquire(d)
	case p < 58:
		w.claim(d)
	case p < 60:
		w.release(d)
	default:
		w.answer(d)
	}
	for _, d := range w.workers {
		d.asleep = max(0, d.asleep-1)
	}
}

const simLease = 10 * time.Second

// advance lets time pass. Workers that are awake renew their leases.
func (w *simulation) advance(d time.Duration) {
	w.clock.Add(d)
	for _, d := range w.workers {
		if d.lane == nil || d.asleep > 0 {
			continue
		}
		kept, err := w.db.Lanes.RenewAllTenants(context.Background(), d.name, simLease, []string{d.lane.ID})
		w.must(err)
		if !kept[d.lane.ID] {
			w.logf("%s lost its lane", d.name)
			d.lane, d.claimLost = nil, false
		}
	}
}

func (w *simulation) acquire(d *simWorker) {
	lanes, err := w.db.Lanes.AcquireAllTenants(context.Background(), d.name, simLease, 0, 1000)
	w.must(err)
	for i := range lanes {
		if lanes[i].TenantID != w.tenant {
			continue
		}
		if d.lane, d.additions = &lanes[i], lanes[i].Additions; d.lane.Fence <= w.newestFence {
			w.failf("fence %d after %d", d.lane.Fence, w.newestFence)
		}
		w.newestFence = d.lane.Fence
		w.logf("%s has the lane, fence %d", d.name, d.lane.Fence)
	}
}

func (w *simulation) claim(d *simWorker) {
	ctx := context.Background()
	if d.claimLost {
		w.undoLostClaim(d)
		return
	}
	_, _, err := w.db.Lanes.QueueDue(ctx, *d.lane, 100)
	w.must(err)
	take := ledger.ClaimParams{N: 1 + w.r.IntN(5), LowClassQuota: w.r.IntN(2), LowClassLimit: 1 + w.r.IntN(2), Base: w.clock.Now()}
	got, additions, err := w.requestClaim(*d.lane, take)
	if w.isLost(d, err) {
		return
	}
	if d.lane.Fence != w.newestFence {
		w.failf("%s claims with fence %d, the lane's is %d", d.name, d.lane.Fence, w.newestFence)
	}
	d.claimLost = len(got) > 0 && w.r.IntN(12) == 0
	for _, c := range got {
		f := w.texts[c.ID]
		w.logf("%s claims %s, answer lost %v", d.name, c.ID[24:], d.claimLost)
		if f.claims++; f.open || f.onWire > 0 {
			w.failf("text %s is claimed again: %+v", c.ID, *f)
		}
		if f.claimLost = d.claimLost; !f.claimLost {
			d.additions = additions
			d.flights = append(d.flights, &flight{ClaimedMessage: c})
		}
	}
}

// requestClaim claims for one lane, or as the engine does for many at once.
func (w *simulation) requestClaim(l ledger.Lane, t ledger.ClaimParams) ([]ledger.ClaimedMessage, int64, error) {
	ctx := context.Background()
	if w.r.IntN(2) == 0 {
		return w.db.Lanes.Claim(ctx, l, t)
	}
	got, err := w.db.Lanes.ClaimMany(ctx, []ledger.ClaimRequest{{Lane: l, ClaimParams: t}})
	if err != nil {
		return nil, 0, err
	}
	if got[0].Busy {
		w.failf("the lane is busy although no one has its row")
	}
	if got[0].Lost {
		return nil, 0, models.ErrLost
	}
	return got[0].Messages, got[0].Additions, nil
}

// isLost reports whether a worker's lease is gone.
func (w *simulation) isLost(d *simWorker, err error) bool {
	if !errors.Is(err, models.ErrLost) {
		w.must(err)
		return false
	}
	w.logf("%s lost its lease", d.name)
	w.reached[wokeLate]++
	d.lane, d.claimLost = nil, false
	return true
}

// undoLostClaim requeues the texts of a claim whose
// answer was lost, once the worker has nothing else open.
func (w *simulation) undoLostClaim(d *simWorker) {
	if len(d.flights) > 0 {
		return
	}
	l := *d.lane
	l.LeaseOwner = d.name
	l, back, err := w.db.Lanes.UndoClaim(context.Background(), l)
	if w.isLost(d, err) {
		return
	}
	d.lane, d.claimLost, w.newestFence = &l, false, l.Fence
	w.logf("%s requeues %d", d.name, len(back))
	w.reached[lostClaim] += len(back)
	w.must(w.db.FollowUp(context.Background(), back))
}

// release gives the lane back when nothing is open, as the engine does.
func (w *simulation) release(d *simWorker) {
	if len(d.flights) > 0 || d.claimLost {
		return
	}
	l := *d.lane
	l.LeaseOwner, l.Additions = d.name, d.additions
	soon := w.clock.Now().Add(time.Second)
	gone, err := w.db.Lanes.Release(context.Background(), l, &soon)
	w.must(err)
	if gone {
		w.logf("%s releases the lane", d.name)
		d.lane = nil
	}
}
