package crm

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	words "dialpad-texting/internal/text"
)

// Audience is the aud claim of a launch token.
const Audience = "dialpad-texting"

// Values of the use claim.
const (
	UsePopup = "popup" // the text popup
	UsePage  = "page"  // the app detail page and the outbox
)

const (
	launchLeeway      = 10 * time.Second  // for clock skew
	maxLaunchLifetime = 120 * time.Second // exp - iat
)

var (
	// ErrLaunch is returned for an invalid token: answer 401.
	ErrLaunch = errors.New("crm: launch token refused")
	// ErrCtx is returned for a valid token with an invalid ctx: answer
	// 400.
	ErrCtx = errors.New("crm: launch ctx invalid")
)

// Launch is a verified launch token: what the CRM posts when it opens
// the popup or a page.
type Launch struct {
	Tenant    Tenant
	User      User
	Ctx       *LaunchTarget // nil with UsePage
	Use       string        // UsePopup or UsePage
	JTI       string        // token id, valid once
	IssuedAt  time.Time
	ExpiresAt time.Time
	Issuer    string // origin of the framing CRM page: https://acme.salesmate.io
}

// LaunchVerifier verifies launch tokens: HS256 JWTs (RFC 7519) signed
// with one of Secrets for a tenant under BaseDomain ("salesmate.io",
// "localhost:8090"). The caller must see to it that a JTI is used once.
type LaunchVerifier struct {
	Secrets    Secrets
	BaseDomain string
	Now        func() time.Time
}

// Verify verifies a token made for use (UsePopup or UsePage). The error
// is an ErrLaunch or ErrCtx; its text is for logs.
func (v LaunchVerifier) Verify(token, use string) (Launch, error) {
	claims, err := v.parse(token)
	if err != nil {
		return Launch{}, fmt.Errorf("%w: %w", ErrLaunch, err)
	}
	launch, err := v.readClaims(claims, use)
	if err != nil {
		return Launch{}, fmt.Errorf("%w: %w", ErrLaunch, err)
	}
	if launch.Ctx, err = verifyCtx(claims.raw, use); err != nil {
		return Launch{}, fmt.Errorf("%w: %w", ErrCtx, err)
	}
	return launch, nil
}

func (v LaunchVerifier) parse(token string) (*launchClaims, error) {
	claims := &launchClaims{}
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithAudience(Audience),
		jwt.WithIssuedAt(),
		jwt.WithExpirationRequired(),
		jwt.WithLeeway(launchLeeway),
		jwt.WithTimeFunc(v.Now),
		jwt.WithStrictDecoding(),
	)
	_, err := parser.ParseWithClaims(token, claims, v.Secrets.launchKeys)
	return claims, err
}

// launchKeys returns every secret to the parser.
func (s Secrets) launchKeys(t *jwt.Token) (any, error) {
	if _, critical := t.Header["crit"]; critical {
		return nil, errors.New("critical header not understood") // RFC 7515, 4.1.11
	}
	var set jwt.VerificationKeySet
	for _, key := range s.keys {
		set.Keys = append(set.Keys, key)
	}
	return set, nil
}

func (v LaunchVerifier) readClaims(c *launchClaims, use string) (Launch, error) {
	o := readObject(c.raw, "")
	tenant, user := o.object("tenant"), o.object("user")
	launch := Launch{
		Tenant: readTenant(tenant), User: readUser(user), Use: o.requiredIdentifier("use", maxID),
		JTI: o.requiredIdentifier("jti", maxID), Issuer: o.requiredIdentifier("iss", maxID),
	}
	tenant.require("linkname", "name", "plan", "time_zone")
	user.require("name", "role", "time_zone", "locale")
	tenant.requiredID("id")
	user.requiredID("id")
	user.requiredIdentifier("email", maxEmail)
	if o.requiredID("sub") != launch.User.ID {
		o.fail("sub", "is not user.id")
	}
	if use != launch.Use {
		o.fail("use", "is not "+use)
	}
	if r := launch.User.Role; r != RoleAdmin && r != RoleUser {
		o.fail("user.role", "is neither admin nor user")
	}
	v.checkIssuer(o, launch)
	c.checkTimes(o, &launch)
	return launch, o.err()
}

// checkIssuer requires the tenant's own origin, as a browser writes it:
// it becomes frame-ancestors and is compared with message origins.
func (v LaunchVerifier) checkIssuer(o objectReader, l Launch) {
	host := "://" + l.Tenant.Linkname + "." + words.LowerASCII(v.BaseDomain)
	if l.Issuer == "https"+host || (l.Issuer == "http"+host && isLoopback(v.BaseDomain)) {
		return
	}
	o.fail("iss", "is not the tenant's origin")
}

func isLoopback(domain string) bool {
	host, _, err := net.SplitHostPort(domain)
	if err != nil {
		host = domain
	}
	host = words.LowerASCII(host)
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return ip != nil && ip.IsLoopback()
}
