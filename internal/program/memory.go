package program

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strings"
	"time"
)

// lean is the memory of Go's that a process which works keeps to as long as it
// can. An embedded database has some of its own in the same process, which Go's
// runtime doesn't count.
const (
	lean         = 48 << 20
	leanEmbedded = 28 << 20
)

// keepLean lets a small heap grow threefold before it is collected, since its
// garbage is plenty, but the process not above lean; one that holds more gets
// the room it needs. Who sets GOGC or GOMEMLIMIT decides by that.
func keepLean(ctx context.Context, environ []string, lean int64) error {
	if slices.ContainsFunc(environ, func(v string) bool { return strings.HasPrefix(v, "GOGC=") || strings.HasPrefix(v, "GOMEMLIMIT=") }) {
		return nil
	}
	debug.SetGCPercent(200)
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		metrics.Read(live)
		debug.SetMemoryLimit(max(lean, 3*int64(live[0].Value.Uint64()))) //nolint:gosec // a heap is smaller than that
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}
