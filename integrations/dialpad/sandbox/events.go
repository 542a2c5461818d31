package sandbox

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Delivery is one attempt to post an event to a webhook.
type Delivery struct {
	At      time.Time
	Kind    string // sms, changelog
	What    string // message status, or action
	Attempt int
	Status  int // what the receiver answered; 0 = nothing
}

// chain is what Dialpad tells about one text or one change: events one after another, each to every receiver.
type chain struct {
	kind  subscriptionKind
	steps []step
}

type step struct {
	what    string
	hooks   []receiver
	payload func(withText bool, at time.Time) jwt.MapClaims
}

type receiver struct {
	hook     *webhook
	withText bool
}

func newHookClient() *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 64
	return &http.Client{Transport: t, Timeout: 5 * time.Second, // Dialpad's own
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// receivers are the webhooks that want this event. The caller holds the lock.
func (co *company) receivers(kind subscriptionKind, want func(*subscription) bool) []receiver {
	var out []receiver
	for _, sub := range co.subs[kind] {
		if sub.enabled && sub.hook != nil && want(sub) {
			out = append(out, receiver{sub.hook, sub.withText})
		}
	}
	return out
}

// outbound is the life of a text: pending, sent, and delivered or what SetDeliveryResult says. The caller holds the lock.
func (s *Sandbox) outbound(co *company, sender *User, id int64, from string, in smsRequest) chain {
	to := in.ToNumbers[0]
	peer := s.byNumber[to]
	internal := peer != nil && peer.CompanyID == co.id
	statuses := []string{"pending", "sent", "delivered"}
	result := s.outcomes[to]
	if result != "" {
		statuses = []string{"pending", "sent", "undelivered"}
	}
	created := s.now()
	base := smsFields(sender, from, to)
	base["id"], base["created_date"], base["direction"] = id, created.UnixMilli(), "outbound"
	base["from_number"], base["to_number"], base["is_internal"] = from, in.ToNumbers, internal
	if s.opts.IncludeSenderID {
		base["sender_id"] = json.Number(sender.ID)
	}
	c := chain{kind: smsEvents}
	for i, status := range statuses {
		hooks := co.receivers(smsEvents, func(sub *subscription) bool {
			return (i == 0 || sub.status) && sub.direction != "inbound" && (!internal || sub.includeInternal) &&
				(sub.targetID == "" || sub.targetID == sender.ID)
		})
		var final any
		if status == "undelivered" {
			final = result
		}
		c.steps = append(c.steps, step{what: status, hooks: hooks, payload: smsPayload(base, in.Text, status, final)})
	}
	return c
}

// smsFields are the documented fields that both directions share.
func smsFields(user *User, userNumber, contact string) map[string]any {
	return map[string]any{
		"target":  map[string]any{"id": json.Number(user.ID), "type": "user", "name": user.Name(), "phone_number": userNumber},
		"contact": map[string]any{"id": "c" + strings.TrimPrefix(contact, "+"), "name": contact, "phone_number": contact},
		"mms":     false, "is_internal": false,
	}
}

func smsPayload(base map[string]any, text, status string, result any) func(bool, time.Time) jwt.MapClaims {
	return func(withText bool, at time.Time) jwt.MapClaims {
		claims := jwt.MapClaims{"event_timestamp": at.UnixMilli(), "message_status": status, "message_delivery_result": result}
		for k, v := range base {
			claims[k] = v
		}
		if withText {
			claims["text"], claims["text_content"] = text, text
		}
		return claims
	}
}

// inbound is a phone's text to a user. The caller holds the lock.
func (s *Sandbox) inbound(co *company, user *User, id int64, from, to, text string) chain {
	base := smsFields(user, to, from)
	base["id"], base["created_date"], base["direction"] = id, s.now().UnixMilli(), "inbound"
	base["from_number"], base["to_number"] = from, []string{to}
	hooks := co.receivers(smsEvents, func(sub *subscription) bool {
		return sub.direction != "outbound" && (sub.targetID == "" || sub.targetID == user.ID)
	})
	return chain{kind: smsEvents, steps: []step{{what: "received", hooks: hooks, payload: smsPayload(base, text, "success", nil)}}}
}

// changed is a change-log event. Dialpad's codes for what happens to users are unknown, so these are invented.
func (s *Sandbox) changed(co *company, user *User, action, from, to string) chain {
	admin := user
	if i := slices.IndexFunc(co.users, func(u *User) bool { return u.IsSuperAdmin }); i >= 0 {
		admin = co.users[i]
	}
	payload := func(_ bool, at time.Time) jwt.MapClaims {
		return jwt.MapClaims{
			"date": at.UnixMilli(), "action": action, "note": "Changed from " + from + " to " + to,
			"additional_data": map[string]any{"from": from, "to": to},
			"target":          map[string]any{"type": "User", "id": json.Number(user.ID)},
			"changed_by":      map[string]any{"name": admin.Name(), "id": json.Number(admin.ID), "type": "User"},
		}
	}
	hooks := co.receivers(changeLog, func(*subscription) bool { return true })
	return chain{kind: changeLog, steps: []step{{what: action, hooks: hooks, payload: payload}}}
}

// startChain tells the receivers, here and now or on its own time.
func (s *Sandbox) startChain(c chain, now bool) {
	if s.faults.take("", only(EventsOff)) != nil {
		return
	}
	if s.faults.take("", only(EventsReordered)) != nil {
		slices.Reverse(c.steps)
	}
	times := 1
	if s.faults.take("", only(EventsDuplicated)) != nil {
		times = 2
	}
	delay := s.opts.EventDelay
	if f := s.faults.take("", only(EventsDelayed)); f != nil {
		delay += f.Delay
	}
	if now {
		s.runChain(c, 0, times)
		return
	}
	s.spawn(func() { s.runChain(c, delay, times) })
}

func only(kind FaultKind) func(FaultKind) bool { return func(k FaultKind) bool { return k == kind } }

func (s *Sandbox) runChain(c chain, delay time.Duration, times int) {
	for _, st := range c.steps {
		s.wait(delay)
		for _, to := range st.hooks {
			body, err := sign(to.hook.secret, st.payload(to.withText, s.now()))
			if err != nil {
				s.log.Error("event could not be signed", "error", err)
				continue
			}
			for range times {
				if s.deliver(c.kind, st.what, to.hook.url, body, 1) == again {
					s.spawn(func() { s.redeliver(c.kind, st.what, to.hook.url, body) })
				}
			}
		}
	}
}

// sign makes the body: a compact JWT, or plain JSON for a webhook without a secret.
func sign(secret string, claims jwt.MapClaims) (string, error) {
	if secret == "" {
		body, err := json.Marshal(claims)
		return string(body), err
	}
	return jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(secret))
}

