package connection_test

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"dialpad-texting/app/connection"
	"dialpad-texting/app/eligibility"
	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/seed"
)

// tokenPosts counts the requests that may rotate tokens.
func (w *world) tokenPosts() int { return w.requests(http.MethodPost, "/oauth2/token") }

// works reports whether Dialpad accepts a token.
func (w *world) works(token string) bool {
	_, err := w.dp.Me(ctx, token)
	return err == nil
}

func isCode(err error, code string) bool {
	var r *eligibility.Refusal
	return errors.As(err, &r) && r.Code == code
}

func TestFiftyCallersInTwoProcessesRefreshOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.connected()
		other := w.newTokens(seed.Store(t, w.dsn, w.clock.Now).Store, nil)
		w.clock.Add(2 * time.Hour)
		before := w.tokenPosts()
		w.sandbox.Fault(sandbox.Fault{Kind: sandbox.Slow, Path: "/oauth2/token", Delay: 50 * time.Millisecond})
		var group sync.WaitGroup
		tokens := make([]connection.Token, 50)
		for i := range tokens {
			m := w.Tokens
			if i%2 == 1 {
				m = other
			}
			group.Go(func() {
				var err error
				if tokens[i], err = m.Token(ctx, "t_9"); err != nil {
					t.Errorf("caller %d: %v", i, err)
				}
			})
		}
		group.Wait()
		if n := w.tokenPosts() - before; n != 1 {
			t.Errorf("%d requests to the token endpoint", n)
		}
		for i, got := range tokens {
			if got != tokens[0] || !w.works(got.Access) {
				t.Fatalf("caller %d has %+v, the first %+v", i, got, tokens[0])
			}
		}
	})
}

func TestRefreshAfter401HappensOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.connected()
		other := w.newTokens(seed.Store(t, w.dsn, w.clock.Now).Store, nil)
		old, err := w.Token(ctx, "t_9")
		must(t, err)
		before := w.tokenPosts()
		fresh, err := w.Refresh(ctx, "t_9", old.Version)
		if err != nil || fresh.Version == old.Version || !w.works(fresh.Access) {
			t.Fatalf("refreshed: %+v %v", fresh, err)
		}
		for _, m := range []*connection.Tokens{w.Tokens, other} {
			if again, err := m.Refresh(ctx, "t_9", old.Version); err != nil || again != fresh {
				t.Errorf("somebody else's newer token: %+v %v, want %+v", again, err, fresh)
			}
			if now, err := m.Token(ctx, "t_9"); err != nil || now != fresh {
				t.Errorf("token now: %+v %v", now, err)
			}
		}
		if n := w.tokenPosts() - before; n != 1 {
			t.Errorf("%d requests to the token endpoint", n)
		}
	})
}

func TestTokensAreRefreshedBeforeTheyExpire(t *testing.T) {
	w := newSQLite(t)
	w.connected()
	first, err := w.Token(ctx, "t_9")
	must(t, err)
	w.clock.Add(57*time.Minute + 59*time.Second)
	if now, err := w.Token(ctx, "t_9"); err != nil || now != first {
		t.Errorf("more than 2 min before it expires: %+v %v", now, err)
	}
	w.clock.Add(61 * time.Second)
	now, err := w.Token(ctx, "t_9")
	if err != nil || now.Version != first.Version+1 {
		t.Errorf("a minute before it expires: %+v %v", now, err)
	}
}

func TestOutageBeforeExpiryKeepsTheToken(t *testing.T) {
	w := newSQLite(t)
	w.connected()
	first, err := w.Token(ctx, "t_9")
	must(t, err)
	w.clock.Add(59 * time.Minute)
	w.sandbox.Fault(sandbox.Fault{Kind: sandbox.RefreshFails})
	before := w.tokenPosts()
	for range 5 {
		if now, err := w.Token(ctx, "t_9"); err != nil || now != first {
			t.Errorf("got %+v %v", now, err)
		}
	}
	if n := w.tokenPosts() - before; n != 1 {
		t.Errorf("asked %d times within a moment", n)
	}
}

