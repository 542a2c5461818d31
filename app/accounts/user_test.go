package accounts_test

import (
	"testing"
	"time"

	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
)

// TestUserReadsWhatIsOldOrInactiveAgain counts the CRM's answers.
func TestUserReadsWhatIsOldOrInactiveAgain(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		listed := func(email string, active bool) {
			w.crm.pages[""] = crm.UserPage{Users: []crm.Person{{ID: "42", Name: "Ana", Email: email, Active: active}}}
		}
		must(t, w.db.Users.Save(ctx, "t_9", []models.User{{UserID: "42", Email: "ana@acme.com", Name: "Ana", Active: true}}))
		for _, s := range []struct {
			name   string
			change func()
			id     string
			email  string
			active bool
			reads  int
		}{
			{"new enough", func() { listed("other@acme.com", true) }, "42", "ana@acme.com", true, 0},
			{"old", func() { w.clock.Add(2 * time.Hour) }, "42", "other@acme.com", true, 1},
			{"inactive", func() {
				must(t, w.db.Users.Deactivate(ctx, "t_9", "42"))
				w.clock.Add(time.Minute)
			}, "42", "other@acme.com", true, 1},
			{"inactive in the CRM too", func() { listed("other@acme.com", false); w.clock.Add(2 * time.Hour) }, "42", "other@acme.com", false, 1},
			{"asked again at once", func() {}, "42", "other@acme.com", false, 0},
			{"unknown", func() { w.clock.Add(time.Minute) }, "99", "", false, 1},
		} {
			s.change()
			before := len(w.crm.asked)
			u, err := w.User(ctx, "t_9", s.id)
			if err != nil || u.Email != s.email || u.Active != s.active || len(w.crm.asked)-before != s.reads {
				t.Errorf("%s: %+v, %v, %d reads", s.name, u, err, len(w.crm.asked)-before)
			}
		}
	})
}
