// Package dialpad speaks Dialpad's public API and knows nothing of the program that uses it.
//
// It decodes tolerantly (ids as strings or numbers, times without a zone, everything optional, open enums), turns every
// bad answer into one *Error whose Kind says what the caller may do next, and never puts a POST on the wire twice.
// Source of the shapes: Dialpad's OpenAPI file (https://dialpad.com/static/openapi) and developers.dialpad.com.
package dialpad

import (
	"crypto/tls"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

// DefaultBaseURL is Dialpad's production host; https://sandbox.dialpad.com is a separate installation.
const DefaultBaseURL = "https://dialpad.com"

// callTimeout bounds one whole call, body included: the transport's own time-out ends with the response's headers.
const callTimeout = 30 * time.Second

// Config says which Dialpad to talk to, and as which OAuth app.
type Config struct {
	BaseURL      string // scheme and host, no trailing path; "" = DefaultBaseURL
	ClientID     string
	ClientSecret string
	RedirectURL  string
	Scopes       []string
	// HTTPClient lends its Transport; its redirect policy, jar and time-out are not used. nil = a transport tuned for
	// Dialpad that also knows to the byte whether a failed request left this machine (see Error, NotSent and Lost).
	HTTPClient *http.Client
	Now        func() time.Time // nil = time.Now; dates token expiry and Retry-After
}

// Client calls Dialpad. Safe for concurrent use; one per process keeps the connections warm.
type Client struct {
	base   string
	smsURL *url.URL
	rt     http.RoundTripper
	oauth  oauth2.Config
	now    func() time.Time
}

// New makes a client. It does not connect. A BaseURL that does not parse makes every call fail with NotSent.
func New(cfg Config) *Client {
	base := strings.TrimRight(cfg.BaseURL, "/")
	if base == "" {
		base = DefaultBaseURL
	}
	now := cfg.Now
	if now == nil {
		now = time.Now
	}
	c := &Client{base: base, now: now, rt: newTransport(&tls.Config{MinVersion: tls.VersionTLS12})}
	if cfg.HTTPClient != nil {
		c.rt = http.DefaultTransport
		if cfg.HTTPClient.Transport != nil {
			c.rt = cfg.HTTPClient.Transport
		}
	}
	c.smsURL, _ = url.Parse(base + "/api/v2/sms")
	c.oauth = oauth2.Config{
		ClientID: cfg.ClientID, ClientSecret: cfg.ClientSecret, RedirectURL: cfg.RedirectURL, Scopes: cfg.Scopes,
		Endpoint: oauth2.Endpoint{
			AuthURL:  base + "/oauth2/authorize",
			TokenURL: base + "/oauth2/token",
			// Set, never detected: x/oauth2's detection posts again after any error, and a refresh token that was
			// already traded in is gone with the first answer.
			AuthStyle: oauth2.AuthStyleInParams,
		},
	}
	return c
}

// CloseIdleConnections lets go of the connections that no call is using.
func (c *Client) CloseIdleConnections() {
	if t, ok := c.rt.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}
