package crm

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

const (
	signatureTolerance = 5 * time.Minute // past or future
	maxWebhookID       = 255
	maxSignatures      = 16 // a sender signs with each of its secrets
)

// ErrSignature is returned for a call with an invalid or stale
// signature: answer 401.
var ErrSignature = errors.New("crm: call refused")

// Sign returns the three Standard Webhooks headers of a call, signed
// with the newest secret. Without a secret the signature is missing.
func (s Secrets) Sign(id string, at time.Time, body []byte) http.Header {
	h := http.Header{}
	h.Set(standardwebhooks.HeaderWebhookID, id)
	h.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(at.Unix(), 10))
	if len(s.keys) > 0 {
		// Neither call can fail: keys are raw, HMAC has no error.
		wh, _ := standardwebhooks.NewWebhookRaw(s.keys[0])
		sig, _ := wh.Sign(id, at, body)
		h.Set(standardwebhooks.HeaderWebhookSignature, sig)
	}
	return h
}

// Verify verifies a call's signature: any of its v1 signatures, by any
// secret, in constant time, signed within five minutes of now. Repeats
// of a call have the same id.
//
// The library only does the comparison: it knows one secret and the
// system clock.
func (s Secrets) Verify(h http.Header, body []byte, now time.Time) (id string, at time.Time, err error) {
	if at, err = checkHeaders(h, now); err != nil {
		return "", time.Time{}, err
	}
	failure := errors.New("no secrets configured")
	for _, key := range s.keys {
		wh, _ := standardwebhooks.NewWebhookRaw(key)
		if failure = wh.VerifyIgnoringTimestamp(body, h); failure == nil {
			break
		}
	}
	if failure != nil {
		return "", time.Time{}, fmt.Errorf("%w: %w", ErrSignature, failure)
	}
	return h.Get(standardwebhooks.HeaderWebhookID), at, nil
}

// CheckHeaders refuses headers that no body can make right, so that a server
// need not read the body.
func CheckHeaders(h http.Header, now time.Time) error {
	_, err := checkHeaders(h, now)
	return err
}

func checkHeaders(h http.Header, now time.Time) (at time.Time, err error) {
	id := h.Get(standardwebhooks.HeaderWebhookID)
	if problem := identifierProblem(id, maxWebhookID); problem != "" || id == "" {
		return at, fmt.Errorf("%w: webhook-id %s", ErrSignature, cmp.Or(problem, "is missing"))
	}
	seconds, err := strconv.ParseInt(h.Get(standardwebhooks.HeaderWebhookTimestamp), 10, 64)
	if err != nil {
		return at, fmt.Errorf("%w: webhook-timestamp", ErrSignature)
	}
	at = time.Unix(seconds, 0).UTC()
	if age := now.Sub(at); age > signatureTolerance || age < -signatureTolerance {
		return at, fmt.Errorf("%w: signed %s from now", ErrSignature, age.Round(time.Second))
	}
	signatures := strings.Fields(h.Get(standardwebhooks.HeaderWebhookSignature))
	if len(signatures) > maxSignatures || !slices.ContainsFunc(signatures, isSignature) {
		return at, fmt.Errorf("%w: webhook-signature", ErrSignature)
	}
	return at, nil
}

// isSignature reports whether a string is an HMAC-SHA-256 in the header's
// form.
func isSignature(s string) bool {
	encoded, v1 := strings.CutPrefix(s, "v1,")
	return v1 && len(encoded) == base64.StdEncoding.EncodedLen(sha256.Size)
}