type outcome int

const (
	done  outcome = iota // 2xx, or a 4xx, which is never repeated
	again                // 5xx
)

// waits between deliveries after a 5xx (developers.dialpad.com/docs/webhook-delivery-failures).
var waits = map[subscriptionKind][]time.Duration{
	smsEvents: {30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 16 * time.Minute,
		32 * time.Minute, time.Hour, time.Hour, time.Hour},
	changeLog: {100 * time.Millisecond, 200 * time.Millisecond, 400 * time.Millisecond, 800 * time.Millisecond},
}

func (s *Sandbox) redeliver(kind subscriptionKind, what, url, body string) {
	for i, d := range waits[kind] {
		s.wait(time.Duration(float64(d) * s.opts.RetryScale))
		if s.ctx.Err() != nil || s.deliver(kind, what, url, body, i+2) == done {
			return
		}
	}
}

// deliver posts once; without an answer up to twice more at once, as Dialpad does.
func (s *Sandbox) deliver(kind subscriptionKind, what, url, body string, attempt int) outcome {
	for range 3 {
		if s.ctx.Err() != nil {
			return done
		}
		status := s.post(url, body)
		s.deliveries.add(Delivery{At: s.now(), Kind: string(kind), What: what, Attempt: attempt, Status: status})
		switch {
		case status >= 500:
			return again
		case status > 0:
			return done
		}
	}
	return done
}

// post gives the receiver's status, or 0.
func (s *Sandbox) post(url, body string) int {
	s.senders <- struct{}{}
	defer func() { <-s.senders }()
	req, err := http.NewRequestWithContext(s.ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return 0
	}
	req.Header.Set("Content-Type", "application/jwt")
	resp, err := s.hookClient.Do(req)
	if err != nil {
		return 0
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

// Deliveries is the last 200 attempts, oldest first.
func (s *Sandbox) Deliveries() []Delivery { return s.deliveries.all() }

// Drain waits until no event is under way.
func (s *Sandbox) Drain(ctx context.Context) error {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for s.pending.Load() > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}
