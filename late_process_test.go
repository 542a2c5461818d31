package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"dialpad-texting/config"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/modeltest"
)

// dayshift is the program as real processes that end and begin all at once.
type dayshift struct {
	*world
	environ []string
	running []*process
}

// onShift runs a story with real processes: one on SQLite, a web door and two workers on Postgres.
func onShift(t *testing.T, story func(s *dayshift)) {
	t.Helper()
	modeltest.Each(t, nil, func(t *testing.T, dsn string) {
		w, environ := outside(t, dsn, nil)
		s := &dayshift{world: w, environ: environ}
		s.begin()
		w.fast(w.connected())
		story(s)
	})
}

func (s *dayshift) begin() {
	s.t.Helper()
	commands := []string{"serve"}
	if slices.ContainsFunc(s.environ, func(v string) bool { return strings.HasPrefix(v, "DATABASE_URL=postgres") }) {
		commands = append(commands, "worker", "worker")
	}
	for _, command := range commands {
		s.running = append(s.running, startProcess(s.t, s.environ, command))
	}
	s.until("the app answers", s.ready)
}

// die kills everything with -9.
func (s *dayshift) die() {
	s.t.Helper()
	for _, p := range s.running {
		s.must(p.cmd.Process.Kill())
	}
	for _, p := range s.running {
		p.end()
	}
	s.running = nil
}

// scheduled asks for a text in three hours and returns the batch's address.
func (s *dayshift) scheduled(p *page, message string, late map[string]any) string {
	s.t.Helper()
	body := map[string]any{"message": message, "schedule": map[string]any{"local": wall(time.Now().Add(3 * time.Hour)), "time_zone": "UTC"}}
	if late != nil {
		body["late"] = late
	}
	a := p.post("/embed/api/batches", body, "Idempotency-Key", message)
	if a.status != http.StatusAccepted || a.text("batch.state") != "scheduled" {
		s.t.Fatalf("schedule: %d %s", a.status, a.body)
	}
	return "/embed/api/batches/" + a.text("batch.id")
}

func wall(at time.Time) string { return at.UTC().Format("2006-01-02T15:04") }

// due moves scheduled batches to another time in the database, where nobody else is at it. A time within a minute has no
// wall time.
func (s *dayshift) due(at time.Time, batches ...string) {
	s.t.Helper()
	cfg, err := config.Load(s.environ)
	s.must(err)
	p, err := build(s.t.Context(), cfg, newLog("error", s.t.Output()))
	s.must(err)
	defer p.close()
	set := map[string]any{"send_at": at.UTC(), "local_time": wall(at)}
	if !at.Equal(at.Truncate(time.Minute)) {
		set["local_time"] = ""
	}
	for _, b := range batches {
		id := b[strings.LastIndex(b, "/")+1:]
		s.must(p.store.Batches.Update(s.t.Context(), "t_9", id, []string{ledger.BatchScheduled}, set))
	}
}

// gone waits until a batch is over, and checks that each of its texts went once.
func (s *dayshift) gone(p *page, batch string) {
	s.t.Helper()
	var b answer
	s.until("delivered", func() bool {
		b = p.get(batch)
		return b.text("batch.state") == "done" && b.at("batch.counts.sent") == 0.0
	})
	if b.at("batch.counts.delivered") != b.at("batch.counts.total") {
		s.t.Errorf("at the end: %s", b.body)
	}
}

// once checks how many texts Dialpad was asked for altogether: none of them twice.
func (s *dayshift) once(n int) {
	s.t.Helper()
	if s.dialpadSandbox.SMSPosts() != n || s.dialpadSandbox.Accepted() != n || len(s.dialpadSandbox.TextedTwice()) != 0 {
		s.t.Errorf("Dialpad was asked for %d texts and took %d, want %d; twice: %v", s.dialpadSandbox.SMSPosts(), s.dialpadSandbox.Accepted(), n, s.dialpadSandbox.TextedTwice())
	}
}

