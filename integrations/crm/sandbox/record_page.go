package sandbox

import (
	"fmt"
	"net/http"

	"dialpad-texting/integrations/crm"
)

type recordBody struct {
	Module, ID, Name, Sub string
	ContactID             string // whose numbers these are
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

func (s *Sandbox) contactPage(w http.ResponseWriter, r *http.Request) {
	s.page(w, r, "record", func(t *tenant, u *user, v *view) bool {
		p := t.visible(r.PathValue("id"), u)
		if p == nil {
			return false
		}
		b := recordBody{
			Module: crm.ModuleContact, ID: p.id, Name: p.name(), Sub: p.title, ContactID: p.id, Email: p.email(), City: p.city, Zone: p.zone,
			Company: p.company, Owner: t.ownerName(p.owner), Phones: p.numbers(), OptedOut: t.isOptedOut(p), Timeline: t.contactTexts(p.id),
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

func (s *Sandbox) dealPage(w http.ResponseWriter, r *http.Request) {
	s.page(w, r, "record", func(t *tenant, u *user, v *view) bool {
		d := t.dealByID[r.PathValue("id")]
		if d == nil {
			return false
		}
		b := recordBody{
			Module: crm.ModuleDeal, ID: d.id, Name: d.title, Owner: t.ownerName(d.owner), Stage: d.stage, Value: money(d.value),
			Closes: d.closes.Format("January 2, 2006"), Timeline: t.dealTexts(d.id),
		}
		if p := t.visible(d.contact, u); p != nil {
			b.ContactID, b.ContactName, b.Sub, b.Company, b.Email = p.id, p.name(), p.name(), p.company, p.email()
			b.Phones, b.City, b.Zone, b.OptedOut = p.numbers(), p.city, p.zone, t.isOptedOut(p)
		}
		v.Title, v.Section, v.Body = d.title, "deals", b
		return true
	})
}

// visible is a contact that u may see, or nil; mu is held.
func (t *tenant) visible(id string, u *user) *person {
	if p := t.personByID[id]; p != nil && mayUse(u, p.owner, p.private) {
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

// texts are the newest hundred, newest first.
func (t *tenant) texts(address string, of func(Activity) bool) timelineBody {
	b := timelineBody{URL: address}
	all := t.timeline(of)
	for i := len(all) - 1; i >= 0 && len(b.Texts) < 100; i-- {
		b.Texts = append(b.Texts, textEntry{all[i], clockIn(all[i].when(), t.timeZone), t.ownerName(all[i].UserID)})
	}
	return b
}

func (s *Sandbox) contactTimeline(w http.ResponseWriter, r *http.Request) {
	s.fragment(w, r, "record", "timeline", func(t *tenant) any { return t.contactTexts(r.PathValue("id")) })
}

func (s *Sandbox) dealTimeline(w http.ResponseWriter, r *http.Request) {
	s.fragment(w, r, "record", "timeline", func(t *tenant) any { return t.dealTexts(r.PathValue("id")) })
}

// fragment answers a live part of a page, or 304 while nothing has changed.
func (s *Sandbox) fragment(w http.ResponseWriter, r *http.Request, page, block string, body func(*tenant) any) {
	t := tenantOf(r)
	s.mu.RLock()
	tag := fmt.Sprintf(`"%d"`, t.version)
	b := body(t)
	s.mu.RUnlock()
	w.Header().Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	s.render(w, http.StatusOK, page, block, b)
}

// postOptOut turns texting to this person off or on, and tells the app.
func (s *Sandbox) postOptOut(w http.ResponseWriter, r *http.Request) {
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
			if n.Number != "" && (out || t.optedOut[digits(n.Number)]) {
				t.setOptOut(n.Number, out)
				numbers = append(numbers, n.Number)
			}
		}
	})
	note := "told"
	for _, n := range numbers {
		if s.SendEvent(r.Context(), t.id, event, map[string]any{"number": n}) != nil {
			note = "untold"
		}
	}
	back(w, r, note)
}

// postErase has the app forget this person; the CRM forgets the timeline.
func (s *Sandbox) postErase(w http.ResponseWriter, r *http.Request) {
	t := tenantOf(r)
	id := r.PathValue("id")
	known := false
	s.change(t.id, func(t *tenant) {
		if known = t.visible(id, t.currentUser(r)) != nil; known {
			t.forget(id)
		}
	})
	if !known {
		s.notFound(w, "There is no such person, or you may not see them.")
		return
	}
	note := "told"
	if s.SendEvent(r.Context(), t.id, crm.EventDataErase, map[string]any{"contact_id": s.wireID(id)}) != nil {
		note = "untold"
	}
	back(w, r, note)
}

func (t *tenant) forget(contactID string) {
	kept := t.activities[:0]
	for _, a := range t.activities {
		if a.ContactID == contactID {
			delete(t.activityAt, a.MessageID)
			continue
		}
		kept = append(kept, a)
	}
	t.activities = kept
}
