//go:build !linux

package modeltest

import "syscall"

// attributes returns no attributes: without Pdeathsig, the server of a
// killed test process keeps running. DATABASE_URL_TEST avoids that.
func attributes(*syscall.Credential) *syscall.SysProcAttr { return &syscall.SysProcAttr{} }

func unprivileged() (*syscall.Credential, error) { return nil, nil }