func TestATextWhoseTimePassesWhileEverythingIsDeadGoesOnce(t *testing.T) {
	onShift(t, func(s *dayshift) {
		one := s.popup("42", bob())
		bulk := s.popup("42", crm.Ctx{Mode: "bulk", Module: "contact", RecordIDs: []string{"1", "2", "3", "7"}})
		prepared := []string{s.scheduled(one, "One, prepared", nil), s.scheduled(bulk, "Many, prepared", nil)}
		waiting := []string{s.scheduled(one, "One, waiting", nil), s.scheduled(bulk, "Many, waiting", nil)}

		s.die()
		at := time.Now().Add(15 * time.Second).Truncate(time.Millisecond)
		s.due(at, prepared...)
		s.begin()
		texts := 0.0
		for i, p := range []*page{one, bulk} {
			s.until("prepared ahead", func() bool { return p.get(prepared[i]).text("batch.state") == "sending" })
			b := p.get(prepared[i])
			texts += 2 * b.at("batch.counts.queued").(float64)
		}
		s.die()
		if now := time.Now(); !now.Before(at) {
			s.t.Fatalf("preparing took until %s past the time", now.Sub(at))
		}
		s.once(0)
		s.due(at.Truncate(time.Minute), waiting...)
		<-time.After(time.Until(at.Add(time.Second))) // the time passes, and nobody is there

		s.begin()
		for i, p := range []*page{one, bulk, one, bulk} {
			s.gone(p, append(prepared, waiting...)[i])
		}
		s.once(int(texts))
		s.die() // and a death afterwards wakes none of them
		s.begin()
		next := s.popup("42", bob()).post("/embed/api/batches", map[string]any{"message": "Next"}, "Idempotency-Key", "next")
		s.gone(one, "/embed/api/batches/"+next.text("batch.id"))
		s.once(int(texts) + 1)
	})
}

func TestATextThatEverythingSleptThroughFollowsItsLateRule(t *testing.T) {
	onShift(t, func(s *dayshift) {
		p := s.popup("42", bob())
		held := s.scheduled(p, "Held by default", nil)
		soon := s.scheduled(p, "Held soon", map[string]any{"after_minutes": 5, "do": "hold"})
		dropped := s.scheduled(p, "Dropped", map[string]any{"after_minutes": 60, "do": "drop"})
		sent := s.scheduled(p, "Sent anyway", map[string]any{"after_minutes": 60, "do": "send"})
		inTime := s.scheduled(p, "Not late yet", nil)

		s.die()
		long, short := time.Now().Add(-2*time.Hour).Truncate(time.Minute), time.Now().Add(-10*time.Minute).Truncate(time.Minute)
		s.due(long, held, dropped, sent)
		s.due(short, soon, inTime)
		s.begin()
		for batch, want := range map[string]struct {
			state string
			at    time.Time
		}{held: {"held", long}, soon: {"held", short}, dropped: {"cancelled", long}} {
			s.until(want.state, func() bool { return p.get(batch).text("batch.state") == want.state })
			words := fmt.Sprintf("The time passed while texts could not be sent (%s, UTC)", wall(want.at))
			if b := p.get(batch); b.text("batch.reason") != words {
				s.t.Errorf("%s: %s", want.state, b.body)
			}
		}
		for _, batch := range []string{sent, inTime} {
			s.gone(p, batch)
		}
		s.once(2)
		if list := s.launch("acme", "42", "/texts", crm.UsePage, nil).get("/texts/api/batches?state=held"); len(list.at("batches").([]any)) != 2 ||
			!strings.Contains(list.body, "The time passed while texts could not be sent") {
			s.t.Errorf("the outbox: %s", list.body)
		}
		for _, batch := range []string{held, soon} {
			if a := p.post(batch+"/resume", nil); a.status != http.StatusOK {
				s.t.Errorf("resume: %d %s", a.status, a.body)
			}
			s.gone(p, batch)
		}
		s.once(4)
	})
}
