package texting_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"dialpad-texting/app/texting"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// ended is a bulk to four people, one of whom opted out, whose texts ended as failed, uncertain and sent.
func (w *world) ended() texting.BatchView {
	w.t.Helper()
	v := w.prepared(w.bulk("ana", crm.ModuleContact, "7", "20", "1", "8"), "k1", says(hi))
	byNumber := map[string]ledger.ClaimedMessage{}
	for _, c := range w.claim() {
		byNumber[c.ToNumber] = c
	}
	w.settle(ledger.Failed, byNumber[bob])
	w.settle(ledger.Uncertain, byNumber["+12075550134"])
	w.settle(ledger.Sent, byNumber["+14155550110"])
	if v = w.view(v.ID); v.State != ledger.BatchDone || v.Counts.Failed != 1 || v.Counts.Uncertain != 1 || v.Counts.Sent != 1 || v.Counts.Skipped != 1 {
		w.t.Fatalf("%s, %+v", v.State, v.Counts)
	}
	return v
}

func TestOnlyWhoSurelyGotNothingIsTextedAgain(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := w.ended()
		r, err := w.Resend(ctx, w.page("ana"), v.ID, "r1", texting.ResendRequest{States: []string{"failed"}})
		must(t, err)
		if r.ID == v.ID || r.State != ledger.BatchPreparing || r.Counts.Total != 1 || r.Source != ledger.SourceBulk || r.Text != hi {
			t.Errorf("%+v", r)
		}
		again, err := w.Resend(ctx, w.page("ana"), v.ID, "r1", texting.ResendRequest{States: []string{"failed"}})
		if err != nil || again.ID != r.ID {
			t.Errorf("the same key made %s, %v", again.ID, err)
		}
		_, err = w.Resend(ctx, w.page("ana"), v.ID, "r1", texting.ResendRequest{States: []string{"skipped"}})
		if code, _ := refused(err); code != "idempotency_conflict" {
			t.Errorf("the same key for others: %v", err)
		}
		_, err = w.Prepare(ctx, "t_9", r.ID)
		must(t, err)
		if d := cmp.Diff(map[string]string{"7": "Hi Bob"}, w.became(r.ID)); d != "" {
			t.Error(d)
		}
	})
}

func TestAnUnknownOutcomeIsSentAgainOnPurposeOnly(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := w.ended()
		for _, states := range [][]string{{"uncertain"}, {"failed", "uncertain"}} {
			_, err := w.Resend(ctx, w.page("ana"), v.ID, "r1", texting.ResendRequest{States: states})
			if code, words := refused(err); code != "confirm_required" || words != "Outcome unknown: check Dialpad before sending again. Confirm to send again." {
				t.Errorf("%v: %v", states, err)
			}
		}
		r, err := w.Resend(ctx, w.page("ana"), v.ID, "r1", texting.ResendRequest{States: []string{"failed", "uncertain"}, Confirm: true})
		must(t, err)
		_, err = w.Prepare(ctx, "t_9", r.ID)
		must(t, err)
		if d := cmp.Diff(map[string]string{"7": "Hi Bob", "20": "Hi Finn"}, w.became(r.ID)); d != "" {
			t.Error(d)
		}
	})
}

func TestNobodyWhoGotATextIsSentAnother(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := w.ended()
		for code, states := range map[string][]string{"bad_request": {"sent"}, "state_conflict": {"cancelled"}} {
			_, err := w.Resend(ctx, w.page("ana"), v.ID, "r1", texting.ResendRequest{States: states, Confirm: true})
			if got, _ := refused(err); got != code {
				t.Errorf("%v: %v", states, err)
			}
		}
		for _, states := range [][]string{nil, {"delivered"}, {"queued"}, {"sending"}, {"held"}, {"failed", "sent"}} {
			_, err := w.Resend(ctx, w.page("ana"), v.ID, "r1", texting.ResendRequest{States: states, Confirm: true})
			if got, _ := refused(err); got != "bad_request" {
				t.Errorf("%v: %v", states, err)
			}
		}
		w.account("1", "ana@acme.com", models.AccountSuspended)
		_, err := w.Resend(ctx, w.page("ana"), v.ID, "r1", texting.ResendRequest{States: []string{"failed"}})
		if got, _ := refused(err); got != "no_account" || w.stored() != 1 {
			t.Errorf("without an account: %v", err)
		}
	})
}

func TestAOneToOneTextIsSentAgainToTheNumberAsClicked(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := w.create(w.one("ana", "7", "+12125550199"), "k1", says(hi))
		w.settle(ledger.Failed, w.claim()...)
		r, err := w.Resend(ctx, w.page("ana"), v.ID, "r1", texting.ResendRequest{States: []string{"failed"}})
		must(t, err)
		_, err = w.Prepare(ctx, "t_9", r.ID)
		must(t, err)
		if m := w.messages(r.ID)[0]; m.ToNumber != "+12125550199" || m.Text != "Hi Bob" || m.Class != ledger.ClassPerson {
			t.Errorf("%+v", m)
		}
	})
}

