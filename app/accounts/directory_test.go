package accounts_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dialpad-texting/app/accounts"
	"dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/models"
	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/seed"
)

func TestSyncDirectoryReadsAllUsers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ids := w.sandbox.SeedUsers(sandbox.AcmeID, 250)
		if got := w.sync(); got != (accounts.Counts{Read: 254}) {
			t.Errorf("counts %+v", got)
		}
		if n := w.requests("/api/v2/users"); n != 3 {
			t.Errorf("%d requests for 254 users", n)
		}
		if a := w.account(ids[249]); a.State != models.AccountActive || a.Number == "" || a.Email != "user249@seed.example" {
			t.Errorf("the last one: %+v", a)
		}
		if eve := w.account(sandbox.EveID); eve.State != models.AccountSuspended {
			t.Errorf("suspended ones: %+v", eve)
		}
		if dan := w.account(sandbox.DanID); dan.Number != "" || dan.State != models.AccountActive {
			t.Errorf("ones without a number: %+v", dan)
		}
		if n, err := w.db.Accounts.CountTexting(ctx, "t_9"); err != nil || n != 252 {
			t.Errorf("%d may text, %v", n, err)
		}
		if c, err := w.db.Connections.Get(ctx, "t_9"); err != nil || c.DirectoryAt == nil {
			t.Errorf("not noted: %v", err)
		}
		if _, err := w.db.Accounts.Get(ctx, "t_9", sandbox.GilID); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("another company's user: %v", err)
		}
	})
}

func TestEmailsMatchInAnyCaseAndPosition(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		id := w.sandbox.AddUser(sandbox.User{CompanyID: sandbox.AcmeID, Emails: []string{"f.lee@acme.com", "Fay.Lee@ACME.com"}, Numbers: []string{"+14155550109"}})
		w.sync()
		for _, email := range []string{"fay.lee@acme.com", "F.LEE@acme.com", " Fay.Lee@Acme.com "} {
			if a, err := w.db.Accounts.ByEmail(ctx, "t_9", email); err != nil || a.DialpadID != id {
				t.Errorf("%q: %+v %v", email, a, err)
			}
		}
	})
}

func TestAuditOfChangesHasNoEmailOrNumber(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.sync()
		w.sandbox.SuspendUser(sandbox.BenID)
		w.sandbox.SetNumber(sandbox.DanID, "+14155550109")
		w.clock.Add(time.Hour)
		if got := w.sync(); got.Changed != 2 {
			t.Errorf("counts %+v", got)
		}
		want := map[string]map[string]string{
			sandbox.BenID: {"dialpad_id": sandbox.BenID, "state_before": "active", "state": "suspended"},
			sandbox.DanID: {"dialpad_id": sandbox.DanID, "number": "added"},
		}
		got := map[string]map[string]string{}
		for _, c := range w.changes() {
			got[c["dialpad_id"]] = c
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		w.clock.Add(time.Hour)
		if again := w.sync(); again.Changed != 0 || len(w.changes()) != 2 {
			t.Errorf("again: %+v", again)
		}
	})
}

func TestDeletedUsersKeepTheirEmail(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		gone := models.Account{DialpadID: "5835806903417999", Name: "Zoe", Emails: []string{"zoe@acme.com"}, Number: "+14155550108", State: "active"}
		_, err := w.db.Accounts.Save(ctx, "t_9", w.clock.Now(), []models.Account{gone})
		must(t, err)
		w.clock.Add(time.Minute)
		w.sync()
		w.sandbox.DeleteUser(sandbox.BenID)
		w.clock.Add(time.Hour)
		w.sync()
		for id, email := range map[string]string{sandbox.BenID: "ben@acme.com", gone.DialpadID: "zoe@acme.com"} {
			a, err := w.db.Accounts.ByEmail(ctx, "t_9", email)
			if err != nil || a.DialpadID != id || a.CanText() || a.State != models.AccountDeleted || a.Number != "" {
				t.Errorf("%s: %+v %v", email, a, err)
			}
		}
		before := w.requests("/api/v2/users/" + gone.DialpadID)
		w.clock.Add(time.Hour)
		w.sync()
		if n := w.requests("/api/v2/users/" + gone.DialpadID); before != 1 || n != 1 {
			t.Errorf("the one that is gone was asked for %d times, then %d", before, n)
		}
	})
}

