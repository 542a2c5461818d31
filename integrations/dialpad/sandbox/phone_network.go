package sandbox

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

const maxFeed = 500 // texts kept for the phones page

// PhoneNetwork stands for the phones outside Dialpad.
type PhoneNetwork struct {
	state  *state
	events *EventSender
	feed   textFeed
}

func newPhoneNetwork(st *state, events *EventSender) *PhoneNetwork {
	return &PhoneNetwork{state: st, events: events, feed: textFeed{texts: ring[Text]{size: maxFeed}}}
}

// Keywords that carriers and Dialpad act on.
var (
	stopWords  = []string{"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"}
	startWords = []string{"START", "UNSTOP", "YES"}
)

// Reply sends a text from a phone to a Dialpad number. STOP and START
// change the opt-out, as at Dialpad. It returns false for an unknown
// number.
func (p *PhoneNetwork) Reply(from, to, text string) bool {
	p.state.mu.Lock()
	u := p.state.userByNumber[to]
	if u == nil {
		p.state.mu.Unlock()
		return false
	}
	c := p.state.companies[u.CompanyID]
	now := p.state.now()
	word := strings.ToUpper(strings.TrimSpace(text))
	switch {
	case slices.Contains(stopWords, word):
		c.setOptOut(from, true, now)
	case slices.Contains(startWords, word):
		c.setOptOut(from, false, now)
	}
	received := Text{ID: p.state.newID(), CompanyID: c.id, UserID: u.ID, From: from, To: to, Text: text, Inbound: true, At: now}
	series := smsReceivedEvents(c, u, received)
	p.state.mu.Unlock()
	p.feed.add(received)
	p.events.send(series, false)
	return true
}

// OptedOut reports whether the number opted out of the company's texts.
func (p *PhoneNetwork) OptedOut(companyID, number string) bool {
	p.state.mu.RLock()
	defer p.state.mu.RUnlock()
	c := p.state.companies[companyID]
	return c != nil && c.isOptedOut(number)
}

// SetDeliveryResult makes texts to the number end as undelivered with
// this result (invalid_destination, rejected_spam, …). "" makes them
// delivered again.
func (p *PhoneNetwork) SetDeliveryResult(number, result string) {
	p.state.mu.Lock()
	defer p.state.mu.Unlock()
	if result == "" {
		delete(p.state.deliveryResults, number)
		return
	}
	p.state.deliveryResults[number] = result
}

// FailAtOnce makes POST /sms to the number answer 200 with
// message_status failed and this result, which may be "".
func (p *PhoneNetwork) FailAtOnce(number, result string) {
	p.state.mu.Lock()
	defer p.state.mu.Unlock()
	p.state.instantFailures[number] = result
}

// textFeed holds the newest texts in both directions and notifies those
// who watch the phones page.
type textFeed struct {
	texts    ring[Text]
	mu       sync.Mutex
	watchers map[chan struct{}]bool
	watched  atomic.Bool
}

func (f *textFeed) add(t Text) {
	f.texts.add(t)
	if !f.watched.Load() {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for changed := range f.watchers {
		select {
		case changed <- struct{}{}:
		default: // already notified
		}
	}
}

// watch returns a channel that receives after new texts.
func (f *textFeed) watch() (changed chan struct{}, stop func()) {
	changed = make(chan struct{}, 1)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.watchers == nil {
		f.watchers = map[chan struct{}]bool{}
	}
	f.watchers[changed] = true
	f.watched.Store(true)
	return changed, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.watchers, changed)
		f.watched.Store(len(f.watchers) > 0)
	}
}
