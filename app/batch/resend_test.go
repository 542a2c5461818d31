package batch_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"dialpad-texting/app/batch"
	"dialpad-texting/app/outbox"
	"dialpad-texting/integrations/crm"
	. "dialpad-texting/internal/apptest"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// endedBulk is a bulk to four people, one of whom opted out, whose texts
// endedBulk as failed, uncertain and sent.
func endedBulk(w *World) outbox.BatchView {
	w.T.Helper()
	v := w.MustPrepare(w.Bulk("ana", crm.ModuleContact, "7", "20", "1", "8"), "k1", Text(Hi))
	byNumber := map[string]ledger.ClaimedMessage{}
	for _, c := range w.Claim() {
		byNumber[c.ToNumber] = c
	}
	w.Settle(ledger.Failed, byNumber[Bob])
	w.Settle(ledger.Uncertain, byNumber["+12075550134"])
	w.Settle(ledger.Sent, byNumber["+14155550110"])
	if v = w.MustView(v.ID); v.State != ledger.BatchDone || v.Counts.Failed != 1 || v.Counts.Uncertain != 1 || v.Counts.Sent != 1 || v.Counts.Skipped != 1 {
		w.T.Fatalf("%s, %+v", v.State, v.Counts)
	}
	return v
}

func TestResendTakesMessagesThatWereNotSent(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		v := endedBulk(w)
		r, err := w.ViewOf(w.Resend(Ctx, w.Page("ana"), v.ID, "r1", batch.ResendRequest{States: []string{"failed"}}))
		Must(t, err)
		if r.ID == v.ID || r.State != ledger.BatchPreparing || r.Counts.Total != 1 || r.Source != ledger.SourceBulk || r.Text != Hi {
			t.Errorf("%+v", r)
		}
		again, err := w.Resend(Ctx, w.Page("ana"), v.ID, "r1", batch.ResendRequest{States: []string{"failed"}})
		if err != nil || again.ID != r.ID {
			t.Errorf("the same key made %s, %v", again.ID, err)
		}
		_, err = w.Resend(Ctx, w.Page("ana"), v.ID, "r1", batch.ResendRequest{States: []string{"skipped"}})
		if code, _ := Refusal(err); code != "idempotency_conflict" {
			t.Errorf("the same key for others: %v", err)
		}
		_, err = w.Prepare(Ctx, "t_9", r.ID)
		Must(t, err)
		if d := cmp.Diff(map[string]string{"7": "Hi Bob"}, w.Outcomes(r.ID)); d != "" {
			t.Error(d)
		}
	})
}

func TestResendOfUncertainNeedsConfirm(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		v := endedBulk(w)
		for _, states := range [][]string{{"uncertain"}, {"failed", "uncertain"}} {
			_, err := w.Resend(Ctx, w.Page("ana"), v.ID, "r1", batch.ResendRequest{States: states})
			if code, words := Refusal(err); code != "confirm_required" || words != "Outcome unknown: check Dialpad before sending again. Confirm to send again." {
				t.Errorf("%v: %v", states, err)
			}
		}
		r, err := w.ViewOf(w.Resend(Ctx, w.Page("ana"), v.ID, "r1", batch.ResendRequest{States: []string{"failed", "uncertain"}, Confirm: true}))
		Must(t, err)
		_, err = w.Prepare(Ctx, "t_9", r.ID)
		Must(t, err)
		if d := cmp.Diff(map[string]string{"7": "Hi Bob", "20": "Hi Finn"}, w.Outcomes(r.ID)); d != "" {
			t.Error(d)
		}
	})
}

func TestResendRefusesSentStates(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		v := endedBulk(w)
		for code, states := range map[string][]string{"bad_request": {"sent"}, "state_conflict": {"cancelled"}} {
			_, err := w.Resend(Ctx, w.Page("ana"), v.ID, "r1", batch.ResendRequest{States: states, Confirm: true})
			if got, _ := Refusal(err); got != code {
				t.Errorf("%v: %v", states, err)
			}
		}
		for _, states := range [][]string{nil, {"delivered"}, {"queued"}, {"sending"}, {"held"}, {"failed", "sent"}} {
			_, err := w.Resend(Ctx, w.Page("ana"), v.ID, "r1", batch.ResendRequest{States: states, Confirm: true})
			if got, _ := Refusal(err); got != "bad_request" {
				t.Errorf("%v: %v", states, err)
			}
		}
		w.SetAccount("1", "ana@acme.com", models.AccountSuspended)
		_, err := w.Resend(Ctx, w.Page("ana"), v.ID, "r1", batch.ResendRequest{States: []string{"failed"}})
		if got, _ := Refusal(err); got != "no_account" || w.CountBatches() != 1 {
			t.Errorf("without an account: %v", err)
		}
	})
}

func TestResendOneToOneToTheClickedNumber(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		v := w.MustCreate(w.One("ana", "7", "+12125550199"), "k1", Text(Hi))
		w.Settle(ledger.Failed, w.Claim()...)
		r, err := w.ViewOf(w.Resend(Ctx, w.Page("ana"), v.ID, "r1", batch.ResendRequest{States: []string{"failed"}}))
		Must(t, err)
		_, err = w.Prepare(Ctx, "t_9", r.ID)
		Must(t, err)
		if m := w.Rows(r.ID)[0]; m.ToNumber != "+12125550199" || m.Text != "Hi Bob" || m.Class != ledger.ClassOneToOne {
			t.Errorf("%+v", m)
		}
	})
}

