package ledgertest

import (
	"context"
	"testing"
	"time"

	"dialpad-texting/models/ledger"
	"dialpad-texting/models/seed"
)

// quietUnclaimed claims for a night: what is in quiet hours is not
// claimed, and gets its window without an attempt.
func quietUnclaimed(t *testing.T, db *seed.DB, clock *seed.Clock) {
	ctx := context.Background()
	m := seedAcme(db).Quiet("b1", "1", "ana@acme.com", "UTC", "UTC", "")
	l := acquire(t, db, "w1")
	var got []ledger.ClaimedMessage
	for range 50 {
		got = append(got, claim(t, db, l, ledger.ClaimParams{N: 10, LowClassQuota: 5, LowClassLimit: 2})...)
	}
	if len(got) != 1 || got[0].ID != m[2].ID {
		t.Fatalf("claimed %d messages", len(got))
	}
	markPosted(t, db, got...)
	polls, err := db.Lanes.PollAllTenants(ctx, []ledger.Lane{l})
	if err != nil || polls[0].NextQuiet == nil || polls[0].NextQuiet.After(clock.Now()) {
		t.Fatalf("polled %+v, %v", polls, err)
	}
	quiet, err := db.Lanes.QueuedQuiet(ctx, l, 10)
	if err != nil || len(quiet) != 2 || quiet[0].QuietZone != "UTC" || quiet[0].ToNumber == "" {
		t.Fatalf("quiet are %+v, %v", quiet, err)
	}
	morning, evening := clock.Now().Add(8*time.Hour), clock.Now().Add(20*time.Hour)
	err = db.Lanes.SetWindows(ctx, l, []ledger.Window{{MessageID: m[0].ID, DueAt: morning, QuietAt: evening}, {MessageID: m[1].ID}, {MessageID: got[0].ID, DueAt: morning}})
	if err != nil {
		t.Fatal(err)
	}
	if w := getMessage(t, db, m[0].ID); w.State != ledger.Waiting || w.Attempt != 0 || !w.DueAt.Equal(morning) || !w.QuietAt.Equal(evening) || w.ErrorCode != ledger.CodeQuiet {
		t.Errorf("the first is %+v", w)
	}
	if w := getMessage(t, db, m[1].ID); w.State != ledger.Queued || w.QuietAt != nil {
		t.Errorf("the second is %+v", w)
	}
	if w := getMessage(t, db, got[0].ID); w.State != ledger.Sending {
		t.Errorf("a claimed message is %s", w.State)
	}
	attempts, err := db.Messages.Attempts(ctx, "t_9", m[0].ID)
	if err != nil || len(attempts) != 0 {
		t.Errorf("%d attempts, %v", len(attempts), err)
	}
	clock.Add(8 * time.Hour)
	l = acquire(t, db, "w2")
	if n, _, err := db.Lanes.QueueDue(ctx, l, 10); err != nil || n != 1 {
		t.Errorf("in the morning: %d due, %v", n, err)
	}
	if got := claim(t, db, l, ledger.ClaimParams{N: 10}); len(got) != 2 {
		t.Errorf("in the morning: claimed %d", len(got))
	}
}

// quietReviewed changes the hours: each message gets a new window, but
// none leaves before its batch's time.
func quietReviewed(t *testing.T, db *seed.DB, clock *seed.Clock) {
	ctx := context.Background()
	acme := seedAcme(db)
	m := acme.Quiet("b1", "1", "ana@acme.com", "UTC", "UTC")
	later := acme.Quiet("b2", "1", "ana@acme.com", "UTC")
	l := acquire(t, db, "w1")
	morning, evening := clock.Now().Add(8*time.Hour), clock.Now().Add(20*time.Hour)
	var windows []ledger.Window
	for _, m := range append(m[:1:1], later...) {
		windows = append(windows, ledger.Window{MessageID: m.ID, DueAt: morning, QuietAt: evening})
	}
	if err := db.Lanes.SetWindows(ctx, l, append(windows, ledger.Window{MessageID: m[1].ID, QuietAt: evening})); err != nil {
		t.Fatal(err)
	}
	if err := db.Batches.Update(ctx, "t_9", "b2", []string{ledger.BatchSending}, map[string]any{"send_at": clock.Now().Add(time.Minute)}); err != nil {
		t.Fatal(err)
	}
	if err := db.Messages.RecomputeQuietWindows(ctx, "t_9"); err != nil {
		t.Fatal(err)
	}
	if got := claim(t, db, l, ledger.ClaimParams{N: 10}); len(got) != 0 {
		t.Errorf("claimed %d before the review", len(got))
	}
	if w := getMessage(t, db, m[0].ID); !w.DueAt.Equal(clock.Now()) || !w.QuietAt.Equal(clock.Now()) {
		t.Errorf("a waiting message is due %v, quiet %v", w.DueAt, w.QuietAt)
	}
	if w := getMessage(t, db, later[0].ID); !w.DueAt.Equal(morning) {
		t.Errorf("a message before its batch's time is due %v", w.DueAt)
	}
}

// senderIsTheUser decides by the present e-mail of the CRM user.
func senderIsTheUser(t *testing.T, db *seed.DB, _ *seed.Clock) {
	acme := seedAcme(db)
	const user = "user-of-ana@acme.com"
	steps := []struct {
		name, user, account string
		active, matches     bool
	}{
		{"as made", "ana@acme.com", "ana@acme.com", true, true},
		{"changed in the CRM alone", "ana.ruiz@acme.com", "ana@acme.com", true, false},
		{"changed in Dialpad too", "ana.ruiz@acme.com", "ana.ruiz@acme.com", true, true},
		{"plus-tagged in both", "ana+crm@acme.com", "ana+crm@acme.com", true, true},
		{"plus-tagged in one", "ana@acme.com", "ana+crm@acme.com", true, false},
		{"inactive", "ana+crm@acme.com", "ana+crm@acme.com", false, false},
		{"active again", "ana+crm@acme.com", "ana+crm@acme.com", true, true},
	}
	l := ledger.Lane{}
	for i, s := range steps {
		acme.Batch(s.name, ledger.ClassOneToOne, "1", "ana@acme.com", 1)
		if i == 0 {
			l = acquire(t, db, "w1")
		}
		acme.Account("1", s.account, acmeNumber)
		acme.User(user, s.user, s.active)
		got := claim(t, db, l, ledger.ClaimParams{N: 1})
		if len(got) != 1 || got[0].SenderMatches != s.matches || got[0].SenderUserID != user {
			t.Errorf("%s: %+v, want a match: %v", s.name, got, s.matches)
			continue
		}
		settle(t, db, got[0], ledger.Sent)
	}
}