func TestOutageDoesNotBreakTheConnection(t *testing.T) {
	for name, kind := range map[string]sandbox.FaultKind{"502": sandbox.RefreshFails, "503": sandbox.UnavailableRetryAfter,
		"429": sandbox.TooManyRequests, "dropped": sandbox.DropBeforeReading, "403": sandbox.Forbidden, "401": sandbox.Unauthorized} {
		t.Run(name, func(t *testing.T) {
			w := newSQLite(t)
			w.connected()
			batch := w.db.ScheduledBatch("t_9", "b1")
			w.clock.Add(2 * time.Hour)
			w.sandbox.Fault(sandbox.Fault{Kind: kind, Path: "/oauth2/token"})
			before := w.tokenPosts()
			for range 5 {
				if _, err := w.Token(ctx, "t_9"); !isCode(err, "dialpad_unreachable") {
					t.Fatalf("got %v", err)
				}
				if err := w.Do(ctx, "t_9", func(string) error { return nil }); !isCode(err, "dialpad_unreachable") {
					t.Fatalf("Do: %v", err)
				}
			}
			if n := w.tokenPosts() - before; n > 1 {
				t.Errorf("asked %d times within a moment", n)
			}
			if c := w.connection(); c.State != models.Connected || c.RefreshFailedAt == nil || c.RefreshLeaseBy != "" || batch().State != ledger.BatchScheduled {
				t.Errorf("connection %+v, batch %s", c, batch().State)
			}
			w.sandbox.ClearFaults()
			w.clock.Add(11 * time.Second)
			if now, err := w.Token(ctx, "t_9"); err != nil || !w.works(now.Access) {
				t.Errorf("after the outage: %v", err)
			}
		})
	}
}

func TestLeaseOfADeadProcessExpires(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.connected()
		c := w.connection()
		must(t, w.db.Connections.LeaseRefresh(ctx, "t_9", c.TokenVersion, "dead", w.clock.Now().Add(30*time.Second)))
		waits := 0
		m := w.newTokens(w.db.Store, func(context.Context, time.Duration) error {
			waits++
			w.clock.Add(10 * time.Second)
			return nil
		})
		fresh, err := m.Refresh(ctx, "t_9", c.TokenVersion)
		if err != nil || !w.works(fresh.Access) || waits < 3 || waits > 4 {
			t.Errorf("after %d waits: %v", waits, err)
		}
	})
}

func TestWaitingForTheLeaseEndsWithTheContext(t *testing.T) {
	w := newSQLite(t)
	w.connected()
	c := w.connection()
	must(t, w.db.Connections.LeaseRefresh(ctx, "t_9", c.TokenVersion, "busy", w.clock.Now().Add(30*time.Second)))
	over, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := w.Refresh(over, "t_9", c.TokenVersion); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// rotate rotates at Dialpad without storing the new pair, like a process
// killed in between.
func (w *world) rotate() {
	w.t.Helper()
	_, err := w.dp.Refresh(ctx, w.grant().Refresh)
	must(w.t, err)
}

func TestKillBetweenRotationAndSave(t *testing.T) {
	t.Run("with a grace period", func(t *testing.T) {
		each(t, func(t *testing.T, w *world) {
			w.connected()
			w.rotate()
			if fresh, err := w.Refresh(ctx, "t_9", w.connection().TokenVersion); err != nil || !w.works(fresh.Access) {
				t.Errorf("got %v", err)
			}
		}, func(o *sandbox.Options, _ *dialpad.Config) { o.RefreshGrace = time.Minute })
	})
	t.Run("without", func(t *testing.T) {
		each(t, func(t *testing.T, w *world) {
			w.connected()
			batch := w.db.ScheduledBatch("t_9", "b1")
			w.rotate()
			_, err := w.Refresh(ctx, "t_9", w.connection().TokenVersion)
			if !isCode(err, "not_connected") || !errors.Is(err, dialpad.ErrInvalidGrant) {
				t.Fatalf("got %v", err)
			}
			c := w.connection()
			if c.State != models.Broken || !strings.Contains(c.Reason, "Connect again") || c.RefreshLeaseBy != "" {
				t.Errorf("connection %+v", c)
			}
			if b := batch(); b.State != ledger.BatchHeld || b.HeldReason != c.Reason {
				t.Errorf("batch is %s: %s", b.State, b.HeldReason)
			}
			if len(w.db.AuditsOf("t_9", "connection.broken")) != 1 || w.db.CountJobs("move_batch") != 1 {
				t.Error("not in the audit, or the batch's texts were not moved")
			}
			if _, err := w.Token(ctx, "t_9"); !isCode(err, "not_connected") {
				t.Errorf("a broken connection gives a token: %v", err)
			}
		})
	})
}

func TestKillBetweenSaveAndUse(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.connected()
		saved, err := w.Refresh(ctx, "t_9", w.connection().TokenVersion)
		must(t, err)
		next := w.newTokens(seed.Store(t, w.dsn, w.clock.Now).Store, nil) // the next process
		before := w.tokenPosts()
		must(t, next.Do(ctx, "t_9", func(token string) error { _, err := w.dp.Me(ctx, token); return err }))
		if got, err := next.Token(ctx, "t_9"); err != nil || got != saved || w.tokenPosts() != before {
			t.Errorf("got %+v %v, want the saved %+v; %d refreshes", got, err, saved, w.tokenPosts()-before)
		}
		if !w.connection().PreviousRefresh.Empty() {
			t.Error("the pair before is kept although the new one worked")
		}
	})
}

