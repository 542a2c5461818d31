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

// Token is what the token endpoint hands out.
type Token struct {
	Access  string
	Refresh string    // "" without offline_access
	Expiry  time.Time // zero = static: good until a 401
}

// AuthCodeURL is where the person consents. verifier is the PKCE verifier (oauth2.GenerateVerifier), sent as S256.
func (c *Client) AuthCodeURL(state, verifier string) string {
	return c.oauth.AuthCodeURL(state, oauth2.S256ChallengeOption(verifier))
}

// Exchange trades the code of the callback for tokens.
// Errors: InvalidGrant (code used, expired, or another verifier), Unauthorized (client id or secret), Lost, NotSent, …
func (c *Client) Exchange(ctx context.Context, code, verifier string) (Token, error) {
	ctx, cancel := c.oauthContext(ctx)
	defer cancel()
	t, err := c.oauth.Exchange(ctx, code, oauth2.VerifierOption(verifier))
	return c.token(t, err)
}

// Refresh trades a refresh token for the next pair, in one POST that is never repeated: Dialpad rotates, so the old
// token is spent as soon as the request is accepted. Store the new pair before using it. An answer without a refresh
// token keeps the old one. Errors: ErrInvalidGrant; Lost means that the token may have been spent.
func (c *Client) Refresh(ctx context.Context, refreshToken string) (Token, error) {
	if refreshToken == "" {
		return Token{}, &Error{Kind: InvalidGrant, Err: errors.New("there is no refresh token")}
	}
	ctx, cancel := c.oauthContext(ctx)
	defer cancel()
	t, err := c.oauth.TokenSource(ctx, &oauth2.Token{RefreshToken: refreshToken}).Token()
	return c.token(t, err)
}

// Revoke ends the grant that the access token belongs to (POST /oauth2/deauthorize).
func (c *Client) Revoke(ctx context.Context, accessToken string) error {
	return c.call(ctx, http.MethodPost, accessToken, "/oauth2/deauthorize", nil, nil, nil)
}

// oauthContext hands x/oauth2 a client that posts once and follows nothing.
func (c *Client) oauthContext(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	return context.WithValue(ctx, oauth2.HTTPClient, &http.Client{
		Transport:     onceTripper{c.rt},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}), cancel
}

func (c *Client) token(t *oauth2.Token, err error) (Token, error) {
	if err != nil {
		return Token{}, c.tokenError(err)
	}
	token := Token{Access: t.AccessToken, Refresh: t.RefreshToken}
	if t.ExpiresIn > 0 {
		token.Expiry = c.now().Add(time.Duration(t.ExpiresIn) * time.Second)
	}
	return token, nil
}

// tokenError makes an *Error of what x/oauth2 returns. Its own words are dropped: they quote the answer's body.
func (c *Client) tokenError(err error) error {
	var bad *oauth2.RetrieveError
	var wrapped *url.Error
	switch {
	case errors.As(err, &bad):
		e := badStatus(false, bad.Response.StatusCode, bad.Response.Header, bad.Body, c.now())
		if e.Status < 500 && grantIsInvalid(bad) {
			e.Kind = InvalidGrant
		}
		return e
	case errors.As(err, &wrapped):
		return noAnswer(false, wrapped.Err)
	}
	return &Error{Kind: Lost, Err: errShape} // half a body, no JSON, or no access token in it
}

// grantIsInvalid looks for RFC 6749's code, at its own place or inside Dialpad's usual error object.
func grantIsInvalid(bad *oauth2.RetrieveError) bool {
	if bad.ErrorCode == "invalid_grant" {
		return true
	}
	var shape struct {
		Error json.RawMessage `json:"error"`
	}
	return json.Unmarshal(bad.Body, &shape) == nil && strings.Contains(string(shape.Error), "invalid_grant")
}
