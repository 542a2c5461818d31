package modeltest

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// ResidentMB returns the memory that a running process takes now, in
// MiB: VmRSS of proc(5).
func ResidentMB(t testing.TB, pid int) float64 {
	t.Helper()
	return statusMB(t, pid, "VmRSS:")
}

// ticksPerSecond is Linux's USER_HZ, on every architecture.
const ticksPerSecond = 100

// CPUTime returns the CPU time of a running process, of all its threads:
// utime and stime of proc(5).
func CPUTime(t testing.TB, pid int) time.Duration {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(stat), ") ") // the name may hold blanks
	fields, ticks := strings.Fields(rest), int64(0)
	for _, i := range []int{11, 12} {
		n, err := strconv.ParseInt(fields[i], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / ticksPerSecond
}
