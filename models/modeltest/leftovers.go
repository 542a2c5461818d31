package modeltest

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

const leftoverPrefix = "modeltest-"

// processFolder makes a folder that later test processes remove when this one
// is gone: Go gives a package no hook at the end of its tests.
func processFolder() (string, error) {
	sweepLeftovers()
	return os.MkdirTemp("", leftoverPrefix+strconv.Itoa(os.Getpid())+"-")
}

// sweepLeftovers removes the folders of test processes that are gone, and with
// each its server.
func sweepLeftovers() {
	folders, _ := filepath.Glob(filepath.Join(os.TempDir(), leftoverPrefix+"*"))
	for _, folder := range folders {
		rest := strings.TrimPrefix(filepath.Base(folder), leftoverPrefix)
		pid, err := strconv.Atoi(strings.SplitN(rest, "-", 2)[0])
		if err == nil && !alive(pid) {
			_ = os.RemoveAll(folder)
		}
	}
}

func alive(pid int) bool {
	return syscall.Kill(pid, 0) != syscall.ESRCH
}
