package sandbox

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	webhookTimeout  = 5 * time.Second // as at Dialpad
	webhookAttempts = 3               // without an answer, immediately one after another
	maxPosts        = 64              // at the same time
	maxDeliveries   = 200             // kept
)

// retryDelays are the waits after a 5xx
// (developers.dialpad.com/docs/webhook-delivery-failures).
var retryDelays = map[subscriptionKind][]time.Duration{
	smsEvents: {30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 16 * time.Minute,
		32 * time.Minute, time.Hour, time.Hour, time.Hour},
	changeLog: {100 * time.Millisecond, 200 * time.Millisecond, 400 * time.Millisecond, 800 * time.Millisecond},
}

// Delivery is one attempt to post an event to a webhook.
type Delivery struct {
	At      time.Time
	Kind    string // sms, changelog
	What    string // message status, or action
	Attempt int
	Status  int // the receiver's answer; 0: none
}

// EventSender posts signed events to webhooks.
type EventSender struct {
	state      *state
	faults     *FaultInjector
	background *background
	client     *http.Client
	semaphore  chan struct{}
	deliveries ring[Delivery]
}

func newEventSender(st *state, faults *FaultInjector, bg *background) *EventSender {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = maxPosts
	return &EventSender{
		state: st, faults: faults, background: bg,
		client: &http.Client{Transport: t, Timeout: webhookTimeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		semaphore: make(chan struct{}, maxPosts), deliveries: ring[Delivery]{size: maxDeliveries},
	}
}

// Deliveries returns the last 200 attempts, oldest first.
func (e *EventSender) Deliveries() []Delivery { return e.deliveries.all() }

// send delivers the events in the background, or before it returns if
// now is set. It applies the events_… faults.
func (e *EventSender) send(series eventSeries, now bool) {
	if e.faults.take("", only(EventsOff)) != nil {
		return
	}
	if e.faults.take("", only(EventsReordered)) != nil {
		slices.Reverse(series.events)
	}
	copies := 1
	if e.faults.take("", only(EventsDuplicated)) != nil {
		copies = 2
	}
	delay := e.state.opts.EventDelay
	if f := e.faults.take("", only(EventsDelayed)); f != nil {
		delay += f.Delay
	}
	if now {
		e.deliverSeries(series, 0, copies)
		return
	}
	e.background.start(func() { e.deliverSeries(series, delay, copies) })
}

func (e *EventSender) deliverSeries(series eventSeries, delay time.Duration, copies int) {
	for _, ev := range series.events {
		e.background.sleep(delay)
		for _, to := range ev.receivers {
			body, err := signEvent(to.webhook.secret, ev.payload(to.withText, e.state.now()))
			if err != nil {
				e.state.opts.Log.Error("sign event failed", "error", err)
				continue
			}
			for range copies {
				if e.deliver(series.kind, ev.name, to.webhook.url, body, 1) == deliveryFailed {
					e.background.start(func() { e.retry(series.kind, ev.name, to.webhook.url, body) })
				}
			}
		}
	}
}

// signEvent returns the body: a compact JWT, or plain JSON for a
// webhook without a secret.
func signEvent(secret string, claims jwt.MapClaims) (string, error) {
	if secret == "" {
		body, err := json.Marshal(claims)
		return string(body), err
	}
	return jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(secret))
}

type deliveryResult int

const (
	deliveryDone   deliveryResult = iota // 2xx, or a 4xx, which is never retried
	deliveryFailed                       // 5xx: retry later
)

func (e *EventSender) retry(kind subscriptionKind, name, url, body string) {
	for i, d := range retryDelays[kind] {
		e.background.sleep(time.Duration(float64(d) * e.state.opts.RetryScale))
		if e.background.stopped() || e.deliver(kind, name, url, body, i+2) == deliveryDone {
			return
		}
	}
}

// deliver posts once; without an answer up to twice more, as Dialpad
// does.
func (e *EventSender) deliver(kind subscriptionKind, name, url, body string, attempt int) deliveryResult {
	for range webhookAttempts {
		if e.background.stopped() {
			return deliveryDone
		}
		status := e.post(url, body)
		e.deliveries.add(Delivery{At: e.state.now(), Kind: string(kind), What: name, Attempt: attempt, Status: status})
		switch {
		case status >= 500:
			return deliveryFailed
		case status > 0:
			return deliveryDone
		}
	}
	return deliveryDone
}

// post returns the receiver's status, or 0 without an answer.
func (e *EventSender) post(url, body string) int {
	e.semaphore <- struct{}{}
	defer func() { <-e.semaphore }()
	req, err := http.NewRequestWithContext(e.background.ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return 0
	}
	req.Header.Set("Content-Type", "application/jwt")
	resp, err := e.client.Do(req)
	if err != nil {
		return 0
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}
