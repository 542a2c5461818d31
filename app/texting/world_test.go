package texting_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/riverqueue/river"

	"dialpad-texting/app/market"
	"dialpad-texting/app/texting"
	"dialpad-texting/integrations/crm"
	crmsandbox "dialpad-texting/integrations/crm/sandbox"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/seed"
)

var ctx = context.Background()

const (
	connectWords = "You need an active DialPad connection to use this feature. Click here to connect."
	company      = "4508591728425653"
	bob          = "+14155550142" // contact 7
)

// world is texting between a real database and a real CRM over HTTP. Its clock stands until a test moves it.
type world struct {
	*texting.Texting
	t      testing.TB
	clock  *seed.Clock
	db     *seed.DB
	acme   *seed.Tenant
	host   *crmsandbox.Sandbox
	crm    *hookedCRM
	market *market.Market
	woken  atomic.Int64
	lane   ledger.Lane // once it was due
}

// hookedCRM is the client with a place to step in before each page of records.
type hookedCRM struct {
	*crm.Client
	before func() error
}

func (c *hookedCRM) ResolveRecords(ctx context.Context, t crm.Tenant, q crm.ResolveQuery) (crm.Records, error) {
	if c.before != nil {
		if err := c.before(); err != nil {
			return crm.Records{}, err
		}
	}
	return c.Client.ResolveRecords(ctx, t, q)
}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	t.Helper()
	modeltest.Each(t, seed.Migrate, func(t *testing.T, dsn string) { f(t, newWorld(t, dsn)) })
}

