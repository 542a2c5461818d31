package accounts_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"dialpad-texting/app/accounts"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
)

func TestSyncUsersReadsAllPagesAndDeactivatesTheMissing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.crm.pages[""] = crm.UserPage{Users: []crm.Person{{ID: "42", Name: "Ana Ruiz", Email: "Ana@acme.com", Active: true}, {ID: "43", Name: "Ben", Email: "ben@acme.com", Active: true}}, Next: "p2"}
		w.crm.pages["p2"] = crm.UserPage{Users: []crm.Person{{ID: "44", Name: "Cleo Park", Email: "cleo@acme.com"}, {ID: "43", Name: "Ben Okoro", Email: "ben@acme.com", Active: true}, {ID: "43", Name: "Ben Okoro", Email: "ben@acme.com", Active: true}}}
		must(t, w.db.Users.Save(ctx, "t_9", []models.User{{UserID: "42", Email: "ana@acme.com", Name: "Ana", Role: "admin", Active: true}, {UserID: "50", Email: "old@acme.com", Name: "Old", Active: true}}))
		w.clock.Add(time.Second)
		got, err := w.SyncUsers(ctx, "t_9")
		if err != nil || got.Read != 5 || len(w.crm.asked) != 2 || w.crm.asked[0].Linkname == "" || w.crm.asked[0].ID != "t_9" {
			t.Fatalf("counts %+v, %v, asked as %+v", got, err, w.crm.asked)
		}
		for id, active := range map[string]bool{"42": true, "43": true, "44": false, "50": false} {
			if u, err := w.db.Users.Get(ctx, "t_9", id); err != nil || u.Active != active {
				t.Errorf("user %s: %+v %v", id, u, err)
			}
		}
		if u, err := w.db.Users.Get(ctx, "t_9", "42"); err != nil || u.Role != "admin" || u.Email != "ana@acme.com" {
			t.Errorf("Ana: %+v %v", u, err)
		}
		w.crm.pages["p2"] = crm.UserPage{Next: "p3"}
		w.crm.pages["p3"] = crm.UserPage{Next: "p2"}
		if _, err := w.SyncUsers(ctx, "t_9"); err == nil {
			t.Error("repeating pages are no error")
		}
		delete(w.crm.pages, "p2")
		w.clock.Add(time.Second)
		if _, err := w.SyncUsers(ctx, "t_9"); err == nil {
			t.Error("half a list is a list")
		}
		if u, err := w.db.Users.Get(ctx, "t_9", "43"); err != nil || !u.Active {
			t.Errorf("half a list made Ben inactive: %v", err)
		}
	})
}

// Names lose a NUL, which Postgres refuses. An entry with one in its id
// or e-mail is left out, and then nobody counts as gone.
func TestSyncUsersWithUnreadableEntries(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(rw, `{"users":[{"id":"42","name":"Ana\u0000 Ruiz`+"\xff"+`","email":"ana@acme.com"},
				{"id":"5\u00000","name":"Old","email":"old@acme.com"},{"id":43,"name":"Ben","email":"ben@acme.com"}],"next":null}`)
		}))
		defer server.Close()
		must(t, w.db.Users.Save(ctx, "t_9", []models.User{{UserID: "50", Email: "old@acme.com", Name: "Old", Active: true}}))
		w.clock.Add(time.Minute)
		people := accounts.New(w.db.Store, w.dp, nil, crm.New(server.URL, crm.Secrets{}, nil, w.clock.Now), nil, nil)
		if _, err := people.SyncUsers(ctx, "t_9"); err != nil {
			t.Fatal(err)
		}
		users, _, err := w.db.Users.People(ctx, "t_9", "", false, "", 10)
		must(t, err)
		got := map[string]models.Person{}
		for _, u := range users {
			got[u.UserID] = u
		}
		if len(got) != 3 || !got["50"].Active || got["42"].Name != "Ana Ruiz\uFFFD" || got["42"].Email != "ana@acme.com" || got["43"].Name != "Ben" {
			t.Errorf("%+v", got)
		}
	})
}
