package delivery_test

import (
	"context"
	"log/slog"
	"math"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"dialpad-texting/app/accounts"
	"dialpad-texting/app/connection"
	"dialpad-texting/app/delivery"
	"dialpad-texting/app/eligibility"
	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/seed"
)

// rig is an engine over a real database and a real Dialpad sandbox.
type rig struct {
	t        *testing.T
	db       *seed.DB
	phone    *sandbox.Sandbox
	client   *dialpad.Client
	eligible *eligibility.Checker
	tokens   *connection.Tokens
	acme     *seed.Tenant
}

const (
	company  = sandbox.AcmeID
	redirect = "http://127.0.0.1:1/connect/callback"
)

// each runs a test on both databases, with Ana's and Ben's accounts connected.
// It does not use apptest: that would link the CRM sandbox into the
// binary whose memory the benchmarks measure.
func each(t *testing.T, f func(r *rig)) {
	t.Helper()
	modeltest.Each(t, seed.Migrate, func(t *testing.T, dsn string) {
		r := &rig{t: t, db: seed.Store(t, dsn, time.Now)}
		r.phone = sandbox.New(sandbox.Options{ClientID: "id", ClientSecret: "secret", RedirectURIs: []string{redirect}, TextsPerMinute: -1, RequestsPerSecond: -1})
		r.phone.SeedDemo()
		srv := httptest.NewServer(r.phone)
		t.Cleanup(func() { r.phone.Close(); srv.Close() })
		r.client = dialpad.New(dialpad.Config{BaseURL: srv.URL, ClientID: "id", ClientSecret: "secret", RedirectURL: redirect, Scopes: []string{"offline_access"}})
		r.eligible = eligibility.New(r.db.Store, eligibility.Config{Plans: []string{"business"}})
		r.tokens = connection.NewTokens(r.db.Store, r.client, connection.Config{})
		r.acme = r.db.Tenant("t_9").Connected(company).Rate(0).
			Account(sandbox.AnaID, "ana@acme.com", "+14155550100").Account(sandbox.BenID, "ben@acme.com", "+14155550101")
		r.grant()
		f(r)
	})
}

