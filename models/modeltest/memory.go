package modeltest

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

// PeakMB returns the peak memory of a running process in MiB: VmHWM of
// proc(5). The figure of getrusage(2) would include that of the
// process that started it.
func PeakMB(t testing.TB, pid int) float64 {
	t.Helper()
	return statusMB(t, pid, "VmHWM:")
}

// statusMB returns a figure of /proc/PID/status in MiB.
func statusMB(t testing.TB, pid int, name string) float64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), name)
	kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
	if err != nil {
		t.Fatal(err)
	}
	return kb / 1024
}
