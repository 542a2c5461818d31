package batch_test

import (
	"testing"
	"time"

	"dialpad-texting/app/batch"
	"dialpad-texting/integrations/crm"
	. "dialpad-texting/internal/apptest"
	"dialpad-texting/models/ledger"
)

// A schedule waits while its sender's e-mail changes: the CRM user is the
// sender, and that user's present e-mail decides.
func TestSenderOfAScheduleIsTheCRMUser(t *testing.T) {
	anas, bens := "+14155550100", "+14155550101"
	for name, c := range map[string]struct {
		change func(w *World)
		id     string // the Dialpad account that sends, "" for none
		number string
	}{
		"changed in both": {func(w *World) {
			w.SaveUser("42", "ana.ruiz@acme.com", true)
			account(w, "1", anas, "ana.ruiz@acme.com")
		}, "1", anas},
		"changed in Dialpad alone": {func(w *World) { account(w, "1", anas, "ana.ruiz@acme.com") }, "", ""},
		"swapped between two people": {func(w *World) {
			w.SaveUser("42", "ben@acme.com", true)
			w.SaveUser("43", "ana@acme.com", true)
			account(w, "1", anas, "old@acme.com")
			account(w, "2", bens, "ana@acme.com")
			account(w, "1", anas, "ben@acme.com")
		}, "1", anas},
		"swapped in the CRM alone": {func(w *World) {
			w.SaveUser("42", "ben@acme.com", true)
			w.SaveUser("43", "ana@acme.com", true)
		}, "2", bens},
		"plus-tagged in both": {func(w *World) {
			w.SaveUser("42", "ana+crm@acme.com", true)
			account(w, "1", anas, "ana+crm@acme.com")
		}, "1", anas},
		"plus-tagged in the CRM alone": {func(w *World) { w.SaveUser("42", "ana+crm@acme.com", true) }, "", ""},
		"deactivated":                  {func(w *World) { w.SaveUser("42", "ana@acme.com", false) }, "", ""},
		"deactivated and active again": {func(w *World) {
			w.SaveUser("42", "ana@acme.com", false)
			w.SaveUser("42", "ana@acme.com", true)
		}, "1", anas},
		"two accounts with the e-mail": {func(w *World) { account(w, "3", "+14155550103", "ana@acme.com") }, "1", anas},
	} {
		t.Run(name, func(t *testing.T) {
			Each(t, func(t *testing.T, w *World) {
				b := w.MustCreate(w.Bulk("ana", crm.ModuleContact, "2"), "k1", At("2026-03-02T14:00", "America/New_York", ""))
				c.change(w)
				_, err := w.Scheduler.WarnAllTenants(Ctx)
				Must(t, err)
				if v := w.MustView(b.ID); (v.Warning == nil) != (c.id != "") {
					t.Errorf("warned: %v", v.Warning != nil)
				}
				w.Clock.Add(b.SendAt.Sub(w.Clock.Now()))
				w.MustStartDue()
				_, err = w.Prepare(Ctx, Acme, b.ID)
				Must(t, err)
				m := w.Rows(b.ID)[0]
				if c.id == "" {
					if m.State != ledger.Failed || m.ErrorText != "No Dialpad account found" {
						t.Errorf("%s %q", m.State, m.ErrorText)
					}
					return
				}
				got := claimOne(t, w)
				if got.SenderID != c.id || got.FromNumber != c.number || !got.SenderMatches {
					t.Errorf("sent by %s from %s, matches %v; want %s", got.SenderID, got.FromNumber, got.SenderMatches, c.id)
				}
			})
		})
	}
}

// What an admin hands to another sender goes out by that sender's user, also
// when that user's e-mail changes later, and after it was held.
func TestSenderOfAHandedBatchIsTheOtherUser(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		b := w.MustCreate(w.Bulk("ana", crm.ModuleContact, "2"), "k1", At("2026-03-02T14:00", "America/New_York", ""))
		ben := "43"
		_, err := w.Edit(Ctx, w.Page("ana"), b.ID, batch.EditRequest{SenderUserID: &ben})
		Must(t, err)
		w.SaveUser(ben, "b.okoro@acme.com", true)
		account(w, "2", "+14155550101", "b.okoro@acme.com")
		_, err = w.Scheduler.WarnAllTenants(Ctx)
		Must(t, err)
		if v := w.MustView(b.ID); v.Warning != nil {
			t.Errorf("warned: %s", *v.Warning)
		}
		w.Clock.Add(b.SendAt.Sub(w.Clock.Now()))
		w.MustStartDue()
		_, err = w.Prepare(Ctx, Acme, b.ID)
		Must(t, err)
		_, err = w.Pause(Ctx, w.Page("ana"), b.ID)
		Must(t, err)
		_, err = w.ApplyState(Ctx, Acme, b.ID)
		Must(t, err)
		_, err = w.Resume(Ctx, w.Page("ana"), b.ID)
		Must(t, err)
		_, err = w.ApplyState(Ctx, Acme, b.ID)
		Must(t, err)
		if got := claimOne(t, w); got.SenderID != "2" || !got.SenderMatches || got.SenderUserID != ben {
			t.Errorf("%+v", got)
		}
	})
}

func account(w *World, id, number, email string) {
	w.T.Helper()
	w.Clock.Add(time.Millisecond)
	w.Tenant.Account(id, email, number)
}

// claimOne claims the only text that is to go now.
func claimOne(t *testing.T, w *World) ledger.ClaimedMessage {
	t.Helper()
	lanes, err := w.DB.Lanes.AcquireAllTenants(Ctx, "w1", time.Minute, 0, 1)
	Must(t, err)
	if len(lanes) != 1 {
		t.Fatalf("%d lanes are due", len(lanes))
	}
	_, _, err = w.DB.Lanes.QueueDue(Ctx, lanes[0], 10)
	Must(t, err)
	got, _, err := w.DB.Lanes.Claim(Ctx, lanes[0], ledger.ClaimParams{N: 5, Base: w.Clock.Now()})
	Must(t, err)
	if len(got) != 1 {
		t.Fatalf("claimed %d", len(got))
	}
	return got[0]
}
