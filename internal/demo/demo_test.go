package demo

import (
	"os"
	"path/filepath"
	"testing"

	"dialpad-texting/config"
	"dialpad-texting/internal/program"
)

func TestKeysAreKept(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new")
	made, err := loadKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	if kept, err := loadKeys(dir); err != nil || kept != made {
		t.Errorf("%v, %v; want the same again", kept, err)
	}
	info, err := os.Stat(filepath.Join(dir, "demo.keys"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file: %v, %v", info, err)
	}
}

func TestEnvironConfiguresTheApp(t *testing.T) {
	t.Parallel()
	d, err := New(t.Context(), Options{Dir: t.TempDir()}, program.NewLog("error", t.Output()))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Program.Close()
	defer d.DialpadSandbox.Close()
	cfg, err := config.Load(d.Environ())
	if err != nil || cfg.PublicURL != d.AppURL || cfg.DialpadURL != d.DialpadURL {
		t.Errorf("%+v, %v", cfg, err)
	}
}
