package program

import (
	"context"
	"runtime/debug"
	"testing"
)

func TestMemoryLimitFollowsTheLiveHeap(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		live uint64
		want int64
	}{{1 << 20, heapTarget}, {heapTarget, 3 * heapTarget}} {
		if got := memoryLimit(c.live, heapTarget); got != c.want {
			t.Errorf("live %d: limit %d, want %d", c.live, got, c.want)
		}
	}
}

// It changes the test process's own limit, so it runs alone.
func TestTuneMemoryLeavesTheOperatorsSettings(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, environ := range [][]string{{"GOGC=100"}, {"GOMEMLIMIT=1GiB"}} {
		if err := tuneMemory(ctx, environ, heapTarget); err != nil || debug.SetMemoryLimit(-1) != before {
			t.Errorf("%v: the limit changed, %v", environ, err)
		}
	}
}
