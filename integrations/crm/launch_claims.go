package crm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

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
	if raw, ok := fields["aud"]; ok && json.Unmarshal(raw, &c.audience) != nil {
		return errors.New("aud cannot be read")
	}
	var err error
	if c.issuedAt, err = numericDate(fields["iat"]); err != nil {
		return fmt.Errorf("iat %w", err)
	}
	if c.expiresAt, err = numericDate(fields["exp"]); err != nil {
		return fmt.Errorf("exp %w", err)
	}
	return nil
}

// lastSecond is the end of the year 9999: a later one does not survive
// the library's arithmetic.
const lastSecond = 253402300799

// numericDate reads a JSON number of seconds (RFC 7519, 2). The library
// alone would also take it as a string. Absent and null are nil.
func numericDate(raw json.RawMessage) (*jwt.NumericDate, error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	seconds, err := strconv.ParseFloat(string(raw), 64) // a quoted one fails
	if err != nil || seconds < 0 || seconds > lastSecond {
		return nil, errors.New("must be a number of seconds")
	}
	whole, fraction := math.Modf(seconds)
	return jwt.NewNumericDate(time.Unix(int64(whole), int64(fraction*float64(time.Second)))), nil
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
