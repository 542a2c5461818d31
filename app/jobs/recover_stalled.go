package jobs

import (
	"context"
	"errors"
	"sync"
)

const (
	// maxStalled is how many stalled batches or events one round looks at.
	maxStalled = 500
	// maxRecovering is how many are resumed at once.
	maxRecovering = 64
)

// recoverStalled resumes batches and events whose job died. They are processed
// here since as jobs they would wait: the job that died still counts as
// running, and keeps a second one out of the queue. Each goes on in the
// background, so that a CRM that hangs delays neither the others nor the next
// round.
func (s sweeper) recoverStalled(ctx context.Context) error {
	return errors.Join(s.processStalledEvents(ctx), s.prepareStalledBatches(ctx))
}

// recovery holds what is being resumed. The zero value is ready to use. Safe for
// concurrent use.
type recovery struct {
	running sync.WaitGroup

	mu    sync.Mutex
	names map[string]bool
}

// start resumes something in the background, unless that is under way already
// or too much is. What is left out is found again by a later round.
func (v *recovery) start(name string, resume func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.names[name] || len(v.names) >= maxRecovering {
		return
	}
	if v.names == nil {
		v.names = map[string]bool{}
	}
	v.names[name] = true
	v.running.Go(func() {
		defer func() {
			v.mu.Lock()
			defer v.mu.Unlock()
			delete(v.names, name)
		}()
		resume()
	})
}
