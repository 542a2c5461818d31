package modeltest

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

const leftoverPrefix = "modeltest-"

// processFolder creates a folder that later test processes delete
// after this one has ended: Go has no hook at the end of a package's
// tests.
func processFolder() (string, error) {
	removeLeftovers()
	return os.MkdirTemp("", leftoverPrefix+strconv.Itoa(os.Getpid())+"-")
}

// removeLeftovers removes the folders of test processes that have
// ended.
func removeLeftovers() {
	folders, _ := filepath.Glob(filepath.Join(os.TempDir(), leftoverPrefix+"*"))
	for _, folder := range folders {
		rest := strings.TrimPrefix(filepath.Base(folder), leftoverPrefix)
		pid, err := strconv.Atoi(strings.SplitN(rest, "-", 2)[0])
		if err == nil && !isRunning(pid) {
			_ = os.RemoveAll(folder)
		}
	}
}

func isRunning(pid int) bool {
	return syscall.Kill(pid, 0) != syscall.ESRCH
}