func TestSkippedPeopleAreAskedForAgain(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := w.prepared(w.bulk("ana", crm.ModuleContact, "7", "11"), "k1", says(hi))
		w.settle(ledger.Sent, w.claim()...)
		w.host.SetNumber("t_9", "11", "mobile", "+13035550124")
		r, err := w.Resend(ctx, w.page("ana"), v.ID, "r1", texting.ResendRequest{States: []string{"skipped"}})
		must(t, err)
		_, err = w.Prepare(ctx, "t_9", r.ID)
		must(t, err)
		if d := cmp.Diff(map[string]string{"11": "Hi Caleb"}, w.became(r.ID)); d != "" {
			t.Error(d)
		}
	})
}

func failedOnes(states ...string) texting.ResendRequest {
	return texting.ResendRequest{States: states, Confirm: true}
}

func TestEachTextIsSentAgainOnceWhateverTheKey(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := w.ended()
		for _, key := range []string{"r1", "", ""} {
			r, err := w.Resend(ctx, w.page("ana"), v.ID, key, failedOnes("failed", "uncertain"))
			if code, words := refused(err); key != "r1" && (code != "state_conflict" || words != "These people were texted again already. Look for it in the outbox.") {
				t.Errorf("again with key %q: %s, %v", key, r.ID, err)
			}
		}
		if w.stored() != 2 {
			t.Errorf("%d batches", w.stored())
		}
		r, err := w.Resend(ctx, w.page("ana"), v.ID, "r1", failedOnes("failed", "uncertain"))
		if err != nil || r.Counts.Total != 2 {
			t.Errorf("the first key: %+v, %v", r.Counts, err)
		}
	})
}

func TestABatchSaysHowManyAreLeftToTextAgain(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := w.ended()
		left := func(id string, want texting.Resendable) {
			t.Helper()
			if d := cmp.Diff(&want, w.view(id).Resendable); d != "" {
				t.Error(d)
			}
		}
		left(v.ID, texting.Resendable{Failed: 1, Uncertain: 1})
		r, err := w.Resend(ctx, w.page("ana"), v.ID, "r1", failedOnes("failed"))
		must(t, err)
		left(v.ID, texting.Resendable{Uncertain: 1})
		left(r.ID, texting.Resendable{})
		w.act(w.Cancel, r.ID) // before it had a text for that person
		left(v.ID, texting.Resendable{Failed: 1, Uncertain: 1})
		_, err = w.Resend(ctx, w.page("ana"), v.ID, "r2", failedOnes("failed", "uncertain"))
		must(t, err)
		left(v.ID, texting.Resendable{})
	})
}

func TestWhoFailsAgainIsSentAgainFromTheNewText(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := w.ended()
		for range 3 {
			r, err := w.Resend(ctx, w.page("ana"), v.ID, "", failedOnes("failed"))
			must(t, err)
			if _, err := w.Resend(ctx, w.page("ana"), v.ID, "", failedOnes("failed")); err == nil {
				t.Fatal("sent again from the old text")
			}
			_, err = w.Prepare(ctx, "t_9", r.ID)
			must(t, err)
			if d := cmp.Diff(map[string]string{"7": "Hi Bob"}, w.became(r.ID)); d != "" {
				t.Error(d)
			}
			w.settle(ledger.Failed, w.claim()...)
			v = r
		}
	})
}

func TestTwoWhoPressAtOnceTextEverybodyOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := w.ended()
		var g errgroup.Group
		made := make([]string, 6)
		for i := range made {
			g.Go(func() error {
				r, err := w.another().Resend(ctx, w.page("ana"), v.ID, []string{"r1", "r2", ""}[i%3], failedOnes("failed"))
				if code, _ := refused(err); code != "" && code != "state_conflict" {
					return err
				}
				made[i] = r.ID
				return nil
			})
		}
		must(t, g.Wait())
		if w.stored() != 2 {
			t.Errorf("%d batches: %q", w.stored(), made)
		}
	})
}

func TestWhoseNewTextWasCancelledBeforeItExistedIsSentAgain(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := w.ended()
		r, err := w.Resend(ctx, w.page("ana"), v.ID, "r1", failedOnes("failed"))
		must(t, err)
		w.act(w.Cancel, r.ID)
		again, err := w.Resend(ctx, w.page("ana"), v.ID, "r2", failedOnes("failed"))
		must(t, err)
		_, err = w.Prepare(ctx, "t_9", again.ID)
		must(t, err)
		w.act(w.Cancel, again.ID) // its text exists now: from there it goes on
		w.moved(again.ID)
		if _, err := w.Resend(ctx, w.page("ana"), v.ID, "r3", failedOnes("failed")); err == nil {
			t.Error("sent again from the old text")
		}
		last, err := w.Resend(ctx, w.page("ana"), again.ID, "r3", failedOnes("cancelled"))
		must(t, err)
		_, err = w.Prepare(ctx, "t_9", last.ID)
		must(t, err)
		if d := cmp.Diff(map[string]string{"7": "Hi Bob"}, w.became(last.ID)); d != "" {
			t.Error(d)
		}
	})
}
