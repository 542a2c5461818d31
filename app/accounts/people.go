package accounts

import (
	"context"
	"encoding/base64"
	"fmt"

	"dialpad-texting/app/compose"
	"dialpad-texting/app/eligibility"
	"dialpad-texting/models"
)

const peoplePerPage = 50

// Page is a page of people; Next is nil on the last one.
type Page struct {
	People []Person `json:"people"`
	Next   *string  `json:"next"`
}

// Person is a CRM user with the Dialpad account of the same e-mail. Reason
// is why the person can't text, nil if it can. Note is for an e-mail of
// several accounts, or an account of several people.
type Person struct {
	UserID  string         `json:"user_id"`
	Name    string         `json:"name"`
	Email   string         `json:"email"`
	Account *PersonAccount `json:"account"`
	Reason  *string        `json:"reason"`
	Note    string         `json:"note,omitempty"`
}

// PersonAccount is a Dialpad account. Number is E.164, Display the same
// number formatted for people; both may be "".
type PersonAccount struct {
	ID      string `json:"id"`
	Email   string `json:"email"`
	Number  string `json:"number"`
	Display string `json:"display"`
	State   string `json:"state"`
}

// People returns a page of the tenant's active CRM users by name. q searches
// name and e-mail; cursor is the last page's Next. An invalid cursor gives
// the first page. blocked is why the tenant may not text, nil if it may.
func (a *Accounts) People(ctx context.Context, tenantID, q, cursor string, blocked *eligibility.Refusal) (Page, error) {
	after, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		after = nil
	}
	list, next, err := a.store.Users.People(ctx, tenantID, q, false, string(after), peoplePerPage)
	if err != nil {
		return Page{}, err
	}
	out := Page{People: make([]Person, 0, len(list))}
	for _, p := range list {
		person := personOf(p)
		if blocked != nil && person.Reason == nil {
			person.Reason = &blocked.Reason
		}
		out.People = append(out.People, person)
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
		out.Account = &PersonAccount{ID: p.DialpadID, Email: p.AccountEmail, Number: p.Number, Display: compose.Display(p.Number), State: p.State}
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
