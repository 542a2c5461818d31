package demo

import (
	"crypto/rand"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
)

// keys are the secrets of a demo.
type keys struct{ session, encryption, crm, client string }

// loadKeys reads the keys kept in dir, or makes them and keeps them there.
func loadKeys(dir string) (keys, error) {
	path := filepath.Join(dir, "demo.keys")
	if b, err := os.ReadFile(path); err == nil {
		if part := strings.Fields(string(b)); len(part) == 4 {
			return keys{part[0], part[1], part[2], part[3]}, nil
		}
	}
	key := func() string {
		b := make([]byte, 32)
		_, _ = rand.Read(b) // never fails: crypto/rand
		return base64.StdEncoding.EncodeToString(b)
	}
	k := keys{key(), key(), "whsec_" + key(), rand.Text()}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return k, err
	}
	return k, os.WriteFile(path, []byte(strings.Join([]string{k.session, k.encryption, k.crm, k.client}, "\n")+"\n"), 0o600)
}
