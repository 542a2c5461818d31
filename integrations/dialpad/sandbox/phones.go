package sandbox

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// phone is one outside number and its newest texts, newest first.
type phone struct {
	Number   string
	Texts    []phoneText
	Lines    []string // Dialpad numbers it has talked to, last first
	OptedOut []string // companies
}

type phoneText struct {
	Text
	Peer string // whose Dialpad number it is
}

const (
	phonesShown = 60
	textsShown  = 12 // of each phone
)

// phones groups the feed by outside number, the one with the newest text first.
func (s *Sandbox) phones() []phone {
	texts := s.feed.texts.all()
	slices.Reverse(texts)
	var out []phone
	at := map[string]int{}
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, t := range texts {
		number, line := t.To, t.From
		if t.Inbound {
			number, line = t.From, t.To
		}
		i, seen := at[number]
		if !seen {
			if len(out) == phonesShown {
				continue
			}
			i, at[number] = len(out), len(out)
			out = append(out, phone{Number: number, OptedOut: s.optedOutOf(number)})
		}
		if !slices.Contains(out[i].Lines, line) {
			out[i].Lines = append(out[i].Lines, line)
		}
		if len(out[i].Texts) < textsShown {
			out[i].Texts = append(out[i].Texts, phoneText{Text: t, Peer: s.nameOf(line)})
		}
	}
	return out
}

func (s *Sandbox) nameOf(line string) string {
	if u := s.byNumber[line]; u != nil {
		return u.Name()
	}
	return ""
}

func (s *Sandbox) optedOutOf(number string) []string {
	var out []string
	for _, c := range s.sortedCompanies() {
		if o := c.optOutOf[number]; o != nil && o.out {
			out = append(out, c.name)
		}
	}
	return out
}

type phonesPage struct {
	Phones  []phone
	Lines   []line // for a text from a phone that is not listed
	Problem string
}

type line struct{ Number, Name string }

func (s *Sandbox) phonesPage(w http.ResponseWriter, r *http.Request) {
	page := phonesPage{Phones: s.phones()}
	if r.URL.Query().Has("refused") {
		page.Problem = "That text went nowhere: both numbers must be like +14155550142, and the second must be a Dialpad user's."
	}
	s.mu.RLock()
	for _, c := range s.sortedCompanies() {
		for _, u := range c.users[:min(len(c.users), 50)] {
			for _, n := range u.Numbers {
				page.Lines = append(page.Lines, line{n, u.Name()})
			}
		}
	}
	s.mu.RUnlock()
	s.render(w, http.StatusOK, "phones.html", "", frame{Title: "Phones", Here: "/phones", Page: page})
}

// phoneThreads is the list alone, for the page's script.
func (s *Sandbox) phoneThreads(w http.ResponseWriter, _ *http.Request) {
	s.render(w, http.StatusOK, "threads", "", frame{Page: phonesPage{Phones: s.phones()}})
}

// phoneEvents says "changed" when a text came or went, ten times a second at most.
func (s *Sandbox) phoneEvents(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	out := http.NewResponseController(w)
	bell, stop := s.feed.watch()
	defer stop()
	_, _ = fmt.Fprint(w, "retry: 1000\ndata: ready\n\n")
	for out.Flush() == nil {
		select {
		case <-r.Context().Done():
			return
		case <-s.ctx.Done():
			return
		case <-bell:
		}
		s.wait(100 * time.Millisecond)
		_, _ = fmt.Fprint(w, "data: changed\n\n")
	}
}

// phoneReply is a phone answering: a quick word's button, or what was typed.
func (s *Sandbox) phoneReply(w http.ResponseWriter, r *http.Request) {
	text := cmp.Or(r.PostFormValue("quick"), strings.TrimSpace(r.PostFormValue("text")))
	from, to := r.PostFormValue("from"), r.PostFormValue("to")
	if text == "" || !isE164(from) || !s.Reply(from, to, text) {
		http.Redirect(w, r, "/phones?refused=1", http.StatusSeeOther)
		return
	}
	http.Redirect(w, r, "/phones", http.StatusSeeOther)
}
