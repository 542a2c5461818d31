package timeline_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"dialpad-texting/app/timeline"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/seed"
)

// fakeCRM answers each message with a status of its own, or 204.
type fakeCRM struct {
	mu      sync.Mutex
	answers map[string]int
	all     int // for every message; 0 uses answers
	asked   map[string]int
}

func (c *fakeCRM) UpsertActivity(_ context.Context, _ crm.Tenant, _ string, a crm.Activity) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked[a.MessageID]++
	status := c.answers[a.MessageID]
	if c.all != 0 {
		status = c.all
	}
	switch {
	case status >= 500:
		return &crm.Error{Kind: crm.Unavailable, Type: crm.CallActivity, Status: status}
	case status >= 400:
		return &crm.Error{Kind: crm.Refused, Type: crm.CallActivity, Status: status}
	}
	return nil
}

func eachDatabase(t *testing.T, f func(t *testing.T, db *seed.DB, clock *seed.Clock, c *fakeCRM, syncer *timeline.Syncer, texts []ledger.Message)) {
	modeltest.Each(t, seed.Migrate, func(t *testing.T, dsn string) {
		clock := seed.NewClock()
		db := seed.Store(t, dsn, clock.Now)
		texts := db.Tenant("t_9").Connected("c1").Account("1", "ana@acme.com", "+14155550100").Batch("b1", ledger.ClassBulk, "1", "ana@acme.com", 150)
		n, err := db.Messages.ChangeState(t.Context(), "t_9", "b1", []string{ledger.Queued}, ledger.Cancelled, "", "over", 1000)
		if err != nil || n != 150 {
			t.Fatal(n, err)
		}
		clock.Add(time.Minute) // unchanged for long enough
		c := &fakeCRM{answers: map[string]int{}, asked: map[string]int{}}
		f(t, db, clock, c, timeline.New(db.Store, c), texts)
	})
}

func TestOneFailingMessageDoesNotBlockTheOthers(t *testing.T) {
	eachDatabase(t, func(t *testing.T, _ *seed.DB, clock *seed.Clock, c *fakeCRM, syncer *timeline.Syncer, texts []ledger.Message) {
		bad := texts[3].ID
		c.answers[bad] = http.StatusInternalServerError
		if n, err := syncer.SyncPending(t.Context(), "t_9"); err != nil || n != 149 {
			t.Fatalf("synced %d, %v", n, err)
		}
		if n, err := syncer.SyncPending(t.Context(), "t_9"); err != nil || n != 0 || c.asked[bad] != 1 {
			t.Errorf("synced %d, %v, asked %d times at once", n, err, c.asked[bad])
		}
		clock.Add(time.Minute)
		delete(c.answers, bad)
		if n, err := syncer.SyncPending(t.Context(), "t_9"); err != nil || n != 1 || c.asked[bad] != 2 {
			t.Errorf("synced %d later, %v, asked %d times", n, err, c.asked[bad])
		}
	})
}

func TestARotatedSecretLosesNoUpdate(t *testing.T) {
	eachDatabase(t, func(t *testing.T, _ *seed.DB, clock *seed.Clock, c *fakeCRM, syncer *timeline.Syncer, texts []ledger.Message) {
		for _, status := range []int{401, 403, 503, 500} {
			c.all = status
			if n, err := syncer.SyncPending(t.Context(), "t_9"); err == nil || n != 0 {
				t.Errorf("%d: synced %d, %v", status, n, err)
			}
		}
		clock.Add(time.Hour)
		c.all = 0
		c.answers[texts[0].ID], c.answers[texts[1].ID], c.answers[texts[2].ID] = 404, 410, 422
		if n, err := syncer.SyncPending(t.Context(), "t_9"); err != nil || n != 150 {
			t.Errorf("synced %d, %v", n, err)
		}
	})
}
