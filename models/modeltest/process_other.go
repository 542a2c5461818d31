//go:build !linux

package modeltest

import "syscall"

// Without Pdeathsig a killed test process leaves its server behind; use
// DATABASE_URL_TEST where that matters.
func attributes(*syscall.Credential) *syscall.SysProcAttr { return &syscall.SysProcAttr{} }

func unprivileged() (*syscall.Credential, error) { return nil, nil }
