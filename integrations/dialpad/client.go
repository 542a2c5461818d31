// Package dialpad is a client for Dialpad's public API.
//
// It decodes leniently: ids as strings or numbers, times without a
// zone, every field optional, open enums. Every failed call returns an
// *Error whose Kind says what the caller may do next. No POST is ever
// put on the wire twice.
//
// The shapes come from Dialpad's OpenAPI file
// (https://dialpad.com/static/openapi) and developers.dialpad.com.
package dialpad

import (
	"cmp"
	"crypto/tls"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

// DefaultBaseURL is Dialpad's production host. The sandbox at
// https://sandbox.dialpad.com is a separate installation.
const DefaultBaseURL = "https://dialpad.com"

// Config configures a Client.
type Config struct {
	BaseURL      string // scheme and host; "" means DefaultBaseURL
	ClientID     string
	ClientSecret string
	RedirectURL  string
	Scopes       []string

	// HTTPClient provides the Transport; its redirect policy, cookie
	// jar and timeout are not used. nil means a transport that also
	// knows whether a failed request was written (see NotSent, Lost).
	HTTPClient *http.Client

	// Now dates token expiry and Retry-After. nil means time.Now.
	Now func() time.Time

	// Observe is called after each call with its name ("sms", "users",
	// "token", …), its outcome ("ok" or a Kind) and how long it took. nil
	// means nobody is.
	Observe func(call, outcome string, took time.Duration)
}

// Client calls the API. It is safe for concurrent use. Use one per
// process: it keeps connections alive.
type Client struct {
	api    requester
	smsURL *url.URL
	oauth  oauth2.Config
}

// New returns a client. It does not connect. With a BaseURL that does
// not parse, every call fails with NotSent.
func New(cfg Config) *Client {
	base := cmp.Or(strings.TrimRight(cfg.BaseURL, "/"), DefaultBaseURL)
	c := &Client{api: requester{base: base, rt: transportOf(cfg.HTTPClient), now: cfg.Now, observe: cfg.Observe}}
	if c.api.now == nil {
		c.api.now = time.Now
	}
	if c.api.observe == nil {
		c.api.observe = func(string, string, time.Duration) {}
	}
	c.smsURL, _ = url.Parse(base + smsPath)
	c.oauth = oauth2.Config{
		ClientID: cfg.ClientID, ClientSecret: cfg.ClientSecret, RedirectURL: cfg.RedirectURL, Scopes: cfg.Scopes,
		Endpoint: oauth2.Endpoint{
			AuthURL:  base + "/oauth2/authorize",
			TokenURL: base + "/oauth2/token",
			// Set, not detected: x/oauth2's detection posts again after
			// any error, and by then the refresh token is spent.
			AuthStyle: oauth2.AuthStyleInParams,
		},
	}
	return c
}

func transportOf(client *http.Client) http.RoundTripper {
	switch {
	case client == nil:
		return newTransport(&tls.Config{MinVersion: tls.VersionTLS12})
	case client.Transport == nil:
		return http.DefaultTransport
	}
	return client.Transport
}

// CloseIdleConnections closes connections that no call is using.
func (c *Client) CloseIdleConnections() {
	if t, ok := c.api.rt.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}
