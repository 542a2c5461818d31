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

// grant is what one consent gave; its tokens come and go.
type grant struct {
	userID, companyID string
	scopes            []string
	revoked           bool
}

type authCode struct {
	grant           *grant
	redirectURI     string
	challenge       string // "" = the app did without PKCE
	challengeMethod string
	expiry          time.Time
}

type accessToken struct {
	grant  *grant
	expiry time.Time // zero = static
}

type refreshToken struct {
	grant    *grant
	tradedAt time.Time // zero = not yet
}

const codeTTL = 10 * time.Minute

// IssueToken gives a static access token of the user, as if consented. For tests that don't care about OAuth.
func (s *Sandbox) IssueToken(userID string, scopes ...string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.users[userID]
	if u == nil {
		panic("sandbox: no user " + userID)
	}
	token := rand.Text()
	s.access[token] = &accessToken{grant: &grant{userID: u.ID, companyID: u.CompanyID, scopes: scopes}}
	return token
}

// oauthError is RFC 6749's shape.
func oauthError(status int, code, description string) answer {
	body, _ := json.Marshal(map[string]string{"error": code, "error_description": description}) // can't fail
	return answer{status: status, body: body}
}

// redeemToken is POST /oauth2/token: JSON as documented or a form as most send, client in the body or by Basic.
func (s *Sandbox) redeemToken(c *call) answer {
	in, ok := tokenRequest(c)
	if !ok {
		return oauthError(http.StatusBadRequest, "invalid_request", "The body is neither a form nor JSON")
	}
	if !same(in.Get("client_id"), s.opts.ClientID) || !same(in.Get("client_secret"), s.opts.ClientSecret) {
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

func tokenRequest(c *call) (url.Values, bool) {
	var in url.Values
	if strings.HasPrefix(c.r.Header.Get("Content-Type"), "application/json") {
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
	if id, secret, ok := c.r.BasicAuth(); ok {
		in.Set("client_id", id)
		in.Set("client_secret", secret)
	}
	return in, true
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func (s *Sandbox) redeemCode(c *call, in url.Values) answer {
	code := s.codes[in.Get("code")]
	delete(s.codes, in.Get("code")) // once, also when what follows fails
	switch {
	case code == nil || c.now.After(code.expiry):
		return oauthError(http.StatusBadRequest, "invalid_grant", "The code is not valid")
	case in.Has("redirect_uri") && in.Get("redirect_uri") != code.redirectURI:
		return oauthError(http.StatusBadRequest, "invalid_grant", "redirect_uri is not the one of the consent")
	case !code.verified(in.Get("code_verifier")):
		return oauthError(http.StatusBadRequest, "invalid_grant", "code_verifier does not match")
	}
	return s.hand(c, code.grant)
}

func (code *authCode) verified(verifier string) bool {
	switch {
	case code.challenge == "":
		return true
	case code.challengeMethod == "S256":
		sum := sha256.Sum256([]byte(verifier))
		return same(base64.RawURLEncoding.EncodeToString(sum[:]), code.challenge)
	}
	return same(verifier, code.challenge)
}

// redeemRefresh rotates: the token that was traded in is gone, but for the grace period.
func (s *Sandbox) redeemRefresh(c *call, in url.Values) answer {
	old := s.refresh[in.Get("refresh_token")]
	if old == nil || old.grant.revoked || (!old.tradedAt.IsZero() && !c.now.Before(old.tradedAt.Add(s.opts.RefreshGrace))) {
		return oauthError(http.StatusBadRequest, "invalid_grant", "The refresh token is not valid")
	}
	if u := s.users[old.grant.userID]; u == nil || u.State != "active" {
		return oauthError(http.StatusBadRequest, "invalid_grant", "The user is not active")
	}
	if old.tradedAt.IsZero() {
		old.tradedAt = c.now
	}
	return s.hand(c, old.grant)
}

// hand makes tokens for a grant: a pair with offline_access, else a static access token and nulls.
func (s *Sandbox) hand(c *call, g *grant) answer {
	access := rand.Text()
	token := &accessToken{grant: g}
	s.access[access] = token
	j := map[string]any{"access_token": access, "token_type": "bearer", "expires_in": nil, "refresh_token": nil}
	if slices.Contains(g.scopes, "offline_access") {
		refresh := rand.Text()
		s.refresh[refresh] = &refreshToken{grant: g}
		token.expiry = c.now.Add(s.opts.TokenTTL)
		j["refresh_token"], j["expires_in"] = refresh, int64(s.opts.TokenTTL.Seconds())
	}
	return ok(j)
}

func (s *Sandbox) deauthorize(c *call) answer {
	c.token.grant.revoked = true
	return answer{status: http.StatusNoContent}
}

// consent is what the authorize page was asked for.
type consent struct {
	ClientID, RedirectURI, State, Scope, Challenge, Method string
}

func readConsent(v url.Values) consent {
	return consent{
		ClientID: v.Get("client_id"), RedirectURI: v.Get("redirect_uri"), State: v.Get("state"), Scope: v.Get("scope"),
		Challenge: v.Get("code_challenge"), Method: v.Get("code_challenge_method"),
	}
}

// problem is why the page must not redirect anywhere, or "".
func (s *Sandbox) problem(in consent) string {
	switch {
	case !same(in.ClientID, s.opts.ClientID):
		return "No app is registered under this client_id."
	case !slices.Contains(s.opts.RedirectURIs, in.RedirectURI):
		return "The redirect_uri is not one that the app has registered."
	}
	return ""
}

// refusedConsent is what goes back to the app as error, or "".
func (s *Sandbox) refusedConsent(in consent, responseType string) string {
	switch {
	case responseType != "" && responseType != "code":
		return "unsupported_response_type"
	case in.Method != "" && in.Method != "S256" && in.Method != "plain":
		return "invalid_request"
	}
	for _, scope := range strings.Fields(in.Scope) {
		if !slices.Contains(s.opts.AppScopes, scope) {
			return "invalid_scope"
		}
	}
	return ""
}

// Consent is the person pressing Allow on the consent page: it gives the address that the browser goes to next.
func (s *Sandbox) Consent(authorizeURL, userID string) (string, error) {
	u, err := url.Parse(authorizeURL)
	if err != nil {
		return "", err
	}
	in := readConsent(u.Query())
	if problem := s.problem(in); problem != "" {
		return "", &url.Error{Op: "consent", URL: "authorize", Err: errorString(problem)}
	}
	if refused := s.refusedConsent(in, u.Query().Get("response_type")); refused != "" {
		return back(in, "error", refused), nil
	}
	return s.allow(in, userID), nil
}

type errorString string

func (e errorString) Error() string { return string(e) }

func (s *Sandbox) allow(in consent, userID string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.users[userID]
	if u == nil || u.State != "active" {
		return back(in, "error", "access_denied")
	}
	code := rand.Text()
	s.codes[code] = &authCode{
		grant:       &grant{userID: u.ID, companyID: u.CompanyID, scopes: strings.Fields(in.Scope)},
		redirectURI: in.RedirectURI, challenge: in.Challenge, challengeMethod: in.Method, expiry: s.now().Add(codeTTL),
	}
	return back(in, "code", code)
}

// back adds to the redirect URI, whose own query stays.
func back(in consent, key, value string) string {
	u, err := url.Parse(in.RedirectURI)
	if err != nil {
		return in.RedirectURI
	}
	q := u.Query()
	q.Set(key, value)
	if in.State != "" {
		q.Set("state", in.State)
	}
	u.RawQuery = q.Encode()
	return u.String()
}
