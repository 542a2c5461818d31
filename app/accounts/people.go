package accounts

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/nyaruka/phonenumbers"

	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
)

// SyncUsers reads all of the tenant's CRM users. Those that the list does not name any more are inactive.
func (a *Accounts) SyncUsers(ctx context.Context, tenantID string) (Counts, error) {
	t, err := a.store.Tenants.Get(ctx, tenantID)
	if err != nil {
		return Counts{}, err
	}
	begun := a.now()
	var counts Counts
	for cursor, seen := "", map[string]bool{}; ; {
		page, err := a.crm.Users(ctx, crmTenant(t), cursor)
		if err != nil {
			return counts, err
		}
		if err := a.store.Users.Save(ctx, tenantID, usersOf(page.Users)); err != nil {
			return counts, err
		}
		counts.Read += len(page.Users)
		if page.Next == "" {
			return counts, a.store.Users.DeactivateUnseen(ctx, tenantID, begun)
		}
		if seen[page.Next] {
			return counts, errors.New("the CRM's list of users goes round in a circle")
		}
		seen[page.Next] = true
		cursor = page.Next
	}
}

func crmTenant(t models.Tenant) crm.Tenant {
	return crm.Tenant{ID: t.ID, Linkname: t.Linkname, Name: t.Name, Plan: t.Plan, TimeZone: t.TimeZone}
}

// usersOf keeps the last word on each id: one statement can't write a row twice.
func usersOf(list []crm.Person) []models.User {
	at := map[string]int{}
	var out []models.User
	for _, p := range list {
		u := models.User{UserID: p.ID, Email: p.Email, Name: p.Name, Active: p.Active}
		if i, ok := at[p.ID]; ok {
			out[i] = u
			continue
		}
		at[p.ID] = len(out)
		out = append(out, u)
	}
	return out
}

// Page is a page of people; Next is nil on the last.
type Page struct {
	People []Person `json:"people"`
	Next   *string  `json:"next"`
}

// Person is a CRM user beside the Dialpad account of that e-mail; Reason says why the person can't text, nil when it
// can. Note tells where the e-mail is not the only link: several accounts, or an account of several people.
type Person struct {
	UserID  string         `json:"user_id"`
	Name    string         `json:"name"`
	Email   string         `json:"email"`
	Account *PersonAccount `json:"account"`
	Reason  *string        `json:"reason"`
	Note    string         `json:"note,omitempty"`
}

// PersonAccount is a Dialpad account. Number is E.164, Display the same for reading; both may be "".
type PersonAccount struct {
	ID      string `json:"id"`
	Email   string `json:"email"`
	Number  string `json:"number"`
	Display string `json:"display"`
	State   string `json:"state"`
}

// People pages the tenant's active CRM users by name; q searches name and e-mail, cursor is the last page's Next. A
// cursor that is none of ours begins anew.
func (a *Accounts) People(ctx context.Context, tenantID, q, cursor string) (Page, error) {
	after, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		after = nil
	}
	list, next, err := a.store.Users.People(ctx, tenantID, q, false, string(after), perPage)
	if err != nil {
		return Page{}, err
	}
	out := Page{People: make([]Person, 0, len(list))}
	for _, p := range list {
		out.People = append(out.People, personOf(p))
	}
	if next != "" {
		c := base64.RawURLEncoding.EncodeToString([]byte(next))
		out.Next = &c
	}
	return out, nil
}

func personOf(p models.Person) Person {
	out := Person{UserID: p.UserID, Name: p.Name, Email: p.Email}
	if p.DialpadID != "" {
		out.Account = &PersonAccount{ID: p.DialpadID, Email: p.AccountEmail, Number: p.Number, Display: display(p.Number), State: p.State}
	}
	if reason := models.AccountProblem(p.State, p.Number); reason != "" {
		out.Reason = &reason
	}
	switch {
	case p.Accounts > 1:
		out.Note = fmt.Sprintf("%d Dialpad accounts have this e-mail; the one shown is used", p.Accounts)
	case p.Users > 1:
		out.Note = fmt.Sprintf("%d people here share this Dialpad account", p.Users)
	}
	return out
}

// display is a number as people write it.
func display(number string) string {
	n, err := phonenumbers.Parse(number, "")
	if err != nil {
		return number
	}
	return strings.ReplaceAll(phonenumbers.Format(n, phonenumbers.INTERNATIONAL), "-", " ") // as everywhere else
}