func TestDirectoryOfAReplacedCompanyIsNotStored(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.on(func(r *http.Request) {
			if r.URL.Path == "/api/v2/users" {
				w.on(nil)
				w.clock.Add(time.Second)
				w.connect(sandbox.GlobexID, sandbox.GilID)
			}
		})
		if _, err := w.SyncDirectory(ctx, "t_9"); !errors.Is(err, models.ErrLost) {
			t.Errorf("got %v", err)
		}
		if _, err := w.db.Accounts.Get(ctx, "t_9", sandbox.AnaID); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("Acme's people are Globex's now: %v", err)
		}
		if c, err := w.db.Connections.Get(ctx, "t_9"); err != nil || c.DirectoryAt != nil {
			t.Errorf("the new connection's directory counts as read: %v", err)
		}
	})
}

func TestInterruptedDirectoryResumes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.DisableRateLimits()
		gone := models.Account{DialpadID: "5835806903417999", Emails: []string{"zoe@acme.com"}, Number: "+14155550108", State: "active"}
		_, err := w.db.Accounts.Save(ctx, "t_9", w.clock.Now(), []models.Account{gone})
		must(t, err)
		w.sandbox.SeedUsers(sandbox.AcmeID, 450)
		w.clock.Add(time.Minute)
		stopAt := func(n int) {
			t.Helper()
			part, cancel := context.WithCancel(ctx)
			defer cancel()
			w.on(func(*http.Request) {
				if n--; n == 0 {
					cancel()
				}
			})
			if _, err := w.SyncDirectory(part, "t_9"); err == nil {
				t.Fatal("it ended although it was stopped")
			}
			w.on(nil)
		}
		stopAt(3)
		if c, err := w.db.Connections.Get(ctx, "t_9"); err != nil || c.DirectoryAt != nil || c.DirectoryBegunAt == nil {
			t.Fatalf("half a directory counts as one: %+v %v", c.DirectoryAt, err)
		}
		asked := 0
		w.on(func(*http.Request) { asked++ })
		w.clock.Add(time.Minute)
		if got := w.sync(); got.Read != 254 || got.Gone != 1 {
			t.Errorf("the rest: %+v", got)
		}
		if asked != 3+1 {
			t.Errorf("%d requests for three pages and one who is gone", asked)
		}
		if c, err := w.db.Connections.Get(ctx, "t_9"); err != nil || c.DirectoryAt == nil || c.DirectoryBegunAt != nil || c.DirectoryCursor != "" {
			t.Errorf("afterwards: %+v %v", c, err)
		}
		stopAt(3)
		w.clock.Add(time.Hour) // too long ago: all of it again
		if got := w.sync(); got.Read != 454 {
			t.Errorf("an old half: %+v", got)
		}
	})
}

func TestExpiredCursorRestartsTheDirectory(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, err := w.db.Connections.Get(ctx, "t_9")
		must(t, err)
		must(t, w.db.Connections.SaveDirectoryCursor(ctx, c, w.clock.Now(), "page:of yesterday"))
		if got := w.sync(); got.Read != 4 {
			t.Errorf("counts %+v", got)
		}
	})
}

func TestLargeDirectoryIsReadWholeAndChangesNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.DisableRateLimits()
		w.sandbox.SeedUsers(sandbox.AcmeID, 5000)
		for _, round := range []string{"first", "again"} {
			if got := w.sync(); got.Read != 5004 || got.Changed != 0 {
				t.Errorf("%s: %+v", round, got)
			}
			w.clock.Add(time.Hour)
		}
	})
}

func TestDirectoryPagesAreRateLimitedAndSingleUsersAreNot(t *testing.T) {
	w := newWorld(t, modeltest.SQLite(t, seed.Migrate))
	w.sandbox.SeedUsers(sandbox.AcmeID, 750)
	var at []time.Time
	w.on(func(*http.Request) { at = append(at, time.Now()) })
	w.sync()
	if len(at) != 8 || at[7].Sub(at[0]) < 1700*time.Millisecond {
		t.Errorf("%d pages within %s", len(at), at[len(at)-1].Sub(at[0]))
	}
	w.on(nil)
	// Single users have a limit of their own.
	whole := make(chan error, 1)
	go func() { _, err := w.SyncDirectory(ctx, "t_9"); whole <- err }()
	must(t, w.db.Accounts.MarkStale(ctx, "t_9", []string{sandbox.BenID}))
	_, err := w.Fresh(ctx, "t_9", sandbox.BenID, time.Hour)
	must(t, err)
	select {
	case err := <-whole:
		t.Errorf("one user was read after the directory, %v", err)
	default:
		must(t, <-whole)
	}
}
