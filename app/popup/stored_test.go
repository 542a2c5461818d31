package popup_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dialpad-texting/app/popup"
	"dialpad-texting/integrations/crm"
	. "dialpad-texting/internal/apptest"
	"dialpad-texting/models/ledger"
)

func TestADraftIsKeptForAWeek(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		bob, bulk := w.One("ana", "7", Bob), w.Bulk("ana", crm.ModuleContact, "7", "20")
		draft := popup.Draft{Text: "Hi Bob", Key: "k1", Body: `{"message":"Hi Bob"}`, Unanswered: json.RawMessage(`{"message":"Hi Bob"}`)}
		Must(t, w.SaveDraft(Ctx, bob, draft))
		Must(t, w.SaveDraft(Ctx, bulk, popup.Draft{Text: "Hi all"}))
		stored := func(who string) *popup.Draft {
			t.Helper()
			v, err := w.Context(Ctx, w.One(who, "7", Bob))
			Must(t, err)
			return v.Draft
		}
		if d := cmp.Diff(&draft, stored("ana")); d != "" {
			t.Error(d)
		}
		if got := stored("ben"); got != nil {
			t.Errorf("Ben sees %+v", got)
		}
		v, err := w.Context(Ctx, bulk)
		Must(t, err)
		if v.Draft == nil || v.Draft.Text != "Hi all" {
			t.Errorf("the bulk has %+v", v.Draft)
		}
		w.Clock.Add(7*24*time.Hour + time.Second)
		if got := stored("ana"); got != nil {
			t.Errorf("after a week %+v", got)
		}
	})
}

func TestADraftIsErasedWithItsPerson(t *testing.T) {
	for name, erase := range map[string]func(w *World) error{
		"by number":  func(w *World) error { return w.DB.EraseNumber(Ctx, Acme, Bob) },
		"by contact": func(w *World) error { return w.DB.EraseContact(Ctx, Acme, "7") },
	} {
		t.Run(name, func(t *testing.T) {
			Each(t, func(t *testing.T, w *World) {
				Must(t, w.SaveDraft(Ctx, w.One("ana", "7", "(415) 555-0142"), popup.Draft{Text: "Hi Bob"}))
				Must(t, w.SaveDraft(Ctx, w.One("ana", "20", "+14155550199"), popup.Draft{Text: "Hi Sam"}))
				Must(t, erase(w))
				v, err := w.Context(Ctx, w.One("ana", "7", "(415) 555-0142"))
				Must(t, err)
				if v.Draft != nil {
					t.Errorf("kept %+v", v.Draft)
				}
				if v, err = w.Context(Ctx, w.One("ana", "20", "+14155550199")); err != nil || v.Draft == nil {
					t.Errorf("another person's draft: %+v, %v", v.Draft, err)
				}
			})
		})
	}
}

func TestADraftThatSaysNothingIsDeleted(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		bob := w.One("ana", "7", Bob)
		Must(t, w.SaveDraft(Ctx, bob, popup.Draft{Text: "Hi"}))
		Must(t, w.SaveDraft(Ctx, bob, popup.Draft{Unanswered: json.RawMessage("null")}))
		if v, err := w.Context(Ctx, bob); err != nil || v.Draft != nil {
			t.Errorf("%+v, %v", v.Draft, err)
		}
	})
}

func TestPreferencesAreTheUsersOwn(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		bob := w.One("ana", "7", Bob)
		want := popup.Preferences{RecentTemplates: []string{"tpl_1"}, FavouriteTemplates: []string{"tpl_2", "tpl_3"}}
		Must(t, w.SavePreferences(Ctx, bob, want))
		w.Clock.Add(30 * 24 * time.Hour)
		v, err := w.Context(Ctx, w.Bulk("ana", crm.ModuleContact, "7"))
		Must(t, err)
		if d := cmp.Diff(want, v.Preferences); d != "" {
			t.Error(d)
		}
		v, err = w.Context(Ctx, w.One("ben", "7", Bob))
		Must(t, err)
		if len(v.Preferences.FavouriteTemplates) > 0 {
			t.Errorf("Ben has %+v", v.Preferences)
		}
		if err := w.SavePreferences(Ctx, bob, popup.Preferences{FavouriteTemplates: make([]string, 101)}); err == nil {
			t.Error("a hundred and one favourites")
		}
	})
}

func TestContextNamesWhoLastTextedTheNumber(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		last := func(who string) *popup.LastTextView {
			t.Helper()
			v, err := w.Context(Ctx, w.One(who, "7", "(415) 555-0142"))
			Must(t, err)
			return v.To.LastText
		}
		w.MustCreate(w.One("ben", "7", Bob), "k1", Text("Hi Bob"))
		if got := last("ana"); got != nil {
			t.Errorf("before it was sent: %+v", got)
		}
		w.Settle(ledger.Sent, w.Claim()...)
		sent := w.Clock.Now()
		w.Clock.Add(2 * time.Hour)
		if got := last("ana"); got == nil || got.By != "Ben Okoro" || got.Mine || !got.At.Equal(sent) {
			t.Errorf("to Ana: %+v", got)
		}
		if got := last("ben"); got == nil || !got.Mine {
			t.Errorf("to Ben: %+v", got)
		}
		w.Clock.Add(7 * 24 * time.Hour)
		if got := last("ana"); got != nil {
			t.Errorf("a week later: %+v", got)
		}
	})
}