func newWorld(t testing.TB, dsn string) *world {
	w := &world{t: t, clock: seed.NewClock()}
	secrets, err := crm.ParseSecrets("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
	must(t, err)
	w.host = crmsandbox.New(crmsandbox.Options{Secrets: secrets, Domain: "localhost:8090", Now: w.clock.Now})
	host := httptest.NewServer(w.host)
	t.Cleanup(host.Close)
	w.crm = &hookedCRM{Client: crm.New(host.URL+"/{linkname}", secrets, nil, w.clock.Now)}
	w.db = seed.Store(t, dsn, w.clock.Now)
	w.market = market.New(w.db.Store, nil, market.Config{Plans: []string{"business", "enterprise"}, Now: w.clock.Now,
		AppPageURL: func(linkname string) string { return "http://" + linkname + ".localhost:8090/app" }})
	w.Texting = w.another()
	w.acme = w.db.Tenant("t_9")
	w.plan("business")
	w.acme.Connected(company).Rate(100).Account("1", "ana@acme.com", "+14155550100").Account("2", "ben@acme.com", "+14155550101").
		Account("4", "dan@acme.com", "")
	return w
}

// another is texting as another process of the fleet has it.
func (w *world) another() *texting.Texting {
	return texting.New(w.db.Store, w.crm, w.market, texting.Config{Now: w.clock.Now, Wake: func() { w.woken.Add(1) }})
}

// suppress opts a number out here, by a source.
func (w *world) suppress(number, source string) {
	w.t.Helper()
	_, err := w.db.Suppressions.Add(ctx, "t_9", number, source, "")
	must(w.t, err)
}

// account has Dialpad tell another state of a user.
func (w *world) account(id, email, state string) {
	w.t.Helper()
	w.clock.Add(time.Millisecond)
	_, err := w.db.Accounts.Save(ctx, "t_9", w.clock.Now(), []models.Account{{DialpadID: id, Emails: []string{email}, Number: "+1415555010" + string(id[0]-1), State: state}})
	must(w.t, err)
}

// plan has the CRM sign a plan for Acme.
func (w *world) plan(plan string) {
	w.t.Helper()
	_, err := w.db.Tenants.SaveSigned(ctx, models.SignedTenant{ID: "t_9", Linkname: "acme", Name: "Acme Inc", Plan: plan,
		TimeZone: "America/New_York", SignedAt: w.clock.Now()})
	must(w.t, err)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var users = map[string]texting.Asker{
	"ana":  {UserID: "42", Email: "ana@acme.com", Name: "Ana Ruiz", Role: "admin", TimeZone: "America/New_York"},
	"ben":  {UserID: "43", Email: "ben@acme.com", Name: "Ben Okoro", Role: "user", TimeZone: "America/New_York"},
	"cleo": {UserID: "44", Email: "cleo@acme.com", Name: "Cleo Park", Role: "user", TimeZone: "America/New_York"},
	"dan":  {UserID: "45", Email: "dan@acme.com", Name: "Dan Weiss", Role: "user", TimeZone: "America/New_York"},
}

// page is somebody on the outbox: the tenant as it stands now, no ctx.
func (w *world) page(who string) texting.Asker {
	w.t.Helper()
	a := users[who]
	t, err := w.db.Store.Tenants.Get(ctx, "t_9")
	must(w.t, err)
	a.Tenant = t
	return a
}

// one is somebody in a popup about a contact's number.
func (w *world) one(who, contact, number string) texting.Asker {
	a := w.page(who)
	a.Ctx = &crm.Ctx{Mode: crm.ModeOne, Module: crm.ModuleContact, RecordIDs: []string{contact}, ToNumber: number}
	return a
}

// bulk is somebody in a popup about some records.
func (w *world) bulk(who, module string, ids ...string) texting.Asker {
	a := w.page(who)
	a.Ctx = &crm.Ctx{Mode: crm.ModeBulk, Module: module, RecordIDs: ids}
	return a
}

// all is somebody in a popup about all records that match q.
func (w *world) all(who, module, q string) texting.Asker {
	w.t.Helper()
	a := w.page(who)
	id, n, err := w.host.Select("t_9", a.UserID, module, q)
	must(w.t, err)
	a.Ctx = &crm.Ctx{Mode: crm.ModeBulk, Module: module, Selection: id, Count: n}
	return a
}

func says(text string) texting.BatchRequest { return texting.BatchRequest{Message: text} }

// create makes a batch that must not be refused.
func (w *world) create(a texting.Asker, key string, r texting.BatchRequest) texting.BatchView {
	w.t.Helper()
	v, err := w.Create(ctx, a, key, r)
	must(w.t, err)
	w.addsUp(v)
	return v
}

// prepared makes a batch and prepares it to its end.
func (w *world) prepared(a texting.Asker, key string, r texting.BatchRequest) texting.BatchView {
	w.t.Helper()
	v := w.create(a, key, r)
	_, err := w.Prepare(ctx, "t_9", v.ID)
	must(w.t, err)
	return w.view(v.ID)
}

// view is a batch as its tenant's admin sees it.
func (w *world) view(id string) texting.BatchView {
	w.t.Helper()
	v, err := w.Batch(ctx, w.page("ana"), id)
	must(w.t, err)
	w.addsUp(v)
	return v
}

// addsUp holds for every batch at every moment.
func (w *world) addsUp(v texting.BatchView) {
	w.t.Helper()
	if v.Counts.Total != v.Counts.Sum() || v.Counts.Total == 0 {
		w.t.Errorf("the counts of %s do not add up: %+v", v.ID, v.Counts)
	}
}

func (w *world) row(id string) ledger.Batch {
	w.t.Helper()
	b, err := w.db.Batches.Get(ctx, "t_9", "", id)
	must(w.t, err)
	return b
}

// messages are all rows of a batch, in order.
func (w *world) messages(batch string) []ledger.Message {
	w.t.Helper()
	list, err := w.db.Messages.List(ctx, "t_9", batch, nil, "", 100_000)
	must(w.t, err)
	return list
}

// stored counts the tenant's batches.
func (w *world) stored() int {
	w.t.Helper()
	list, err := w.db.Batches.List(ctx, "t_9", ledger.BatchFilter{}, "", 1000)
	must(w.t, err)
	return len(list)
}

// claim takes everything that may go onto the wire now, as the one worker does whose lane it is.
func (w *world) claim() []ledger.ClaimedMessage {
	w.t.Helper()
	if w.lane.ID == "" {
		lanes, err := w.db.Lanes.AcquireAllTenants(ctx, "w1", 1000*time.Hour, 0, 1)
		must(w.t, err)
		if len(lanes) == 0 {
			return nil
		}
		w.lane = lanes[0]
	}
	_, _, err := w.db.Lanes.QueueDue(ctx, w.lane, 1000)
	must(w.t, err)
	got, _, err := w.db.Lanes.Claim(ctx, w.lane, ledger.ClaimSize{N: 1000, Base: w.clock.Now()})
	must(w.t, err)
	return got
}

// settle ends claimed texts in a state.
func (w *world) settle(state string, claimed ...ledger.ClaimedMessage) {
	w.t.Helper()
	list := make([]ledger.Outcome, len(claimed))
	for i, c := range claimed {
		list[i] = ledger.Outcome{ID: c.ID, Attempt: c.Attempt, State: state, DialpadID: "d-" + c.ID}
	}
	moved, err := w.db.Settle(ctx, list)
	must(w.t, err)
	must(w.t, w.db.FollowUp(ctx, moved))
}

// jobs counts the jobs of a kind.
func (w *world) jobs(kind string) int {
	w.t.Helper()
	client, err := w.db.River(&river.Config{})
	must(w.t, err)
	list, err := client.JobList(ctx, river.NewJobListParams().Kinds(kind).First(10_000))
	must(w.t, err)
	return len(list.Jobs)
}

// refused are an error's code and sentence for the person, of whichever kind it is.
func refused(err error) (code, words string) {
	var p *texting.Problem
	var r *market.Refusal
	switch {
	case errors.As(err, &p):
		return p.Code, p.Message
	case errors.As(err, &r):
		return r.Code, r.Message
	case err != nil:
		return "error", err.Error()
	}
	return "", ""
}