// grant gives the connection tokens that the sandbox knows.
func (r *rig) grant() {
	r.t.Helper()
	verifier := oauth2.GenerateVerifier()
	callback, err := r.phone.Consent(r.client.AuthCodeURL("state", verifier), sandbox.AnaID)
	r.must(err)
	u, err := url.Parse(callback)
	r.must(err)
	token, err := r.client.Exchange(context.Background(), u.Query().Get("code"), verifier)
	r.must(err)
	_, err = r.db.Connections.Save(context.Background(), models.NewConnection{TenantID: "t_9", CompanyID: company, CompanyName: "Acme Inc",
		DialpadUserID: sandbox.AnaID, ConnectedBy: "ana@acme.com", ConnectedByUser: "42", Grant: models.Grant{Access: token.Access, Refresh: token.Refresh}})
	r.must(err)
	r.must(r.db.Connections.MarkReady(context.Background(), "t_9"))
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// run starts an engine that stops with the test.
func (r *rig) run(cfg delivery.Config) (*delivery.Engine, context.CancelFunc) {
	r.t.Helper()
	if cfg.WorkerID == "" {
		cfg.WorkerID = "w1"
	}
	cfg.Poll = 10 * time.Millisecond
	cfg.Log = slog.New(slog.NewTextHandler(r.t.Output(), nil))
	people := accounts.New(r.db.Store, r.client, r.tokens, nil, time.Now, nil)
	e := delivery.New(r.db.Store, r.client, r.eligible, r.tokens, people, cfg)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { _ = e.Run(ctx); close(done) }()
	stop := func() { cancel(); <-done }
	r.t.Cleanup(stop)
	return e, stop
}

// until waits for a condition. The test fails if it stays false.
func (r *rig) until(what string, ok func() bool) {
	r.t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for !ok() {
		if time.Now().After(deadline) {
			r.t.Fatalf("never: %s; %+v", what, r.counts())
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (r *rig) counts() ledger.Counts {
	all := ledger.Counts{}
	batches, err := r.db.Batches.List(context.Background(), "t_9", ledger.BatchFilter{}, "", 100)
	r.must(err)
	for _, b := range batches {
		c, err := r.db.Counters.ByBatch(context.Background(), "t_9", []string{b.ID})
		r.must(err)
		one := c[b.ID]
		all.Queued += one.Queued
		all.Sending += one.Sending
		all.Sent += one.Sent
		all.Failed += one.Failed
		all.Uncertain += one.Uncertain
		all.Held += one.Held
		all.Delivered += one.Delivered
	}
	return all
}

func (r *rig) message(id string) ledger.Message {
	m, err := r.db.Messages.Get(context.Background(), "t_9", "", id)
	r.must(err)
	return m
}

func TestBulkSendsEachTextOnce(t *testing.T) {
	each(t, func(r *rig) {
		r.acme.Batch("b1", ledger.ClassBulk, sandbox.AnaID, "ana@acme.com", 300)
		r.run(delivery.Config{})
		r.until("300 sent", func() bool { return r.counts().Sent == 300 })
		if got, twice := r.phone.SMSPosts(), r.phone.TextedTwice(); got != 300 || len(twice) != 0 {
			t.Errorf("%d POSTs, %d texted twice", got, len(twice))
		}
		r.until("the batch is done", func() bool {
			b, err := r.db.Batches.Get(context.Background(), "t_9", "", "b1")
			return err == nil && b.State == ledger.BatchDone
		})
	})
}

func TestLostAnswerIsNeverSentAgain(t *testing.T) {
	for _, kind := range []sandbox.FaultKind{sandbox.DropAfterAccepting, sandbox.ResetMidResponse, sandbox.ErrorAfterAccepting, sandbox.TimeoutAfterAccepting} {
		t.Run(string(kind), func(t *testing.T) {
			each(t, func(r *rig) {
				r.phone.Fault(sandbox.Fault{Kind: kind, Path: "/api/v2/sms", Times: 1})
				m := r.acme.Batch("b1", ledger.ClassOneToOne, sandbox.AnaID, "ana@acme.com", 1)
				r.run(delivery.Config{Timeout: 300 * time.Millisecond})
				r.until("uncertain", func() bool { return r.counts().Uncertain == 1 })
				r.acme.Batch("b2", ledger.ClassOneToOne, sandbox.BenID, "ben@acme.com", 1)
				r.until("the next text goes out", func() bool { return r.counts().Sent == 1 })
				if got := r.phone.SMSPosts(); got != 2 {
					t.Errorf("%d POSTs for two texts", got)
				}
				if got := r.message(m[0].ID); got.ErrorText != ledger.UnknownOutcome {
					t.Errorf("its sender reads %q", got.ErrorText)
				}
			})
		})
	}
}

func TestUnacceptedTextIsSentAgain(t *testing.T) {
	each(t, func(r *rig) {
		r.phone.Fault(sandbox.Fault{Kind: sandbox.UnavailableRetryAfter, Path: "/api/v2/sms", Times: 1, RetryAfter: time.Second})
		m := r.acme.Batch("b1", ledger.ClassOneToOne, sandbox.AnaID, "ana@acme.com", 1)
		r.run(delivery.Config{})
		r.until("sent", func() bool { return r.counts().Sent == 1 })
		got := r.message(m[0].ID)
		attempts, err := r.db.Messages.Attempts(context.Background(), "t_9", got.ID)
		r.must(err)
		if got.Attempt != 2 || len(attempts) != 1 || attempts[0].ErrorCode != "dialpad_unreachable" || r.phone.Accepted() != 1 {
			t.Errorf("attempt %d, earlier %+v, accepted %d", got.Attempt, attempts, r.phone.Accepted())
		}
	})
}

func TestRefusalKeepsDialpadsWords(t *testing.T) {
	each(t, func(r *rig) {
		r.phone.SuspendUser(sandbox.BenID)
		m := r.acme.Batch("b1", ledger.ClassOneToOne, sandbox.BenID, "ben@acme.com", 1) // Ben's stored state is fresh, and wrong
		r.run(delivery.Config{})
		r.until("failed", func() bool { return r.counts().Failed == 1 })
		if got := r.message(m[0].ID); got.ErrorCode != "dialpad_refused" || got.ErrorText == "" || r.phone.Accepted() != 0 {
			t.Errorf("%q %q", got.ErrorCode, got.ErrorText)
		}
	})
}

func TestTextThatFailsInTheAnswerIsNoSuccess(t *testing.T) {
	for result, want := range map[string]struct{ code, words string }{
		"invalid_destination": {"invalid_destination", "This number can't receive texts"},
		"rejected_spam":       {"rejected_spam", "The carrier took this text for spam"},
		"":                    {"failed", "Dialpad reported that this text was not delivered"},
	} {
		t.Run(result, func(t *testing.T) {
			each(t, func(r *rig) {
				m := r.acme.Batch("b1", ledger.ClassOneToOne, sandbox.AnaID, "ana@acme.com", 1)
				r.phone.FailAtOnce(m[0].ToNumber, result)
				r.run(delivery.Config{})
				r.until("failed", func() bool { return r.counts().Failed == 1 })
				got := r.message(m[0].ID)
				if got.ErrorCode != want.code || !strings.HasPrefix(got.ErrorText, want.words) || got.DialpadID == "" || r.phone.SMSPosts() != 1 {
					t.Errorf("%+v after %d POSTs", got, r.phone.SMSPosts())
				}
			})
		})
	}
}

func TestStaleSenderIsReadBeforeTheText(t *testing.T) {
	each(t, func(r *rig) {
		r.phone.SuspendUser(sandbox.BenID)
		r.must(r.db.Accounts.MarkStale(context.Background(), "t_9", []string{sandbox.BenID}))
		m := r.acme.Batch("b1", ledger.ClassOneToOne, sandbox.BenID, "ben@acme.com", 1)
		r.run(delivery.Config{})
		r.until("failed", func() bool { return r.counts().Failed == 1 })
		if got := r.message(m[0].ID); got.ErrorText != "No Dialpad account found" || r.phone.SMSPosts() != 0 {
			t.Errorf("%q after %d POSTs", got.ErrorText, r.phone.SMSPosts())
		}
	})
}

func TestOptOutIsRecheckedBeforeThePost(t *testing.T) {
	each(t, func(r *rig) {
		m := r.acme.Batch("b1", ledger.ClassBulk, sandbox.AnaID, "ana@acme.com", 2)
		_, err := r.db.Suppressions.Add(context.Background(), "t_9", m[1].ToNumber, models.OptOutReply, "")
		r.must(err)
		r.run(delivery.Config{})
		r.until("both settled", func() bool { c := r.counts(); return c.Sent == 1 && c.Failed == 1 })
		if got := r.message(m[1].ID); got.ErrorText != "Unsubscribed from Text" || r.phone.SMSPosts() != 1 {
			t.Errorf("%q, %d POSTs", got.ErrorText, r.phone.SMSPosts())
		}
	})
}

func TestWithoutPlanTextsAreHeldAndAutomationsFail(t *testing.T) {
	each(t, func(r *rig) {
		one := r.acme.Batch("b1", ledger.ClassOneToOne, sandbox.AnaID, "ana@acme.com", 1)
		auto := r.acme.Batch("b2", ledger.ClassAutomation, sandbox.AnaID, "ana@acme.com", 1)
		_, err := r.db.Tenants.SaveSigned(context.Background(), models.SignedTenant{ID: "t_9", Linkname: "l9", Name: "Acme", Plan: "starter",
			TimeZone: "America/New_York", SignedAt: time.Now().Add(time.Minute)})
		r.must(err)
		r.run(delivery.Config{})
		r.until("held and failed", func() bool { c := r.counts(); return c.Held == 1 && c.Failed == 1 })
		if got := r.message(one[0].ID); got.ErrorText != eligibility.ConnectMessage || got.State != ledger.Held {
			t.Errorf("one-to-one: %s %q", got.State, got.ErrorText)
		}
		if got := r.message(auto[0].ID); got.ErrorCode != "plan_required" || got.State != ledger.Failed {
			t.Errorf("automation: %s %q", got.State, got.ErrorCode)
		}
		if b, err := r.db.Batches.Get(context.Background(), "t_9", "", "b1"); err != nil || b.State != ledger.BatchHeld || r.phone.SMSPosts() != 0 {
			t.Errorf("batch %s, %v, %d POSTs", b.State, err, r.phone.SMSPosts())
		}
	})
}

func TestExpiredTokenIsRefreshedAndTheTextIsSentOnce(t *testing.T) {
	each(t, func(r *rig) {
		r.phone.Fault(sandbox.Fault{Kind: sandbox.Unauthorized, Path: "/api/v2/sms", Times: 1})
		r.acme.Batch("b1", ledger.ClassOneToOne, sandbox.AnaID, "ana@acme.com", 1)
		r.run(delivery.Config{})
		r.until("sent", func() bool { return r.counts().Sent == 1 })
		if r.phone.Accepted() != 1 {
			t.Errorf("accepted %d", r.phone.Accepted())
		}
	})
}

func TestRevokedGrantHoldsTextsAndBreaksTheConnection(t *testing.T) {
	each(t, func(r *rig) {
		r.phone.RevokeTokens(company)
		r.acme.Batch("b1", ledger.ClassOneToOne, sandbox.AnaID, "ana@acme.com", 1)
		r.run(delivery.Config{})
		r.until("held", func() bool { return r.counts().Held == 1 })
		c, err := r.db.Connections.Get(context.Background(), "t_9")
		if err != nil || c.State != models.Broken || c.Reason == "" {
			t.Errorf("connection %s %q, %v", c.State, c.Reason, err)
		}
	})
}

func TestRateLimitedLaneSlowsDownAndLosesNoText(t *testing.T) {
	each(t, func(r *rig) {
		const refusals = 3
		r.phone.Fault(sandbox.Fault{Kind: sandbox.TooManyRequests, Path: "/api/v2/sms", Every: 3, Times: refusals, RetryAfter: time.Second})
		r.acme.Rate(800).Batch("b1", ledger.ClassBulk, sandbox.AnaID, "ana@acme.com", 15)
		r.run(delivery.Config{Connections: 1}) // so that two are accepted before each refusal
		r.until("all sent", func() bool { return r.counts().Sent == 15 })
		l, err := r.db.Lanes.Get(context.Background(), "t_9", company)
		r.must(err)
		if want := 800 * 0.7 * 0.7 * 0.7; l.LimitedAt == nil || math.Abs(l.LearnedRate-want) > 1 {
			t.Errorf("learned %.0f a minute, limited at %v", l.LearnedRate, l.LimitedAt)
		}
		if n := r.phone.SMSPosts(); n != 15+refusals || len(r.phone.TextedTwice()) != 0 || r.counts().Failed != 0 {
			t.Errorf("%d POSTs, twice %v, %+v", n, r.phone.TextedTwice(), r.counts())
		}
	})
}

// Texts whose turn comes at night wait for the end of quiet hours without a
// claim and without an attempt.
func TestTextInQuietHoursWaitsForTheirEnd(t *testing.T) {
	each(t, func(r *rig) {
		now := time.Now().UTC()
		clock := func(d time.Duration) string { return now.Add(d).Format("15:04") }
		r.must(r.db.Tenants.SaveSettings(context.Background(), "t_9", models.Settings{Country: "US", QuietFrom: clock(-time.Hour), QuietTo: clock(time.Hour)}))
		texts := r.acme.Quiet("b1", sandbox.AnaID, "ana@acme.com", "UTC", "UTC", "", "")
		r.run(delivery.Config{})
		waits := func(m ledger.Message) bool { return m.State == ledger.Waiting }
		r.until("the others went", func() bool {
			return r.counts().Sent == 2 && waits(r.message(texts[0].ID)) && waits(r.message(texts[1].ID))
		})
		for _, text := range texts[:2] {
			m := r.message(text.ID)
			attempts, err := r.db.Messages.Attempts(context.Background(), "t_9", m.ID)
			r.must(err)
			if m.DueAt == nil || m.DueAt.UTC().Format("15:04") != clock(time.Hour) || m.ErrorCode != ledger.CodeQuiet || m.Attempt != 0 || len(attempts) != 0 {
				t.Errorf("due at %v, %q; attempt %d, %d rows", m.DueAt, m.ErrorCode, m.Attempt, len(attempts))
			}
		}
		l, err := r.db.Lanes.Get(context.Background(), "t_9", company)
		r.must(err)
		if l.Served != 2 || r.phone.SMSPosts() != 2 {
			t.Errorf("%d claims, %d POSTs", l.Served, r.phone.SMSPosts())
		}
	})
}

// The stored copy of the CRM user is old: who sends is looked up again before
// a text fails.
func TestSenderIsReadAgainBeforeATextFails(t *testing.T) {
	each(t, func(r *rig) {
		text := r.acme.Batch("b1", ledger.ClassBulk, sandbox.AnaID, "ana@acme.com", 1)[0]
		r.acme.User("user-of-ana@acme.com", "old@acme.com", true)
		r.eligible.ReadUsers(crmUsers{"user-of-ana@acme.com": {UserID: "user-of-ana@acme.com", Email: "ana@acme.com", Active: true}})
		r.run(delivery.Config{})
		r.until("sent", func() bool { return r.message(text.ID).State == ledger.Sent })
	})
}

// Dialpad sent no event for the account's new e-mail.
func TestAccountIsReadAgainBeforeATextFails(t *testing.T) {
	each(t, func(r *rig) {
		r.acme.Account(sandbox.AnaID, "old@acme.com", "+14155550100")
		text := r.acme.Batch("b1", ledger.ClassBulk, sandbox.AnaID, "ana@acme.com", 1)[0]
		r.run(delivery.Config{})
		r.until("sent", func() bool { return r.message(text.ID).State == ledger.Sent })
	})
}

// crmUsers are the users of a CRM, by id.
type crmUsers map[string]models.User

func (u crmUsers) User(_ context.Context, _, id string) (models.User, error) { return u[id], nil }

// Dialpad takes longer to answer than a lease lasts.
func TestStoppingEngineRenewsItsLeasesUntilItsAnswersCame(t *testing.T) {
	each(t, func(r *rig) {
		const lease = 1500 * time.Millisecond
		r.phone.Fault(sandbox.Fault{Kind: sandbox.Slow, Path: "/api/v2/sms", Delay: 4 * time.Second})
		r.acme.Batch("b1", ledger.ClassOneToOne, sandbox.AnaID, "ana@acme.com", 3)
		_, stop := r.run(delivery.Config{WorkerID: "w1", Connections: 8, Lease: lease})
		r.until("on the wire", func() bool { return r.phone.SMSPosts() == 3 })
		until := func() time.Time {
			l, err := r.db.Lanes.Get(context.Background(), "t_9", company)
			r.must(err)
			if l.LeaseUntil == nil {
				return time.Time{}
			}
			return *l.LeaseUntil
		}
		stopped := make(chan struct{})
		go func() { stop(); close(stopped) }()
		before := until()
		r.until("the lease is renewed twice", func() bool { return until().After(before.Add(lease / 2)) })
		<-stopped
		if c := r.counts(); c.Sent != 3 {
			t.Errorf("after a clean stop: %+v", c)
		}
	})
}

func TestAnotherEngineContinuesAfterACleanStop(t *testing.T) {
	each(t, func(r *rig) {
		r.phone.Fault(sandbox.Fault{Kind: sandbox.Slow, Path: "/api/v2/sms", Delay: 20 * time.Millisecond})
		r.acme.Batch("b1", ledger.ClassBulk, sandbox.AnaID, "ana@acme.com", 200)
		_, stop := r.run(delivery.Config{WorkerID: "w1", Connections: 8})
		r.until("some sent", func() bool { return r.phone.Accepted() > 20 })
		stop()
		if c := r.counts(); c.Sending != 0 || c.Uncertain != 0 {
			t.Errorf("after a clean stop: %+v", c)
		}
		r.run(delivery.Config{WorkerID: "w2", Connections: 8})
		r.until("all sent", func() bool { return r.counts().Sent == 200 })
		if r.phone.SMSPosts() != 200 {
			t.Errorf("%d POSTs", r.phone.SMSPosts())
		}
	})
}
