package accounts_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dialpad-texting/app/accounts"
	"dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/models"
)

func TestPeopleHaveTheReasonThatKeepsThemFromTexting(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.sync()
		must(t, w.db.Users.Save(ctx, "t_9", []models.User{
			{UserID: "42", Email: "ANA@acme.com", Name: "Ana Ruiz", Active: true}, {UserID: "44", Email: "cleo@acme.com", Name: "Cleo Park", Active: true},
			{UserID: "45", Email: "dan@acme.com", Name: "Dan Weiss", Active: true}, {UserID: "46", Email: "eve@acme.com", Name: "Eve Stone", Active: true},
			{UserID: "47", Email: "fay@acme.com", Name: "Fay", Active: false}}))
		page, err := w.People(ctx, "t_9", "", "", nil)
		must(t, err)
		none, number, suspended := "No Dialpad account found", "The Dialpad account has no phone number", "The Dialpad account is suspended"
		want := accounts.Page{People: []accounts.Person{
			{UserID: "42", Name: "Ana Ruiz", Email: "ana@acme.com", Account: &accounts.PersonAccount{ID: sandbox.AnaID, Email: "ana@acme.com", Number: "+14155550100", Display: "+1 415 555 0100", State: "active"}},
			{UserID: "44", Name: "Cleo Park", Email: "cleo@acme.com", Reason: &none},
			{UserID: "45", Name: "Dan Weiss", Email: "dan@acme.com", Account: &accounts.PersonAccount{ID: sandbox.DanID, Email: "dan@acme.com", State: "active"}, Reason: &number},
			{UserID: "46", Name: "Eve Stone", Email: "eve@acme.com", Account: &accounts.PersonAccount{ID: sandbox.EveID, Email: "eve@acme.com", Number: "+14155550104", Display: "+1 415 555 0104", State: "suspended"}, Reason: &suspended},
		}}
		if diff := cmp.Diff(want, page); diff != "" {
			t.Error(diff)
		}
		if page, err := w.People(ctx, "t_9", "PARK", "not ours", nil); err != nil || len(page.People) != 1 || page.People[0].UserID != "44" {
			t.Errorf("search: %+v %v", page, err)
		}
	})
}

func TestPeopleArePaged(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var users []models.User
		for i := range 120 {
			users = append(users, models.User{UserID: fmt.Sprint(1000 + i), Email: fmt.Sprintf("u%d@acme.com", i), Name: fmt.Sprintf("User %03d", i/2), Active: true})
		}
		must(t, w.db.Users.Save(ctx, "t_9", users))
		seen, pages := map[string]bool{}, 0
		for cursor := ""; ; pages++ {
			page, err := w.People(ctx, "t_9", "", cursor, nil)
			must(t, err)
			for _, p := range page.People {
				if seen[p.UserID] {
					t.Fatalf("%s comes twice", p.UserID)
				}
				seen[p.UserID] = true
			}
			if page.Next == nil {
				break
			}
			cursor = *page.Next
		}
		if len(seen) != 120 || pages != 2 {
			t.Errorf("%d people in %d pages", len(seen), pages+1)
		}
	})
}

func TestPeopleWithSharedEmailsOrAccountsHaveANote(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.sandbox.AddUser(sandbox.User{CompanyID: sandbox.AcmeID, Emails: []string{"two@acme.com"}, State: "suspended", Numbers: []string{"+14155550107"}})
		active := w.sandbox.AddUser(sandbox.User{CompanyID: sandbox.AcmeID, Emails: []string{"TWO@acme.com"}, Numbers: []string{"+14155550108"}})
		shared := w.sandbox.AddUser(sandbox.User{CompanyID: sandbox.AcmeID, Emails: []string{"desk@acme.com", "front@acme.com"}, Numbers: []string{"+14155550109"}})
		w.sync()
		must(t, w.db.Users.Save(ctx, "t_9", []models.User{{UserID: "60", Email: "two@acme.com", Name: "A", Active: true},
			{UserID: "61", Email: "Desk@acme.com", Name: "B", Active: true}, {UserID: "62", Email: "front@acme.com", Name: "C", Active: true},
			{UserID: "63", Email: "desk@acme.com", Name: "D", Active: false}}))
		page, err := w.People(ctx, "t_9", "", "", nil)
		must(t, err)
		var got []string
		for _, p := range page.People {
			got = append(got, fmt.Sprint(p.Name, " ", p.Account.ID, " ", p.Reason == nil, " ", p.Note))
		}
		want := []string{
			"A " + active + " true 2 Dialpad accounts have this e-mail; the one shown is used",
			"B " + shared + " true 2 people here share this Dialpad account", "C " + shared + " true 2 people here share this Dialpad account"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		for _, email := range []string{"two@acme.com", "desk@acme.com"} { // the page shows the account that texts go out from
			a, err := w.db.Accounts.ByEmail(ctx, "t_9", email)
			must(t, err)
			if email == "two@acme.com" && a.DialpadID != active || email == "desk@acme.com" && a.DialpadID != shared {
				t.Errorf("%s stands for %s", email, a.DialpadID)
			}
		}
	})
}

// large gives the tenant n people in CRM and Dialpad.
func (w *world) large(n int) {
	w.t.Helper()
	var users []models.User
	var list []models.Account
	for i := range n {
		email := fmt.Sprintf("user%d@seed.example", i)
		users = append(users, models.User{UserID: fmt.Sprint(10_000 + i), Email: email, Name: fmt.Sprintf("Person %05d", i*7919%n), Active: true})
		list = append(list, models.Account{DialpadID: fmt.Sprint(int64(5_000_000_000_000_000) + int64(i)), Name: email, Emails: []string{email}, Number: fmt.Sprintf("+1415555%04d", i%10_000), State: "active"})
	}
	must(w.t, w.db.Users.Save(ctx, "t_9", users))
	_, err := w.db.Accounts.Save(ctx, "t_9", w.clock.Now(), list)
	must(w.t, err)
}

func TestPeopleOfALargeTenantArePaged(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const n = 5000
		w.large(n)
		seen, pages := map[string]bool{}, 0
		read := func(q, cursor string) (ids []string, next *string) {
			t.Helper()
			page, err := w.People(ctx, "t_9", q, cursor, nil)
			must(t, err)
			for _, p := range page.People {
				if p.Account == nil {
					t.Fatalf("%s has no account", p.Email)
				}
				ids = append(ids, p.UserID)
			}
			return ids, page.Next
		}
		for cursor := ""; ; pages++ {
			ids, next := read("", cursor)
			for _, id := range ids {
				seen[id] = true
			}
			if next == nil {
				break
			}
			cursor = *next
		}
		if len(seen) != n || pages != n/50-1 {
			t.Errorf("%d people in %d pages", len(seen), pages+1)
		}
		if ids, _ := read("USER4321@", ""); len(ids) != 1 {
			t.Errorf("found %v", ids)
		}
		if ids, next := read("nobody of that name", ""); len(ids) != 0 || next != nil {
			t.Errorf("found %v", ids)
		}
	})
}
