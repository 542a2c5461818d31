package delivery

import (
	"testing"
	"time"

	"dialpad-texting/models/ledger"
)

var start = time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC)

// simulate runs a pacer for a time and returns when
// texts went. The worker's timer fires late after each slot.
func simulate(p *pacer, from time.Time, d time.Duration, late func(i int) time.Duration) []time.Time {
	var out []time.Time
	for now := from; now.Before(from.Add(d)); {
		n, base, wait := p.due(now, 64)
		if n == 0 {
			now = now.Add(wait + late(len(out)))
			continue
		}
		p.take(base, n)
		for range n {
			out = append(out, now)
		}
	}
	return out
}

// maxPerMinute returns the largest number of texts in any 60 s.
func maxPerMinute(at []time.Time) int {
	best, first := 0, 0
	for i, t := range at {
		for t.Sub(at[first]) >= time.Minute {
			first++
		}
		best = max(best, i-first+1)
	}
	return best
}

func TestPacerUsesTheRateAndNeverExceedsIt(t *testing.T) {
	for _, rate := range []int{1, 7, 60, 100, 333, 800} {
		for name, late := range map[string]func(int) time.Duration{
			"on time":      func(int) time.Duration { return time.Millisecond },
			"jittery":      func(i int) time.Duration { return time.Duration(i*7919%150) * time.Millisecond },
			"mostly tardy": func(i int) time.Duration { return time.Duration(i%2) * maxLate },
		} {
			p := &pacer{allowed: float64(rate), slot: start}
			at := simulate(p, start, 10*time.Minute, late)
			if got := maxPerMinute(at); got > rate {
				t.Errorf("%d a minute, %s: %d in some minute", rate, name, got)
			}
			if used := float64(len(at)) / float64(10*rate); used < 0.99 {
				t.Errorf("%d a minute, %s: %.1f %% used", rate, name, 100*used)
			}
		}
	}
}

func TestPacerDoesNotBurstAfterAPause(t *testing.T) {
	p := &pacer{}
	slot := start
	p.load(ledger.Lane{SlotAt: &slot}, 100)
	away := start.Add(time.Hour)
	at := simulate(p, away, time.Minute, func(int) time.Duration { return time.Millisecond })
	if got := maxPerMinute(at); got > 100 || at[0] != away {
		t.Errorf("after an hour away: %d in a minute, the first after %v", got, at[0].Sub(away))
	}
	if early := at[3].Sub(at[0]); early < 1500*time.Millisecond {
		t.Errorf("four texts within %v of the return", early)
	}
}

func TestPacerSlowsDownAfterA429AndRecovers(t *testing.T) {
	p := &pacer{allowed: 100, slot: start}
	p.limited(start, start, 0, "slow down")
	if p.slot.Before(start.Add(minDelay)) || p.rate() >= 100 {
		t.Errorf("next at %v, rate %.0f", p.slot.Sub(start), p.rate())
	}
	first := p.rate()
	p.limited(start.Add(time.Second), start, 30*time.Second, "slow down")
	if p.rate() != first || p.slot.Before(start.Add(31*time.Second)) {
		t.Errorf("answers to one moment counted twice (%.0f, then %.0f), or the asked time was not kept", first, p.rate())
	}
	now := start.Add(time.Second)
	for range 12 {
		now = now.Add(time.Minute)
		p.regain(now)
	}
	if p.rate() != 100 {
		t.Errorf("twelve good minutes later: %.0f", p.rate())
	}
}

func TestPacerLeavesTheReserve(t *testing.T) {
	p := &pacer{}
	p.load(ledger.Lane{}, 80)
	if p.rate() != 80 {
		t.Errorf("rate %.0f", p.rate())
	}
	at := simulate(p, start, 5*time.Minute, func(int) time.Duration { return time.Millisecond })
	if got := maxPerMinute(at); got > 80 {
		t.Errorf("%d in a minute", got)
	}
}

func TestPacerRefundsUnusedSlots(t *testing.T) {
	p := &pacer{allowed: 60, slot: start}
	n, base, _ := p.due(start, 1)
	p.take(base, n)
	p.refund(1)
	if n, _, wait := p.due(start, 1); n != 1 {
		t.Errorf("the slot is lost for %v", wait)
	}
}
