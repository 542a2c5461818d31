package delivery

import (
	"fmt"
	"testing"
	"time"
)

// quotaDialpad accepts perMinute texts in any 60 s and refuses the others.
type quotaDialpad struct {
	perMinute  int
	retryAfter func(untilFree time.Duration) time.Duration
	accepted   []time.Time
}

func (d *quotaDialpad) post(now time.Time) (refused bool, retryAfter time.Duration) {
	first := len(d.accepted) - d.perMinute
	if first >= 0 && now.Sub(d.accepted[first]) < time.Minute {
		return true, d.retryAfter(d.accepted[first].Add(time.Minute).Sub(now))
	}
	d.accepted = append(d.accepted, now)
	return false, 0
}

// runQuota lets a pacer text for a time, one text at a time, and returns how
// many requests were refused.
func runQuota(d *quotaDialpad, p *pacer, span time.Duration) (refused int) {
	for now := start; now.Before(start.Add(span)); {
		p.regain(now)
		n, base, wait := p.due(now, 1)
		if n == 0 {
			now = now.Add(wait + time.Millisecond)
			continue
		}
		p.take(base, n)
		claimed := now
		now = now.Add(50 * time.Millisecond)
		if no, after := d.post(now); no {
			refused++
			p.limited(now, claimed, after, "slow down")
			continue
		}
		p.refused = 0
	}
	return refused
}

// TestPaceComesDownToWhatIsAccepted has a company whose other tools leave less
// of its limit than the tenant's settings say.
func TestPaceComesDownToWhatIsAccepted(t *testing.T) {
	const span = 6 * time.Minute
	clip := func(d time.Duration) time.Duration {
		return min(max(d.Truncate(time.Second)+time.Second, time.Second), 5*time.Second)
	}
	rules := map[string]func(time.Duration) time.Duration{
		"exact":         func(d time.Duration) time.Duration { return d.Truncate(time.Second) + time.Second },
		"1 to 5 s":      clip,
		"always 1 s":    func(time.Duration) time.Duration { return time.Second },
		"always 5 s":    func(time.Duration) time.Duration { return 5 * time.Second },
		"none":          func(time.Duration) time.Duration { return 0 },
		"much too long": func(time.Duration) time.Duration { return 40 * time.Second },
	}
	for name, rule := range rules {
		for _, c := range []struct{ allowed, accepted int }{{100, 40}, {100, 90}, {100, 5}, {800, 100}, {800, 40}} {
			t.Run(fmt.Sprintf("%s, %d of %d", name, c.accepted, c.allowed), func(t *testing.T) {
				d := &quotaDialpad{perMinute: c.accepted, retryAfter: rule}
				refused := runQuota(d, &pacer{allowed: float64(c.allowed), slot: start}, span)
				used := float64(len(d.accepted)) / (span.Minutes() * float64(c.accepted))
				if refused > 30 || used < 0.7 {
					t.Errorf("%d requests were refused, %.0f %% of what is accepted was used", refused, 100*used)
				}
			})
		}
	}
}

// TestPaceComesBackSlowly has the other tools stop.
func TestPaceComesBackSlowly(t *testing.T) {
	d := &quotaDialpad{perMinute: 20, retryAfter: func(time.Duration) time.Duration { return time.Second }}
	p := &pacer{allowed: 100, slot: start}
	runQuota(d, p, 6*time.Minute)
	low, now := p.rate(), start.Add(6*time.Minute)
	if low > 25 {
		t.Fatalf("the rate is %.0f", low)
	}
	for i := range 30 {
		now = now.Add(time.Minute)
		before := p.rate()
		p.regain(now)
		if got := p.rate(); got > before*(1+recovery)+1 {
			t.Errorf("in minute %d from %.0f to %.0f", i, before, got)
		}
	}
	if p.rate() != 100 {
		t.Errorf("half an hour later the rate is %.0f", p.rate())
	}
}

// TestABurstOfRefusalsCountsOnce has forty texts on the wire when Dialpad
// refuses them all.
func TestABurstOfRefusalsCountsOnce(t *testing.T) {
	p := &pacer{allowed: 800, slot: start}
	for i := range 40 {
		p.limited(start.Add(time.Duration(i)*time.Millisecond), start, time.Second, "slow down")
	}
	if p.rate() != 800*slowDown || p.slot.Sub(start) > 1100*time.Millisecond {
		t.Errorf("the rate is %.0f, the next text goes after %v", p.rate(), p.slot.Sub(start))
	}
}

// TestRefusalsInARowWaitLonger has a Retry-After that is always too short.
func TestRefusalsInARowWaitLonger(t *testing.T) {
	p := &pacer{allowed: 100, slot: start}
	last := time.Duration(0)
	for range 8 {
		now := p.slot
		p.limited(now.Add(time.Millisecond), now, time.Second, "slow down")
		wait := p.slot.Sub(now)
		if wait < last {
			t.Errorf("waits %v after %v", wait, last)
		}
		last = wait
	}
	if last < time.Minute || p.rate() != 100*slowDown {
		t.Errorf("waits %v at last, at %.0f a minute", last, p.rate())
	}
}
