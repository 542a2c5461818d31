package sandbox

import (
	"net/http"

	"dialpad-texting/integrations/crm"
)

const maxTextsShown = 100

type recordBody struct {
	Module, ID, Name, Sub string
	ContactID             string // owner of the numbers
	ContactName           string
	Email, City, Zone     string
	Company, Owner        string
	Stage, Value, Closes  string
	Phones                []phone
	OptedOut              bool
	Deals                 []row
	Timeline              timelineBody
}

type timelineBody struct {
	URL   string
	Texts []textEntry
}

type textEntry struct {
	Activity
	At, By string
}

// recordPages are the lists and pages of contacts and deals.
type recordPages struct {
	*pageRenderer
	app *AppClient
}

func (s *recordPages) register(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", s.contactsPage)
	mux.HandleFunc("GET /contacts", s.contactsPage)
	mux.HandleFunc("GET /contacts/{id}", s.contactPage)
	mux.HandleFunc("GET /contacts/{id}/timeline", s.contactTimeline)
	mux.HandleFunc("POST /contacts/{id}/optout", s.setOptOut)
	mux.HandleFunc("POST /contacts/{id}/erase", s.eraseContact)
	mux.HandleFunc("GET /deals", s.dealsPage)
	mux.HandleFunc("GET /deals/{id}", s.dealPage)
	mux.HandleFunc("GET /deals/{id}/timeline", s.dealTimeline)
}

func (s *recordPages) contactPage(w http.ResponseWriter, r *http.Request) {
	s.page(w, r, "record", func(t *tenant, u *user, v *view) bool {
		p := t.visible(r.PathValue("id"), u)
		if p == nil {
			return false
		}
		b := recordBody{
			Module: crm.ModuleContact, ID: p.id, Name: p.name(), Sub: p.title, ContactID: p.id, Email: p.email(), City: p.city, Zone: p.zone,
			Company: p.company, Owner: t.ownerName(p.owner), Phones: p.numbers(),
			OptedOut: t.isOptedOut(p), Timeline: t.contactTexts(p.id),
		}
		for _, d := range t.deals {
			if d.contact == p.id {
				b.Deals = append(b.Deals, t.dealRow(d))
			}
		}
		v.Title, v.Section, v.Body = p.name(), "people", b
		return true
	})
}

func (s *recordPages) dealPage(w http.ResponseWriter, r *http.Request) {
	s.page(w, r, "record", func(t *tenant, u *user, v *view) bool {
		d := t.dealByID[r.PathValue("id")]
		if d == nil {
			return false
		}
		b := recordBody{
			Module: crm.ModuleDeal, ID: d.id, Name: d.title, Owner: t.ownerName(d.owner), Stage: d.stage, Value: formatDollars(d.value),
			Closes: d.closes.Format("January 2, 2006"), Timeline: t.dealTexts(d.id),
		}
		if p := t.visible(d.contact, u); p != nil {
			b.ContactID, b.ContactName, b.Sub = p.id, p.name(), p.name()
			b.Company, b.Email = p.company, p.email()
			b.Phones, b.City, b.Zone, b.OptedOut = p.numbers(), p.city, p.zone, t.isOptedOut(p)
		}
		v.Title, v.Section, v.Body = d.title, "deals", b
		return true
	})
}

// visible returns a contact that u may see, or nil. The caller holds mu.
func (t *tenant) visible(id string, u *user) *person {
	if p := t.personByID[id]; p != nil && canSee(u, p.owner, p.private) {
		return p
	}
	return nil
}

func (t *tenant) contactTexts(id string) timelineBody {
	return t.texts("/contacts/"+id+"/timeline", func(a Activity) bool { return a.ContactID == id })
}

func (t *tenant) dealTexts(id string) timelineBody {
	return t.texts("/deals/"+id+"/timeline", func(a Activity) bool { return a.DealID == id })
}

// texts returns the newest texts, newest first.
func (t *tenant) texts(address string, include func(Activity) bool) timelineBody {
	b := timelineBody{URL: address}
	all := t.timeline(include)
	for i := len(all) - 1; i >= 0 && len(b.Texts) < maxTextsShown; i-- {
		b.Texts = append(b.Texts, textEntry{all[i], formatTime(all[i].time(), t.timeZone), t.ownerName(all[i].UserID)})
	}
	return b
}

func (s *recordPages) contactTimeline(w http.ResponseWriter, r *http.Request) {
	s.fragment(w, r, "record", "timeline", func(t *tenant) any { return t.contactTexts(r.PathValue("id")) })
}

func (s *recordPages) dealTimeline(w http.ResponseWriter, r *http.Request) {
	s.fragment(w, r, "record", "timeline", func(t *tenant) any { return t.dealTexts(r.PathValue("id")) })
}

// setOptOut turns texting to this contact off or on and sends the event.
func (s *recordPages) setOptOut(w http.ResponseWriter, r *http.Request) {
	t := tenantOf(r)
	out := r.PostFormValue("opted_out") == "true"
	event := crm.EventOptedIn
	if out {
		event = crm.EventOptedOut
	}
	var numbers []string
	s.change(t.id, func(t *tenant) {
		p := t.visible(r.PathValue("id"), t.currentUser(r))
		if p == nil {
			return
		}
		for _, n := range p.numbers() {
			if n.Number != "" && (out || t.optedOut[normalizeNumber(n.Number)]) {
				t.setOptOut(n.Number, out)
				numbers = append(numbers, n.Number)
			}
		}
	})
	note := "notified"
	for _, n := range numbers {
		if s.app.SendEvent(r.Context(), t.id, event, map[string]any{"number": n}) != nil {
			note = "not_notified"
		}
	}
	redirectBack(w, r, note)
}

// eraseContact deletes the timeline and makes the app erase the contact.
func (s *recordPages) eraseContact(w http.ResponseWriter, r *http.Request) {
	t := tenantOf(r)
	id := r.PathValue("id")
	known := false
	s.change(t.id, func(t *tenant) {
		if known = t.visible(id, t.currentUser(r)) != nil; known {
			t.deleteTimeline(id)
		}
	})
	if !known {
		s.notFound(w, "There is no such person, or you may not see them.")
		return
	}
	note := "notified"
	if s.app.SendEvent(r.Context(), t.id, crm.EventDataErase, map[string]any{"contact_id": s.jsonID(id)}) != nil {
		note = "not_notified"
	}
	redirectBack(w, r, note)
}

func (t *tenant) deleteTimeline(contactID string) {
	kept := t.activities[:0]
	for _, a := range t.activities {
		if a.ContactID == contactID {
			delete(t.activityByID, a.MessageID)
			continue
		}
		kept = append(kept, a)
	}
	t.activities = kept
}
