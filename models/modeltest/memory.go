package modeltest

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

// PeakMB is the most memory that a running process has held, in MiB (proc(5), VmHWM). Not rusage's figure, which a process
// inherits from whoever starts it.
func PeakMB(t testing.TB, pid int) float64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
	if err != nil {
		t.Fatal(err)
	}
	return kb / 1024
}
