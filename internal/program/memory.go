package program

import (
	"context"
	"dialpad-texting/internal/ctxtime"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strings"
	"time"
)

// heapTarget is how much memory Go may take in a process that works. An
// embedded database has memory of its own beside it, which Go's runtime does
// not count.
const (
	heapTarget         = 48 << 20
	heapTargetEmbedded = 28 << 20
)

const tuneInterval = time.Second

// tuneMemory lets the heap grow to three times its live size between
// collections, since most of it is garbage, and limits Go's memory to target.
// A fixed GOMEMLIMIT would not do: a process whose live heap needs more than
// target would only collect garbage, so the limit follows the live heap. It
// leaves everything as it is where GOGC or GOMEMLIMIT is set.
func tuneMemory(ctx context.Context, environ []string, target int64) error {
	if slices.ContainsFunc(environ, func(v string) bool {
		return strings.HasPrefix(v, "GOGC=") || strings.HasPrefix(v, "GOMEMLIMIT=")
	}) {
		return nil
	}
	debug.SetGCPercent(200)
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	ctxtime.Every(ctx, tuneInterval, func(context.Context) {
		metrics.Read(live)
		debug.SetMemoryLimit(memoryLimit(live[0].Value.Uint64(), target))
	})
	return nil
}

func memoryLimit(live uint64, target int64) int64 {
	return max(target, 3*int64(live)) //nolint:gosec // a heap is smaller than that
}
