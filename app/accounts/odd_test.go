package accounts_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"dialpad-texting/app/accounts"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
)

func TestCharactersThatPostgresRefusesKeepNobodyOut(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(rw, `{"users":[{"id":"4\u00002","name":"Ana\u0000 Ruiz`+"\xff"+`","email":"ana@acme.com\u0000"},{"id":43,"name":"Ben","email":"ben@acme.com"}],"next":null}`)
		}))
		defer server.Close()
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
		if len(got) != 2 || got["42"].Name != "Ana Ruiz\uFFFD" || got["42"].Email != "ana@acme.com" || got["43"].Name != "Ben" {
			t.Errorf("%+v", got)
		}
	})
}
