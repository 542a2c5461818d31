package dialpad

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

// Token is the token endpoint's answer.
type Token struct {
	Access  string
	Refresh string    // "" without the scope offline_access
	Expiry  time.Time // zero: valid until a 401
}

// AuthCodeURL returns the URL of the consent page. verifier is the
// PKCE verifier (oauth2.GenerateVerifier; RFC 7636), sent as S256.
func (c *Client) AuthCodeURL(state, verifier string) string {
	return c.oauth.AuthCodeURL(state, oauth2.S256ChallengeOption(verifier))
}

// Exchange exchanges an authorization code for tokens.
//
// Errors: InvalidGrant (code used or expired, or another verifier),
// Unauthorized (client id or secret), Lost, NotSent, …
//
// API: POST /oauth2/token
func (c *Client) Exchange(ctx context.Context, code, verifier string) (Token, error) {
	ctx, cancel := c.oauthContext(ctx)
	defer cancel()
	began := c.api.now()
	t, err := c.oauth.Exchange(ctx, code, oauth2.VerifierOption(verifier))
	return c.token(t, err, began)
}

// Refresh exchanges a refresh token for a new pair, in one POST that
// is never repeated. Dialpad rotates: the old refresh token is spent
// once the request is accepted. Store the new pair before using it.
// An answer without a refresh token keeps the old one.
//
// Errors: ErrInvalidGrant; Lost: the token may have been spent.
//
// API: POST /oauth2/token
func (c *Client) Refresh(ctx context.Context, refreshToken string) (Token, error) {
	if refreshToken == "" {
		return Token{}, &Error{Kind: InvalidGrant, Err: errors.New("there is no refresh token")}
	}
	ctx, cancel := c.oauthContext(ctx)
	defer cancel()
	began := c.api.now()
	t, err := c.oauth.TokenSource(ctx, &oauth2.Token{RefreshToken: refreshToken}).Token()
	return c.token(t, err, began)
}

// Revoke ends the access token's grant.
//
// API: POST /oauth2/deauthorize
func (c *Client) Revoke(ctx context.Context, accessToken string) error {
	return c.api.call(ctx, http.MethodPost, accessToken, "/oauth2/deauthorize", nil, nil, nil)
}

// oauthContext gives x/oauth2 a client that posts once, follows no
// redirect and reads token answers leniently.
func (c *Client) oauthContext(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	return context.WithValue(ctx, oauth2.HTTPClient, &http.Client{
		Transport:     tokenNormalizer{singleAttempt{c.api.rt}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}), cancel
}

func (c *Client) token(t *oauth2.Token, err error, began time.Time) (Token, error) {
	now := c.api.now()
	if err != nil {
		err = tokenError(err, now)
	}
	c.api.observed("token", began, err)
	if err != nil {
		return Token{}, err
	}
	token := Token{Access: t.AccessToken, Refresh: t.RefreshToken}
	if t.ExpiresIn > 0 {
		token.Expiry = now.Add(time.Duration(t.ExpiresIn) * time.Second)
	}
	return token, nil
}

// tokenError converts x/oauth2's errors. Their text is dropped: it
// quotes the response body.
func tokenError(err error, now time.Time) error {
	var bad *oauth2.RetrieveError
	var wrapped *url.Error
	switch {
	case errors.As(err, &bad):
		e := statusError(false, bad.Response.StatusCode, bad.Response.Header, bad.Body, now)
		if e.Status < 500 && isInvalidGrant(bad) {
			e.Kind = InvalidGrant
		}
		return e
	case errors.As(err, &wrapped):
		return transportError(false, wrapped.Err)
	}
	return &Error{Kind: Lost, Err: errShape} // half a body, no JSON, or no access token
}

// isInvalidGrant looks for RFC 6749's error code, on its own or inside
// Dialpad's usual error object.
func isInvalidGrant(bad *oauth2.RetrieveError) bool {
	if bad.ErrorCode == "invalid_grant" {
		return true
	}
	var shape struct {
		Error json.RawMessage `json:"error"`
	}
	return json.Unmarshal(bad.Body, &shape) == nil && strings.Contains(string(shape.Error), "invalid_grant")
}
