package sandbox

import (
	"crypto/rand"
	"errors"
	"net/url"
	"slices"
	"strings"
)

// consentRequest holds the parameters of the authorize page
// (RFC 6749, 4.1.1, and RFC 7636, 4.3).
type consentRequest struct {
	ClientID, RedirectURI, ResponseType, State, Scope, Challenge, ChallengeMethod string
}

func parseConsentRequest(v url.Values) consentRequest {
	return consentRequest{
		ClientID: v.Get("client_id"), RedirectURI: v.Get("redirect_uri"), ResponseType: v.Get("response_type"),
		State: v.Get("state"), Scope: v.Get("scope"),
		Challenge: v.Get("code_challenge"), ChallengeMethod: v.Get("code_challenge_method"),
	}
}

// checkClient returns why the page must not redirect anywhere, or "".
func (s *OAuthServer) checkClient(in consentRequest) string {
	switch {
	case !equal(in.ClientID, s.opts.ClientID):
		return "No app is registered under this client_id."
	case !slices.Contains(s.opts.RedirectURIs, in.RedirectURI):
		return "The redirect_uri is not one that the app has registered."
	}
	return ""
}

// checkRequest returns the error code for the app, or "".
func (s *OAuthServer) checkRequest(in consentRequest) string {
	switch {
	case in.ResponseType != "" && in.ResponseType != "code":
		return "unsupported_response_type"
	case in.ChallengeMethod != "" && in.ChallengeMethod != "S256" && in.ChallengeMethod != "plain":
		return "invalid_request"
	}
	for scope := range strings.FieldsSeq(in.Scope) {
		if !slices.Contains(s.opts.AppScopes, scope) {
			return "invalid_scope"
		}
	}
	return ""
}

// Consent presses Allow on the consent page as this user. It returns
// the URL that the browser goes to next.
func (s *OAuthServer) Consent(authorizeURL, userID string) (string, error) {
	u, err := url.Parse(authorizeURL)
	if err != nil {
		return "", err
	}
	in := parseConsentRequest(u.Query())
	if problem := s.checkClient(in); problem != "" {
		return "", &url.Error{Op: "consent", URL: "authorize", Err: errors.New(problem)}
	}
	if code := s.checkRequest(in); code != "" {
		return in.redirect("error", code), nil
	}
	return s.allow(in, userID), nil
}

// allow issues a code and returns the URL with it.
func (s *OAuthServer) allow(in consentRequest, userID string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.users[userID]
	if u == nil || u.State != "active" {
		return in.redirect("error", "access_denied")
	}
	code := rand.Text()
	s.authCodes[code] = &authCode{
		grant:       &grant{userID: u.ID, companyID: u.CompanyID, scopes: strings.Fields(in.Scope)},
		redirectURI: in.RedirectURI, challenge: in.Challenge, challengeMethod: in.ChallengeMethod,
		expiry: s.now().Add(authCodeTTL),
	}
	return in.redirect("code", code)
}

// redirect adds a parameter to the redirect URI and keeps its query.
func (in consentRequest) redirect(key, value string) string {
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