func TestResendReadsSkippedRecordsAgain(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		v := w.MustPrepare(w.Bulk("ana", crm.ModuleContact, "7", "11"), "k1", Text(Hi))
		w.Settle(ledger.Sent, w.Claim()...)
		w.Host.SetNumber("t_9", "11", "mobile", "+13035550124")
		r, err := w.ViewOf(w.Resend(Ctx, w.Page("ana"), v.ID, "r1", batch.ResendRequest{States: []string{"skipped"}}))
		Must(t, err)
		_, err = w.Prepare(Ctx, "t_9", r.ID)
		Must(t, err)
		if d := cmp.Diff(map[string]string{"11": "Hi Caleb"}, w.Outcomes(r.ID)); d != "" {
			t.Error(d)
		}
	})
}

func resendOf(states ...string) batch.ResendRequest {
	return batch.ResendRequest{States: states, Confirm: true}
}

func TestResendTakesEachMessageOnce(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		v := endedBulk(w)
		for _, key := range []string{"r1", "", ""} {
			r, err := w.ViewOf(w.Resend(Ctx, w.Page("ana"), v.ID, key, resendOf("failed", "uncertain")))
			if code, words := Refusal(err); key != "r1" && (code != "state_conflict" || words != "These people were texted again already. Look for it in the outbox.") {
				t.Errorf("again with key %q: %s, %v", key, r.ID, err)
			}
		}
		if w.CountBatches() != 2 {
			t.Errorf("%d batches", w.CountBatches())
		}
		r, err := w.ViewOf(w.Resend(Ctx, w.Page("ana"), v.ID, "r1", resendOf("failed", "uncertain")))
		if err != nil || r.Counts.Total != 2 {
			t.Errorf("the first key: %+v, %v", r.Counts, err)
		}
	})
}

func TestResendableCounts(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		v := endedBulk(w)
		left := func(id string, want batch.Resendable) {
			t.Helper()
			if d := cmp.Diff(&want, w.MustView(id).Resendable); d != "" {
				t.Error(d)
			}
		}
		left(v.ID, batch.Resendable{Failed: 1, Uncertain: 1})
		r, err := w.ViewOf(w.Resend(Ctx, w.Page("ana"), v.ID, "r1", resendOf("failed")))
		Must(t, err)
		left(v.ID, batch.Resendable{Uncertain: 1})
		left(r.ID, batch.Resendable{})
		w.MustDo(w.Cancel, r.ID) // before it had a text for that person
		left(v.ID, batch.Resendable{Failed: 1, Uncertain: 1})
		_, err = w.Resend(Ctx, w.Page("ana"), v.ID, "r2", resendOf("failed", "uncertain"))
		Must(t, err)
		left(v.ID, batch.Resendable{})
	})
}

func TestResendOfAResend(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		v := endedBulk(w)
		for range 3 {
			r, err := w.ViewOf(w.Resend(Ctx, w.Page("ana"), v.ID, "", resendOf("failed")))
			Must(t, err)
			if _, err := w.Resend(Ctx, w.Page("ana"), v.ID, "", resendOf("failed")); err == nil {
				t.Fatal("sent again from the old text")
			}
			_, err = w.Prepare(Ctx, "t_9", r.ID)
			Must(t, err)
			if d := cmp.Diff(map[string]string{"7": "Hi Bob"}, w.Outcomes(r.ID)); d != "" {
				t.Error(d)
			}
			w.Settle(ledger.Failed, w.Claim()...)
			v = r
		}
	})
}

func TestConcurrentResendsTakeEachMessageOnce(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		v := endedBulk(w)
		var g errgroup.Group
		made := make([]string, 6)
		for i := range made {
			g.Go(func() error {
				r, err := w.Process(w.CRM, nil).Resend(Ctx, w.Page("ana"), v.ID, []string{"r1", "r2", ""}[i%3], resendOf("failed"))
				if code, _ := Refusal(err); code != "" && code != "state_conflict" {
					return err
				}
				made[i] = r.ID
				return nil
			})
		}
		Must(t, g.Wait())
		if w.CountBatches() != 2 {
			t.Errorf("%d batches: %q", w.CountBatches(), made)
		}
	})
}

func TestResendAfterACancelledResend(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		v := endedBulk(w)
		r, err := w.ViewOf(w.Resend(Ctx, w.Page("ana"), v.ID, "r1", resendOf("failed")))
		Must(t, err)
		w.MustDo(w.Cancel, r.ID)
		Must(t, w.RecordCancelled(Ctx, "t_9", r.ID))
		if n := len(w.Rows(r.ID)); n != 0 {
			t.Errorf("%d texts could be sent again from two batches", n)
		}
		again, err := w.Resend(Ctx, w.Page("ana"), v.ID, "r2", resendOf("failed"))
		Must(t, err)
		_, err = w.Prepare(Ctx, "t_9", again.ID)
		Must(t, err)
		w.MustDo(w.Cancel, again.ID) // its text exists now: from there it goes on
		w.MustApplyState(again.ID)
		if _, err := w.Resend(Ctx, w.Page("ana"), v.ID, "r3", resendOf("failed")); err == nil {
			t.Error("sent again from the old text")
		}
		last, err := w.Resend(Ctx, w.Page("ana"), again.ID, "r3", resendOf("cancelled"))
		Must(t, err)
		_, err = w.Prepare(Ctx, "t_9", last.ID)
		Must(t, err)
		if d := cmp.Diff(map[string]string{"7": "Hi Bob"}, w.Outcomes(last.ID)); d != "" {
			t.Error(d)
		}
	})
}
