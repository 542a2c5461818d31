package crm

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// launchClaims are the claims the JWT library checks (aud, iat, exp) and the
// raw claim set, which LaunchVerifier reads. nbf is not in the contract, so it
// is ignored like every claim that is not.
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

// checkTimes demands iat, which the JWT library checks only where it is there,
// and bounds the lifetime.
func (c *launchClaims) checkTimes(o object, l *Launch) {
	if c.issuedAt == nil {
		o.bad("iat", "is required")
		return
	}
	l.IssuedAt, l.ExpiresAt = c.issuedAt.UTC(), c.expiresAt.UTC()
	if life := l.ExpiresAt.Sub(l.IssuedAt); life <= 0 || life > launchLifetime {
		o.bad("exp", "is not within 120 s after iat")
	}
}

// SignLaunch makes the token a CRM posts for this launch, signed with the
// newest secret. Nothing is checked or filled in but sub, which is the user's id.
func (s Secrets) SignLaunch(l Launch) (string, error) {
	claims := map[string]any{
		"iss": l.Issuer, "aud": Audience, "sub": l.User.ID, "jti": l.JTI, "use": l.Use,
		"iat": l.IssuedAt.Unix(), "exp": l.ExpiresAt.Unix(), "tenant": l.Tenant, "user": l.User,
	}
	if l.Ctx != nil {
		claims["ctx"] = l.Ctx
	}
	return s.SignClaims(claims)
}

// SignClaims signs any claim set as a launch token is signed, with the newest secret.
func (s Secrets) SignClaims(claims map[string]any) (string, error) {
	if len(s.keys) == 0 {
		return "", errors.New("crm: no secret to sign with")
	}
	return jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims(claims)).SignedString(s.keys[0])
}

// LaunchFor fills in a token that lives for a minute from now.
func LaunchFor(t Tenant, u User, use string, ctx *Ctx, origin, jti string, now time.Time) Launch {
	return Launch{
		Tenant: t, User: u, Ctx: ctx, Use: use, JTI: jti, Issuer: origin,
		IssuedAt: now, ExpiresAt: now.Add(time.Minute),
	}
}
