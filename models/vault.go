package models

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql/driver"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
)

// Sealed is an encrypted secret as it is stored: `v1.<key id>.<base64>`.
// A Vault seals and opens it; it prints as "[sealed]". The columns check
// the prefix, so that the database refuses a plain secret.
type Sealed struct{ cipher string }

// Empty reports whether there is no secret.
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

// GormDataType implements gorm's schema.GormDataTypeInterface.
func (Sealed) GormDataType() string { return "string" }

// Vault seals secrets with AES-256-GCM and its newest key, and opens them
// with any of its keys. The place ("table.column.row") is authenticated,
// so that a value copied to another row does not open there.
type Vault struct{ keys []vaultKey }

type vaultKey struct {
	id   string
	aead cipher.AEAD
	mac  []byte
}

// NewVault returns a vault with keys of 32 bytes, newest first.
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
		mac, err := hkdf.Key(sha256.New, k, nil, "content hash", sha256.Size)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(k)
		v.keys = append(v.keys, vaultKey{id: hex.EncodeToString(sum[:4]), aead: aead, mac: mac})
	}
	return v, nil
}

// Seal encrypts a secret for a place. "" gives an empty value.
func (v *Vault) Seal(place, secret string) Sealed {
	if secret == "" {
		return Sealed{}
	}
	k := v.keys[0]
	out := k.aead.Seal(nil, nil, []byte(secret), []byte(place)) //nolint:gosec // the AEAD prepends a random nonce of its own
	return Sealed{"v1." + k.id + "." + base64.RawURLEncoding.EncodeToString(out)}
}

// Open decrypts what was sealed for the same place.
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

// HashContent returns a hash of a content, keyed with the newest key: the content
// can't be guessed from it.
func (v *Vault) HashContent(content string) string { return keyedHash(v.keys[0].mac, content) }

// IsHashOf reports whether a hash is HashContent's, with any of the keys.
func (v *Vault) IsHashOf(hash, content string) bool {
	return slices.ContainsFunc(v.keys, func(k vaultKey) bool { return hmac.Equal([]byte(hash), []byte(keyedHash(k.mac, content))) })
}

// Hash returns the SHA-256 of a secret from NewSecret, in hex. Its 256
// random bits need no salt.
func Hash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

const secretBytes = 32

// NewSecret returns 256 random bits as base64url.
func NewSecret() string {
	b := make([]byte, secretBytes)
	_, _ = rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// DeriveSecret returns the secret that belongs to another one, the same
// each time. It says nothing about the other one.
func DeriveSecret(secret, purpose string) string {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(purpose))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// IsSecret reports whether s may be from NewSecret. What is not need not be
// looked up.
func IsSecret(s string) bool {
	if len(s) != base64.RawURLEncoding.EncodedLen(secretBytes) {
		return false
	}
	_, err := base64.RawURLEncoding.DecodeString(s)
	return err == nil
}

// keyedHash returns the first 18 bytes of a content's HMAC-SHA-256, in
// base64url: what is kept of a number after its erasure.
func keyedHash(key []byte, content string) string {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(content))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil)[:18])
}