func TestShortLivedTokensAreNotRefreshedAtEachCall(t *testing.T) {
	for _, life := range []time.Duration{90 * time.Second, 30 * time.Second, 5 * time.Second} {
		t.Run(life.String(), func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				w.connected()
				next := w.newTokens(seed.Store(t, w.dsn, w.clock.Now).Store, nil)
				before := w.tokenPosts()
				for range 10 { // over three quarters of its life, in both processes
					for _, m := range []*connection.Tokens{w.Tokens, next} {
						got, err := m.Token(ctx, "t_9")
						must(t, err)
						if !w.works(got.Access) {
							t.Fatal("a token that does not work")
						}
					}
					w.clock.Add(life * 3 / 40)
				}
				if n := w.tokenPosts() - before; n != 0 {
					t.Errorf("refreshed %d times", n)
				}
				w.clock.Add(life / 10)
				_, err := next.Token(ctx, "t_9")
				must(t, err)
				if n := w.tokenPosts() - before; n != 1 {
					t.Errorf("refreshed %d times shortly before the end", n)
				}
			}, func(o *sandbox.Options, _ *dialpad.Config) { o.TokenTTL = life })
		})
	}
}

// failSaves makes the database refuse a rotated pair until the returned
// function is called.
func (w *world) failSaves() (repairDB func()) {
	w.t.Helper()
	driver, address, create, drop := "pgx", w.dsn, []string{
		`CREATE FUNCTION full_disk() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION 'disk full'; END $$ LANGUAGE plpgsql`,
		`CREATE TRIGGER full_disk BEFORE UPDATE OF refresh_token ON connections FOR EACH ROW EXECUTE FUNCTION full_disk()`,
	}, `DROP TRIGGER full_disk ON connections`
	if path, ok := strings.CutPrefix(w.dsn, "sqlite:"); ok {
		driver, address = "sqlite", "file:"+path+"?_pragma=busy_timeout(10000)"
		create = []string{`CREATE TRIGGER full_disk BEFORE UPDATE OF refresh_token ON connections BEGIN SELECT RAISE(ABORT, 'disk full'); END`}
		drop = `DROP TRIGGER full_disk`
	}
	db, err := sql.Open(driver, address)
	must(w.t, err)
	w.t.Cleanup(func() { _ = db.Close() })
	for _, q := range create {
		_, err := db.Exec(q)
		must(w.t, err)
	}
	return sync.OnceFunc(func() {
		_, err := db.Exec(drop)
		must(w.t, err)
	})
}

