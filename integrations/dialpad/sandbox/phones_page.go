package sandbox

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	maxPhonesShown = 60
	maxTextsShown  = 12 // of each phone
	notifyInterval = 100 * time.Millisecond
)

// phonesPages shows outside phones with their texts and lets them
// answer.
type phonesPages struct {
	*pageRenderer
	state      *state
	network    *PhoneNetwork
	background *background
}

func (p *phonesPages) register(mux *http.ServeMux, form func(http.HandlerFunc) http.Handler) {
	mux.HandleFunc("GET /phones", p.show)
	mux.HandleFunc("GET /phones/threads", p.showThreads)
	mux.HandleFunc("GET /phones/events", p.streamChanges)
	mux.Handle("POST /phones/reply", form(p.reply))
}

// phone is one outside number and its newest texts, newest first.
type phone struct {
	Number   string
	Texts    []phoneText
	Lines    []string // Dialpad numbers it talked to, last first
	OptedOut []string // names of companies
}

type phoneText struct {
	Text
	Peer string // name of the Dialpad user
}

// phones groups the newest texts by outside number, the number with the
// newest text first.
func (p *phonesPages) phones() []phone {
	texts := p.network.feed.texts.all()
	slices.Reverse(texts)
	var out []phone
	index := map[string]int{}
	p.state.mu.RLock()
	defer p.state.mu.RUnlock()
	for _, t := range texts {
		number, line := t.To, t.From
		if t.Inbound {
			number, line = t.From, t.To
		}
		i, seen := index[number]
		if !seen {
			if len(out) == maxPhonesShown {
				continue
			}
			i, index[number] = len(out), len(out)
			out = append(out, phone{Number: number, OptedOut: p.companiesOptedOutOf(number)})
		}
		if !slices.Contains(out[i].Lines, line) {
			out[i].Lines = append(out[i].Lines, line)
		}
		if len(out[i].Texts) < maxTextsShown {
			out[i].Texts = append(out[i].Texts, phoneText{Text: t, Peer: p.userName(line)})
		}
	}
	return out
}

func (p *phonesPages) userName(number string) string {
	if u := p.state.userByNumber[number]; u != nil {
		return u.Name()
	}
	return ""
}

func (p *phonesPages) companiesOptedOutOf(number string) []string {
	var out []string
	for _, c := range p.state.companiesByID() {
		if c.isOptedOut(number) {
			out = append(out, c.name)
		}
	}
	return out
}

type phonesView struct {
	Phones  []phone
	Lines   []line // for a text from a phone that is not listed
	Problem string
}

// line is a Dialpad number and its user's name.
type line struct{ Number, Name string }

func (p *phonesPages) show(w http.ResponseWriter, r *http.Request) {
	view := phonesView{Phones: p.phones()}
	if r.URL.Query().Has("refused") {
		view.Problem = "That text went nowhere: both numbers must be like +14155550142, and the second must be a Dialpad user's."
	}
	p.state.mu.RLock()
	for _, c := range p.state.companiesByID() {
		for _, u := range c.users[:min(len(c.users), maxUsersShown)] {
			for _, n := range u.Numbers {
				view.Lines = append(view.Lines, line{n, u.Name()})
			}
		}
	}
	p.state.mu.RUnlock()
	p.render(w, http.StatusOK, "phones.html", "", layout{Title: "Phones", Here: "/phones", Page: view})
}

// showThreads renders the list only, for the page's script.
func (p *phonesPages) showThreads(w http.ResponseWriter, _ *http.Request) {
	p.render(w, http.StatusOK, "threads", "", layout{Page: phonesView{Phones: p.phones()}})
}

// streamChanges is a stream of server-sent events: "changed" after new
// texts, at most every notifyInterval.
func (p *phonesPages) streamChanges(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	out := http.NewResponseController(w)
	changed, stop := p.network.feed.watch()
	defer stop()
	_, _ = fmt.Fprint(w, "retry: 1000\ndata: ready\n\n")
	for out.Flush() == nil {
		select {
		case <-r.Context().Done():
			return
		case <-p.background.ctx.Done():
			return
		case <-changed:
		}
		p.background.sleep(notifyInterval)
		_, _ = fmt.Fprint(w, "data: changed\n\n")
	}
}

// reply sends what a phone answers: a button's keyword or typed text.
func (p *phonesPages) reply(w http.ResponseWriter, r *http.Request) {
	text := cmp.Or(r.PostFormValue("quick"), strings.TrimSpace(r.PostFormValue("text")))
	from, to := r.PostFormValue("from"), r.PostFormValue("to")
	if text == "" || !isE164(from) || !p.network.Reply(from, to, text) {
		http.Redirect(w, r, "/phones?refused=1", http.StatusSeeOther)
		return
	}
	http.Redirect(w, r, "/phones", http.StatusSeeOther)
}
