package sandbox

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// grant is the result of one consent. It outlives its tokens.
type grant struct {
	userID, companyID string
	scopes            []string
	revoked           bool
}

type authCode struct {
	grant           *grant
	redirectURI     string
	challenge       string // "": no PKCE
	challengeMethod string
	expiry          time.Time
}

type accessToken struct {
	grant  *grant
	expiry time.Time // zero: never expires
}

type refreshToken struct {
	grant  *grant
	usedAt time.Time // zero: not yet
}

const authCodeTTL = 10 * time.Minute

// OAuthServer issues, refreshes and revokes tokens (RFC 6749, RFC 7636).
type OAuthServer struct {
	*state
}

// IssueToken returns an access token of the user that never expires,
// for tests that need no consent.
func (s *OAuthServer) IssueToken(userID string, scopes ...string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.users[userID]
	if u == nil {
		panic("sandbox: no user " + userID)
	}
	token := rand.Text()
	s.accessTokens[token] = &accessToken{grant: &grant{userID: u.ID, companyID: u.CompanyID, scopes: scopes}}
	return token
}

// oauthError answers in the shape of RFC 6749, 5.2.
func oauthError(status int, code, description string) response {
	body, _ := json.Marshal(map[string]string{"error": code, "error_description": description}) // strings never fail
	return response{status: status, body: body}
}

// redeemToken serves POST /oauth2/token. It takes JSON (documented) or
// a form (usual), the client in the body or in Basic authentication.
func (s *OAuthServer) redeemToken(c *apiRequest) response {
	in, ok := tokenRequest(c)
	if !ok {
		return oauthError(http.StatusBadRequest, "invalid_request", "The body is neither a form nor JSON")
	}
	if !equal(in.Get("client_id"), s.opts.ClientID) || !equal(in.Get("client_secret"), s.opts.ClientSecret) {
		return oauthError(http.StatusUnauthorized, "invalid_client", "Unknown client or wrong secret")
	}
	switch in.Get("grant_type") {
	case "authorization_code":
		return s.redeemCode(c, in)
	case "refresh_token":
		return s.redeemRefresh(c, in)
	}
	return oauthError(http.StatusBadRequest, "unsupported_grant_type", "grant_type must be authorization_code or refresh_token")
}

func tokenRequest(c *apiRequest) (url.Values, bool) {
	var in url.Values
	if strings.HasPrefix(c.http.Header.Get("Content-Type"), "application/json") {
		var fields map[string]string
		if json.Unmarshal(c.body, &fields) != nil {
			return nil, false
		}
		in = url.Values{}
		for k, v := range fields {
			in.Set(k, v)
		}
	} else {
		var err error
		if in, err = url.ParseQuery(string(c.body)); err != nil {
			return nil, false
		}
	}
	if id, secret, ok := c.http.BasicAuth(); ok {
		in.Set("client_id", id)
		in.Set("client_secret", secret)
	}
	return in, true
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func (s *OAuthServer) redeemCode(c *apiRequest, in url.Values) response {
	code := s.authCodes[in.Get("code")]
	delete(s.authCodes, in.Get("code")) // used up, whatever follows
	switch {
	case code == nil || c.now.After(code.expiry):
		return oauthError(http.StatusBadRequest, "invalid_grant", "The code is not valid")
	case in.Has("redirect_uri") && in.Get("redirect_uri") != code.redirectURI:
		return oauthError(http.StatusBadRequest, "invalid_grant", "redirect_uri is not the one of the consent")
	case !code.verify(in.Get("code_verifier")):
		return oauthError(http.StatusBadRequest, "invalid_grant", "code_verifier does not match")
	}
	return s.issue(c, code.grant)
}

func (code *authCode) verify(verifier string) bool {
	switch {
	case code.challenge == "":
		return true
	case code.challengeMethod == "S256":
		sum := sha256.Sum256([]byte(verifier))
		return equal(base64.RawURLEncoding.EncodeToString(sum[:]), code.challenge)
	}
	return equal(verifier, code.challenge)
}

// redeemRefresh rotates: the old token is used up, except for
// Options.RefreshGrace.
func (s *OAuthServer) redeemRefresh(c *apiRequest, in url.Values) response {
	old := s.refreshTokens[in.Get("refresh_token")]
	if old == nil || old.grant.revoked || (!old.usedAt.IsZero() && !c.now.Before(old.usedAt.Add(s.opts.RefreshGrace))) {
		return oauthError(http.StatusBadRequest, "invalid_grant", "The refresh token is not valid")
	}
	if u := s.users[old.grant.userID]; u == nil || u.State != "active" {
		return oauthError(http.StatusBadRequest, "invalid_grant", "The user is not active")
	}
	if old.usedAt.IsZero() {
		old.usedAt = c.now
	}
	return s.issue(c, old.grant)
}

// issue issues tokens for a grant: a pair with offline_access, else an
// access token that never expires.
func (s *OAuthServer) issue(c *apiRequest, g *grant) response {
	access := rand.Text()
	token := &accessToken{grant: g}
	s.accessTokens[access] = token
	j := map[string]any{"access_token": access, "token_type": "bearer", "expires_in": nil, "refresh_token": nil}
	if slices.Contains(g.scopes, "offline_access") {
		refresh := rand.Text()
		s.refreshTokens[refresh] = &refreshToken{grant: g}
		token.expiry = c.now.Add(s.opts.TokenTTL)
		j["refresh_token"], j["expires_in"] = refresh, int64(s.opts.TokenTTL.Seconds())
	}
	if s.expiresIn != "" {
		j["expires_in"] = json.RawMessage(s.expiresIn)
	}
	return jsonResponse(j)
}

// RevokeReach is what POST /oauth2/deauthorize revokes. Dialpad does not
// document it.
type RevokeReach string

// The reaches. ReachToken, the default, is the grant of the token.
const (
	ReachToken   RevokeReach = ""
	ReachUser    RevokeReach = "user"    // all grants of the person
	ReachCompany RevokeReach = "company" // all grants in the company
)

// SetRevokeReach changes what deauthorize revokes.
func (s *OAuthServer) SetRevokeReach(reach RevokeReach) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.revokeReach = reach
}

// SetExpiresIn makes token answers carry this JSON as expires_in; ""
// ends that. Tokens live as long as before.
func (s *OAuthServer) SetExpiresIn(raw string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expiresIn = raw
}

// deauthorize serves POST /oauth2/deauthorize.
func (s *OAuthServer) deauthorize(c *apiRequest) response {
	own := c.token.grant
	s.revoke(func(g *grant) bool {
		return g == own || s.revokeReach == ReachUser && g.userID == own.userID ||
			s.revokeReach == ReachCompany && g.companyID == own.companyID
	})
	return response{status: http.StatusNoContent}
}

// revoke revokes the grants that match. The caller holds mu.
func (s *OAuthServer) revoke(match func(*grant) bool) {
	for _, t := range s.accessTokens {
		t.grant.revoked = t.grant.revoked || match(t.grant)
	}
	for _, t := range s.refreshTokens {
		t.grant.revoked = t.grant.revoked || match(t.grant)
	}
}

// RevokeTokens revokes every grant of the company: its access tokens
// answer 401, its refresh tokens invalid_grant. It returns false for an
// unknown company.
func (s *OAuthServer) RevokeTokens(companyID string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.companies[companyID] == nil {
		return false
	}
	s.revoke(func(g *grant) bool { return g.companyID == companyID })
	return true
}
