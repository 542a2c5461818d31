package crm

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

const (
	secretPrefix   = "whsec_"
	minSecretBytes = 24 // Standard Webhooks: "between 24 and 64 bytes"
	hidden         = "[secret]"
)

// Secrets are the keys shared with the CRM, newest first. The first one
// signs, all verify: so they can be rotated. The zero value signs and
// verifies nothing.
type Secrets struct{ keys [][]byte }

// ParseSecrets parses a comma-separated list of whsec_<base64> secrets,
// newest first, each at least 24 bytes when decoded. The error names
// all invalid ones, by position, never by value.
func ParseSecrets(csv string) (Secrets, error) {
	var s Secrets
	var problems []error
	for i, text := range strings.Split(csv, ",") {
		key, err := parseSecret(strings.TrimSpace(text))
		if err != nil {
			problems = append(problems, fmt.Errorf("secret %d %w", i+1, err))
			continue
		}
		s.keys = append(s.keys, key)
	}
	if err := errors.Join(problems...); err != nil {
		return Secrets{}, err
	}
	return s, nil
}

func parseSecret(text string) ([]byte, error) {
	if text == "" {
		return nil, errors.New("is empty")
	}
	encoded, ok := strings.CutPrefix(text, secretPrefix)
	if !ok {
		return nil, errors.New("does not begin with " + secretPrefix)
	}
	key, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(encoded, "="))
	if err != nil {
		return nil, errors.New("is not base64 after " + secretPrefix)
	}
	if len(key) < minSecretBytes {
		return nil, fmt.Errorf("has %d bytes, needs at least %d", len(key), minSecretBytes)
	}
	return key, nil
}

// String hides the secrets.
func (s Secrets) String() string { return hidden }

// LogValue hides the secrets from structured logs.
func (s Secrets) LogValue() slog.Value { return slog.StringValue(hidden) }

// Format hides the secrets from all verbs: %#v and %x ignore String.
func (s Secrets) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// MarshalText hides the secrets from encoders.
func (s Secrets) MarshalText() ([]byte, error) { return []byte(hidden), nil }
