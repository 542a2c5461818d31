package models

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql/driver"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"
)

// Sealed is a secret as it lies in the database: `v1.<key id>.<base64>`. Only a Vault makes or opens one, and it
// prints as "[sealed]" everywhere. The tables check the prefix, so that a bare secret is refused by the database.
type Sealed struct{ cipher string }

// Empty tells whether nothing is sealed.
func (s Sealed) Empty() bool { return s.cipher == "" }

func (s Sealed) String() string               { return "[sealed]" }
func (s Sealed) GoString() string             { return "[sealed]" }
func (s Sealed) LogValue() slog.Value         { return slog.StringValue("[sealed]") }
func (s Sealed) MarshalText() ([]byte, error) { return []byte("[sealed]"), nil }

// Value implements driver.Valuer with the cipher text.
func (s Sealed) Value() (driver.Value, error) { return s.cipher, nil }

// Scan implements sql.Scanner.
func (s *Sealed) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		s.cipher = ""
	case string:
		s.cipher = v
	case []byte:
		s.cipher = string(v)
	default:
		return fmt.Errorf("scan a sealed value from %T", v)
	}
	return nil
}

// GormDataType keeps the column a text.
func (Sealed) GormDataType() string { return "string" }

// Vault seals secrets with AES-256-GCM: with the newest key, and opens with any. The place (table.column.row) is
// authenticated too, so that a cipher text copied to another row does not open there.
type Vault struct{ keys []vaultKey }

type vaultKey struct {
	id   string
	aead cipher.AEAD
}

// NewVault takes keys of 32 bytes, newest first.
func NewVault(keys [][]byte) (*Vault, error) {
	if len(keys) == 0 {
		return nil, errors.New("a vault needs at least one key")
	}
	v := &Vault{}
	for i, k := range keys {
		if len(k) != 32 {
			return nil, fmt.Errorf("vault key %d has %d bytes, needs 32", i+1, len(k))
		}
		block, err := aes.NewCipher(k)
		if err != nil {
			return nil, err
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(k)
		v.keys = append(v.keys, vaultKey{id: hex.EncodeToString(sum[:4]), aead: aead})
	}
	return v, nil
}

// Seal seals a secret for its place. An empty secret seals to an empty value.
func (v *Vault) Seal(place, secret string) Sealed {
	if secret == "" {
		return Sealed{}
	}
	k := v.keys[0]
	out := k.aead.Seal(nil, nil, []byte(secret), []byte(place))
	return Sealed{"v1." + k.id + "." + base64.RawURLEncoding.EncodeToString(out)}
}

// Open opens what was sealed for this place.
func (v *Vault) Open(place string, s Sealed) (string, error) {
	if s.Empty() {
		return "", nil
	}
	parts := strings.Split(s.cipher, ".")
	if len(parts) != 3 || parts[0] != "v1" {
		return "", errors.New("sealed value has an unknown form")
	}
	data, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return "", errors.New("sealed value is damaged")
	}
	for _, k := range v.keys {
		if k.id != parts[1] {
			continue
		}
		plain, err := k.aead.Open(nil, nil, data, []byte(place))
		if err != nil {
			return "", fmt.Errorf("sealed value of %s does not open: %w", place, err)
		}
		return string(plain), nil
	}
	return "", fmt.Errorf("sealed value of %s needs key %s, which is not in ENCRYPTION_KEYS", place, parts[1])
}

// Current tells whether the value is sealed with the newest key.
func (v *Vault) Current(s Sealed) bool {
	return s.Empty() || strings.HasPrefix(s.cipher, "v1."+v.keys[0].id+".")
}

// Hash is how a bearer secret of ours is stored: enough to find it, useless to whoever reads the table. The secret
// has 256 random bits, so it needs no salt.
func Hash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// NewSecret returns 256 random bits as base64url.
func NewSecret() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails: crypto/rand
	return base64.RawURLEncoding.EncodeToString(b)
}

// keyedHash is a number's name in the tables that outlive its erasure.
func keyedHash(key []byte, number string) string {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(number))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil)[:18])
}
