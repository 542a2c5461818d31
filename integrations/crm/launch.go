package crm

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	launchLeeway   = 10 * time.Second  // clocks differ
	launchLifetime = 120 * time.Second // exp - iat, at most
	maxClicked     = 64                // bytes of a number as it was clicked
)

var (
	// ErrLaunch is a token that proves nothing: answer 401.
	ErrLaunch = errors.New("crm: launch token refused")
	// ErrCtx is a genuine token whose ctx makes no sense: answer 400.
	ErrCtx = errors.New("crm: launch ctx invalid")
)

// Launch is a verified launch token. Issuer is the origin of the CRM page that
// may frame us, for example https://acme.salesmate.io. Ctx is nil on pages.
type Launch struct {
	Tenant    Tenant
	User      User
	Ctx       *Ctx
	Use       string
	JTI       string
	IssuedAt  time.Time
	ExpiresAt time.Time
	Issuer    string
}

// LaunchVerifier checks launch tokens: HS256 JWTs (RFC 7519) signed with one
// of Secrets for a tenant under BaseDomain ("salesmate.io", "localhost:8090").
// That a jti is used only once is for the caller's database.
type LaunchVerifier struct {
	Secrets    Secrets
	BaseDomain string
	Now        func() time.Time
}

// Verify reads a token made for use (UsePopup or UsePage). A refusal is an
// ErrLaunch or an ErrCtx that says why, for the operator.
func (v LaunchVerifier) Verify(token, use string) (Launch, error) {
	claims, err := v.parse(token)
	if err != nil {
		return Launch{}, fmt.Errorf("%w: %w", ErrLaunch, err)
	}
	launch, err := v.read(claims, use)
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

// launchKeys offers every secret to the parser.
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

func (v LaunchVerifier) read(c *launchClaims, use string) (Launch, error) {
	o := readObject(c.raw, "")
	tenant, user := o.object("tenant"), o.object("user")
	launch := Launch{
		Tenant: readTenant(tenant), User: readUser(user), Use: o.need("use"), JTI: o.need("jti"), Issuer: o.need("iss"),
	}
	for _, key := range []string{"linkname", "name", "plan", "time_zone"} {
		tenant.need(key)
	}
	for _, key := range []string{"email", "name", "role", "time_zone", "locale"} {
		user.need(key)
	}
	tenant.needID("id")
	user.needID("id")
	if o.needID("sub") != launch.User.ID {
		o.bad("sub", "is not user.id")
	}
	if use != launch.Use {
		o.bad("use", "is not "+use)
	}
	if r := launch.User.Role; r != RoleAdmin && r != RoleUser {
		o.bad("user.role", "is neither admin nor user")
	}
	v.checkIssuer(o, launch)
	c.checkTimes(o, &launch)
	return launch, o.err()
}

// checkIssuer wants exactly the tenant's own origin, as a browser writes it:
// it becomes frame-ancestors and the origin messages are compared with.
func (v LaunchVerifier) checkIssuer(o object, l Launch) {
	host := "://" + l.Tenant.Linkname + "." + strings.ToLower(v.BaseDomain)
	if l.Issuer == "https"+host || (l.Issuer == "http"+host && isLoopback(v.BaseDomain)) {
		return
	}
	o.bad("iss", "is not the tenant's origin")
}

func isLoopback(domain string) bool {
	host, _, err := net.SplitHostPort(domain)
	if err != nil {
		host = domain
	}
	host = strings.ToLower(host)
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return ip != nil && ip.IsLoopback()
}

func verifyCtx(claims json.RawMessage, use string) (*Ctx, error) {
	o := readObject(claims, "")
	if use != UsePopup {
		if o.has("ctx") {
			o.bad("ctx", "does not belong on a page")
		}
		return nil, o.err()
	}
	in := o.object("ctx")
	if err := o.err(); err != nil {
		return nil, err
	}
	c := readCtx(in)
	if in.err() == nil {
		checkCtx(in, &c)
	}
	return &c, in.err()
}

func checkCtx(o object, c *Ctx) {
	if c.Module != ModuleContact && c.Module != ModuleDeal {
		o.bad("module", "is neither contact nor deal")
	}
	for _, id := range c.RecordIDs {
		if id == "" {
			o.bad("record_ids", "holds an empty id")
		}
	}
	switch c.Mode {
	case ModeOne:
		checkOne(o, c)
	case ModeBulk:
		checkBulk(o, c)
	default:
		o.bad("mode", "is neither one nor bulk")
	}
}

func checkOne(o object, c *Ctx) {
	if len(c.RecordIDs) != 1 || c.Selection != "" {
		o.bad("record_ids", "must hold exactly one id in mode one")
	}
	if strings.TrimSpace(c.ToNumber) == "" {
		o.bad("to_number", "is required in mode one")
	}
	if len(c.ToNumber) > maxClicked {
		o.bad("to_number", "is too long")
	}
	c.Count = 1
}

func checkBulk(o object, c *Ctx) {
	switch n := len(c.RecordIDs); {
	case c.Selection != "" && n > 0:
		o.bad("selection", "and record_ids exclude each other")
	case c.Selection != "" && c.Count < 1:
		o.bad("count", "is required with a selection")
	case c.Selection == "" && (n < 1 || n > MaxRecordIDs):
		o.bad("record_ids", fmt.Sprintf("must hold 1 to %d ids", MaxRecordIDs))
	case c.Selection == "":
		c.Count = n
	}
	c.ToNumber = ""
}
