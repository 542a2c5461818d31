package crm

import (
	"errors"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// SignLaunch returns the launch token, signed with the newest secret.
// It checks nothing, and fills in only sub, the user's id.
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

// SignClaims signs any claims like a launch token.
func (s Secrets) SignClaims(claims map[string]any) (string, error) {
	if len(s.keys) == 0 {
		return "", errors.New("crm: no secret to sign with")
	}
	return jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims(claims)).SignedString(s.keys[0])
}

// LaunchFor returns a Launch that is valid for a minute from now.
func LaunchFor(t Tenant, u User, use string, ctx *LaunchTarget, origin, jti string, now time.Time) Launch {
	return Launch{
		Tenant: t, User: u, Ctx: ctx, Use: use, JTI: jti, Issuer: origin,
		IssuedAt: now, ExpiresAt: now.Add(time.Minute),
	}
}