func TestRotatedPairIsSavedAfterADatabaseError(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.connected()
		repairDB := w.failSaves()
		waits := 0
		m := w.newTokens(w.db.Store, func(context.Context, time.Duration) error {
			waits++
			repairDB()
			return nil
		})
		c, before := w.connection(), w.tokenPosts()
		fresh, err := m.Refresh(ctx, "t_9", c.TokenVersion)
		if err != nil || waits != 1 || !w.works(fresh.Access) {
			t.Fatalf("after %d waits: %v", waits, err)
		}
		if w.grant().Access != fresh.Access || w.tokenPosts()-before != 1 {
			t.Error("another pair is stored, or Dialpad was asked again")
		}
	})
}

func TestRotatedPairSurvivesADatabaseOutage(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.connected()
		repairDB := w.failSaves()
		m := w.newTokens(w.db.Store, func(context.Context, time.Duration) error { return nil })
		c, before := w.connection(), w.tokenPosts()
		if _, err := m.Refresh(ctx, "t_9", c.TokenVersion); err == nil || isCode(err, "not_connected") {
			t.Fatalf("while the database fails: %v", err)
		}
		repairDB()
		fresh, err := m.Refresh(ctx, "t_9", c.TokenVersion)
		if err != nil || !w.works(fresh.Access) || w.grant().Access != fresh.Access {
			t.Errorf("afterwards: %v", err)
		}
		if n := w.tokenPosts() - before; n != 1 {
			t.Errorf("Dialpad was asked %d times", n)
		}
	})
}

func TestInvalidGrantReadsForANewerPairFirst(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.connected()
		c, g := w.connection(), w.grant()
		var newer dialpad.Token
		w.on(func(r *http.Request) { // between our reading the row and our request, another process rotates and stores
			if r.URL.Path != "/oauth2/token" {
				return
			}
			w.on(nil)
			var err error
			newer, err = w.dp.Refresh(ctx, g.Refresh)
			must(t, err)
			must(t, w.db.Connections.SaveRefreshed(ctx, "t_9", c.TokenVersion, g.Refresh, models.Grant{Access: newer.Access, Refresh: newer.Refresh, ExpiresAt: &newer.Expiry}))
		})
		fresh, err := w.Refresh(ctx, "t_9", c.TokenVersion)
		if err != nil || fresh.Access != newer.Access || fresh.Version != c.TokenVersion+1 {
			t.Fatalf("got %+v %v", fresh, err)
		}
		if got := w.connection(); got.State != models.Connected {
			t.Errorf("connection is %s: %s", got.State, got.Reason)
		}
	})
}

func TestInvalidGrantTriesThePreviousPair(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.connected()
		c, g := w.connection(), w.grant()
		must(t, w.db.Connections.SaveRefreshed(ctx, "t_9", c.TokenVersion, g.Refresh, models.Grant{Access: "never", Refresh: "came to be"}))
		fresh, err := w.Refresh(ctx, "t_9", c.TokenVersion+1)
		if err != nil || !w.works(fresh.Access) {
			t.Fatalf("got %v", err)
		}
		if got := w.connection(); got.State != models.Connected || got.PreviousRefresh.Empty() {
			t.Errorf("connection %+v", got)
		}
		w.MarkAccepted(ctx, "t_9", fresh.Version-1)
		if w.connection().PreviousRefresh.Empty() {
			t.Error("another version's success made it forget the pair before")
		}
		w.MarkAccepted(ctx, "t_9", fresh.Version)
		if !w.connection().PreviousRefresh.Empty() {
			t.Error("the pair before is kept although the new one worked")
		}
	})
}

func TestPairThatArrivesAfterADisconnectIsRevoked(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.connected()
		c := w.connection()
		w.on(func(r *http.Request) {
			if r.URL.Path == "/oauth2/token" {
				w.on(nil)
				must(t, w.db.Connections.Disconnect(ctx, "t_9"))
			}
		})
		if _, err := w.Refresh(ctx, "t_9", c.TokenVersion); !isCode(err, "not_connected") {
			t.Errorf("got %v", err)
		}
		if n := w.requests(http.MethodPost, "/oauth2/deauthorize"); n != 1 {
			t.Errorf("revoked %d times", n)
		}
	})
}

