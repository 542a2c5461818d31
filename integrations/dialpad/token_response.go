package dialpad

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"dialpad-texting/integrations/lenient"
)

// maxTokenLife is the longest believable expires_in, in seconds: ten
// years. A longer one counts as unknown.
const maxTokenLife = 10 * 365 * 24 * 60 * 60

// tokenNormalizer rewrites token answers for x/oauth2, which refuses one
// for an expires_in of 3600.0 or "", and with it the good tokens: by
// then the code or refresh token is spent.
type tokenNormalizer struct{ rt http.RoundTripper }

func (n tokenNormalizer) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := n.rt.RoundTrip(req)
	if err != nil || resp.StatusCode < 200 || resp.StatusCode > 299 {
		return resp, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	rest := resp.Body
	if clean, ok := normalizeToken(body); ok && err == nil && len(body) <= maxBody {
		body = clean
		resp.Header.Set("Content-Type", "application/json")
	}
	resp.Body = &readCloser{Reader: io.MultiReader(bytes.NewReader(body), failingReader{err}), Closer: rest}
	resp.ContentLength = -1
	return resp, nil
}

type readCloser struct {
	io.Reader
	io.Closer
}

// failingReader returns err at once; nil means the end.
type failingReader struct{ err error }

func (r failingReader) Read([]byte) (int, error) {
	if r.err == nil || errors.Is(r.err, io.EOF) {
		return 0, io.EOF
	}
	return 0, r.err
}

// normalizeToken returns the fields that are needed, in the shapes that
// RFC 6749, 5.1, gives them. Without an access token it reports false.
// An expires_in that can't be read is left out: then the token is good
// until a 401.
func normalizeToken(body []byte) ([]byte, bool) {
	var in struct {
		Access    tokenText       `json:"access_token"`
		Refresh   tokenText       `json:"refresh_token"`
		ExpiresIn json.RawMessage `json:"expires_in"`
	}
	if !decodeObject(body, &in) || in.Access == "" {
		return nil, false
	}
	out := map[string]any{"access_token": string(in.Access), "refresh_token": string(in.Refresh), "token_type": "bearer"}
	if n, ok := lifetime(in.ExpiresIn); ok {
		out["expires_in"] = n
	}
	clean, err := json.Marshal(out)
	return clean, err == nil
}

// tokenText reads a string or a number, anything else as "": false and
// {} say that there is no token.
type tokenText string

func (t *tokenText) UnmarshalJSON(b []byte) error {
	var s lenientString
	if len(b) > 0 && b[0] != 't' && b[0] != 'f' {
		_ = s.UnmarshalJSON(b)
	}
	*t = tokenText(s)
	return nil
}

// lifetime reads expires_in: seconds in any notation, quoted or not.
func lifetime(raw json.RawMessage) (seconds int64, ok bool) {
	n, ok := lenient.Int64(raw)
	return n, ok && n > 0 && n <= maxTokenLife
}
