package sandbox

import (
	"net/http"
	"net/url"
	"strconv"

	"dialpad-texting/integrations/crm"
)

const rowsPerPage = 50

type listBody struct {
	Module, Noun string
	Q            string
	Rows         []row
	Total        int
	From, To     int
	Prev, Next   string
}

type row struct {
	ID, Name, Sub  string
	Company, Owner string
	Phone          string
	PhoneKey       string
	Record         string // the contact's id
	OptedOut       bool
	Value, Stage   string
	Closes         string
}

func (s *recordPages) contactsPage(w http.ResponseWriter, r *http.Request) {
	s.page(w, r, "list", func(t *tenant, u *user, v *view) bool {
		found := t.findPeople(r.URL.Query().Get("q"), u)
		body := newList(r, crm.ModuleContact, len(found))
		for _, p := range found[body.From:body.To] {
			body.Rows = append(body.Rows, t.personRow(p))
		}
		v.Title, v.Section, v.Body = "People", "people", body
		return true
	})
}

func (s *recordPages) dealsPage(w http.ResponseWriter, r *http.Request) {
	s.page(w, r, "list", func(t *tenant, _ *user, v *view) bool {
		found := t.findDeals(r.URL.Query().Get("q"))
		body := newList(r, crm.ModuleDeal, len(found))
		for _, d := range found[body.From:body.To] {
			body.Rows = append(body.Rows, t.dealRow(d))
		}
		v.Title, v.Section, v.Body = "Deals", "deals", body
		return true
	})
}

func newList(r *http.Request, module string, total int) *listBody {
	page, _ := strconv.Atoi(r.URL.Query().Get("page"))
	page = max(0, min(page, (total-1)/rowsPerPage))
	b := &listBody{Module: module, Noun: nouns[module], Q: r.URL.Query().Get("q"), Total: total, From: page * rowsPerPage}
	b.To = min(b.From+rowsPerPage, total)
	link := func(n int) string {
		return r.URL.Path + "?" + url.Values{"q": {b.Q}, "page": {strconv.Itoa(n)}}.Encode()
	}
	if page > 0 {
		b.Prev = link(page - 1)
	}
	if b.To < total {
		b.Next = link(page + 1)
	}
	return b
}

// First is the number of the first row shown, from 1.
func (b *listBody) First() int { return min(b.From+1, b.Total) }

var nouns = map[string]string{crm.ModuleContact: "people", crm.ModuleDeal: "deals"}

func (t *tenant) personRow(p *person) row {
	out := row{
		ID: p.id, Name: p.name(), Sub: p.title, Company: p.company,
		Owner: t.ownerName(p.owner), Record: p.id, OptedOut: t.isOptedOut(p),
	}
	for _, n := range p.numbers() {
		if n.Number != "" && out.Phone == "" {
			out.Phone, out.PhoneKey = n.Number, n.Label
		}
	}
	return out
}

func (t *tenant) dealRow(d *deal) row {
	out := row{
		ID: d.id, Name: d.title, Owner: t.ownerName(d.owner), Value: formatDollars(d.value),
		Stage: d.stage, Closes: d.closes.Format("Jan 2, 2006"),
	}
	if p := t.personByID[d.contact]; p != nil {
		out.Sub, out.Company, out.Record = p.name(), p.company, p.id
	}
	return out
}

func (t *tenant) ownerName(id string) string {
	if u := t.user(id); u != nil {
		return u.name()
	}
	return ""
}
