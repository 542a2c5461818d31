package delivery

import "time"

// OpenRequests is what an engine's requests without an answer come to.
type OpenRequests struct {
	Count  int
	Hung   int // without an answer for so long that they gave their permit back
	Oldest time.Duration
}

// OpenRequests returns the requests that have no answer yet.
func (e *Engine) OpenRequests() OpenRequests {
	var out OpenRequests
	var first time.Time
	e.mu.Lock()
	lanes := make([]*lane, 0, len(e.lanes))
	for _, l := range e.lanes {
		lanes = append(lanes, l)
	}
	e.mu.Unlock()
	for _, l := range lanes {
		n, since := l.openRequests.oldest()
		if out.Count += n; n > 0 && (first.IsZero() || since.Before(first)) {
			first = since
		}
	}
	if out.Count > 0 {
		out.Oldest = e.cfg.Now().Sub(first)
	}
	out.Hung = e.posters.hungCount()
	return out
}