func TestGrantWithoutRefreshTokenLastsUntilA401(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.connected()
		if c := w.connection(); c.TokenExpiresAt != nil {
			t.Fatalf("expires at %v", c.TokenExpiresAt)
		}
		w.clock.Add(1000 * time.Hour)
		must(t, w.Do(ctx, "t_9", func(token string) error { _, err := w.dp.Me(ctx, token); return err }))
		w.sandbox.RevokeTokens(sandbox.AcmeID)
		err := w.Do(ctx, "t_9", func(token string) error { _, err := w.dp.Me(ctx, token); return err })
		if !isCode(err, "not_connected") || w.connection().State != models.Broken {
			t.Errorf("after the 401: %v, %s", err, w.connection().State)
		}
	}, func(_ *sandbox.Options, c *dialpad.Config) { c.Scopes = []string{"change_log"} })
}

func TestDoRefreshesOnceAndThenBreaks(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.connected()
		calls := 0
		me := func(token string) error { calls++; _, err := w.dp.Me(ctx, token); return err }
		w.sandbox.Fault(sandbox.Fault{Kind: sandbox.Unauthorized, Path: "/api/v2/users", Times: 1})
		before := w.tokenPosts()
		if err := w.Do(ctx, "t_9", me); err != nil || calls != 2 || w.tokenPosts()-before != 1 {
			t.Fatalf("one 401: %v after %d calls and %d refreshes", err, calls, w.tokenPosts()-before)
		}
		if w.connection().State != models.Connected || !w.connection().PreviousRefresh.Empty() {
			t.Error("broken, or the pair before is still kept")
		}
		other := errors.New("something else")
		if err := w.Do(ctx, "t_9", func(string) error { return other }); !errors.Is(err, other) {
			t.Errorf("another error came back as %v", err)
		}
		w.sandbox.Fault(sandbox.Fault{Kind: sandbox.Unauthorized, Path: "/api/v2/users"})
		if err := w.Do(ctx, "t_9", me); !isCode(err, "not_connected") {
			t.Errorf("always 401: %v", err)
		}
		if c := w.connection(); c.State != models.Broken {
			t.Errorf("connection is %s", c.State)
		}
	})
}

func TestOnlyTheCurrentTokenBreaksTheConnection(t *testing.T) {
	w := newSQLite(t)
	w.connected()
	old, err := w.Token(ctx, "t_9")
	must(t, err)
	_, err = w.Refresh(ctx, "t_9", old.Version)
	must(t, err)
	must(t, w.Break(ctx, "t_9", old.Version, "too late"))
	if c := w.connection(); c.State != models.Connected {
		t.Errorf("an old token broke the connection: %s", c.Reason)
	}
	must(t, w.Break(ctx, "t_0", 0, "nobody"))
}

func TestExpiredLeaseHolderDoesNotReleaseTheNextLease(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.connected()
		c := w.connection()
		must(t, w.db.Connections.LeaseRefresh(ctx, "t_9", c.TokenVersion, "slept", w.clock.Now().Add(30*time.Second)))
		if err := w.db.Connections.LeaseRefresh(ctx, "t_9", c.TokenVersion, "next", w.clock.Now().Add(30*time.Second)); !errors.Is(err, models.ErrLost) {
			t.Errorf("two have the lease: %v", err)
		}
		w.clock.Add(31 * time.Second)
		must(t, w.db.Connections.LeaseRefresh(ctx, "t_9", c.TokenVersion, "next", w.clock.Now().Add(30*time.Second)))
		must(t, w.db.Connections.ReleaseRefresh(ctx, "t_9", "slept", nil))
		if got := w.connection(); got.RefreshLeaseBy != "next" || got.RefreshLeaseUntil == nil {
			t.Errorf("the lease is %q's", got.RefreshLeaseBy)
		}
		// Its pair is stored all the same: the previous one is spent.
		must(t, w.db.Connections.SaveRefreshed(ctx, "t_9", c.TokenVersion, "old", models.Grant{Access: "new", Refresh: "newer"}))
		if err := w.db.Connections.SaveRefreshed(ctx, "t_9", c.TokenVersion, "old", models.Grant{Access: "late"}); !errors.Is(err, models.ErrLost) {
			t.Errorf("an older pair took a newer one's place: %v", err)
		}
	})
}
