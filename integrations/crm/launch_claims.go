package crm

import (
	"encoding/json"
	"errors"

	"github.com/golang-jwt/jwt/v5"
)

// launchClaims are the claims that the JWT library checks (aud, iat,
// exp), and the raw claims, which LaunchVerifier reads. nbf is not in
// the contract and ignored, like every other claim.
type launchClaims struct {
	raw       json.RawMessage
	audience  jwt.ClaimStrings
	issuedAt  *jwt.NumericDate
	expiresAt *jwt.NumericDate
}

func (c *launchClaims) UnmarshalJSON(b []byte) error {
	c.raw = append(c.raw[:0], b...)
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(b, &fields); err != nil {
		return err
	}
	for name, into := range map[string]any{"aud": &c.audience, "iat": &c.issuedAt, "exp": &c.expiresAt} {
		raw, ok := fields[name]
		if !ok {
			continue
		}
		if err := json.Unmarshal(raw, into); err != nil {
			return errors.New(name + " cannot be read")
		}
	}
	return nil
}

func (c *launchClaims) GetAudience() (jwt.ClaimStrings, error)       { return c.audience, nil }
func (c *launchClaims) GetIssuedAt() (*jwt.NumericDate, error)       { return c.issuedAt, nil }
func (c *launchClaims) GetExpirationTime() (*jwt.NumericDate, error) { return c.expiresAt, nil }
func (c *launchClaims) GetNotBefore() (*jwt.NumericDate, error)      { return nil, nil }
func (c *launchClaims) GetIssuer() (string, error)                   { return "", nil }
func (c *launchClaims) GetSubject() (string, error)                  { return "", nil }

// checkTimes requires iat, which the JWT library treats as optional,
// and limits the lifetime.
func (c *launchClaims) checkTimes(o objectReader, l *Launch) {
	if c.issuedAt == nil {
		o.fail("iat", "is required")
		return
	}
	l.IssuedAt, l.ExpiresAt = c.issuedAt.UTC(), c.expiresAt.UTC()
	if life := l.ExpiresAt.Sub(l.IssuedAt); life <= 0 || life > maxLaunchLifetime {
		o.fail("exp", "is not within 120 s after iat")
	}
}
