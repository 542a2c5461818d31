package delivery

import (
	"sync/atomic"

	"dialpad-texting/models/ledger"
)

// Counts is what an engine has done since it started, in texts.
type Counts struct{ Claimed, Posted, Sent, Failed, Requeued, Held, Uncertain int64 }

type counters struct{ claimed, posted, sent, failed, requeued, held, uncertain atomic.Int64 }

// Counts returns what the engine has done so far.
func (e *Engine) Counts() Counts {
	c := &e.count
	return Counts{Claimed: c.claimed.Load(), Posted: c.posted.Load(), Sent: c.sent.Load(), Failed: c.failed.Load(),
		Requeued: c.requeued.Load(), Held: c.held.Load(), Uncertain: c.uncertain.Load()}
}

func (c *counters) add(o ledger.Outcome) {
	switch o.State {
	case ledger.Sent:
		c.sent.Add(1)
	case ledger.Failed:
		c.failed.Add(1)
	case ledger.Waiting:
		c.requeued.Add(1)
	case ledger.Held:
		c.held.Add(1)
	case ledger.Uncertain:
		c.uncertain.Add(1)
	}
}
