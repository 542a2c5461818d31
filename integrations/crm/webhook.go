package crm

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

const (
	callTolerance = 5 * time.Minute // either way
	maxWebhookID  = 255
)

// ErrSignature is a call that proves nothing or is stale: answer 401.
var ErrSignature = errors.New("crm: call refused")

// Sign gives the three Standard Webhooks headers of a call, made with the
// newest secret. Without a secret there is no signature, and the call will be refused.
func (s Secrets) Sign(id string, at time.Time, body []byte) http.Header {
	h := http.Header{}
	h.Set(standardwebhooks.HeaderWebhookID, id)
	h.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(at.Unix(), 10))
	if len(s.keys) > 0 {
		// Neither call can fail: raw keys are taken as they are, HMAC has no error.
		wh, _ := standardwebhooks.NewWebhookRaw(s.keys[0])
		sig, _ := wh.Sign(id, at, body)
		h.Set(standardwebhooks.HeaderWebhookSignature, sig)
	}
	return h
}

// Verify checks a call's signature (any of its space-separated v1 signatures,
// by any secret, in constant time) and that it was signed within five minutes
// of now. The id is for the caller to recognise repeats by.
//
// The library verifies one secret against the machine's clock; so it does the
// comparing here, and the list and the clock are ours.
func (s Secrets) Verify(h http.Header, body []byte, now time.Time) (id string, at time.Time, err error) {
	id = h.Get(standardwebhooks.HeaderWebhookID)
	if len(id) > maxWebhookID {
		return "", time.Time{}, fmt.Errorf("%w: webhook-id over %d bytes", ErrSignature, maxWebhookID)
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
	seconds, err := strconv.ParseInt(h.Get(standardwebhooks.HeaderWebhookTimestamp), 10, 64)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("%w: webhook-timestamp", ErrSignature)
	}
	at = time.Unix(seconds, 0).UTC()
	if age := now.Sub(at); age > callTolerance || age < -callTolerance {
		return "", time.Time{}, fmt.Errorf("%w: signed %s from now", ErrSignature, age.Round(time.Second))
	}
	return id, at, nil
}

// Call is the envelope of every server-to-server body, in both directions.
// Seq orders events about the same tenant, user or number.
type Call struct {
	Type      string          `json:"type"`
	Timestamp time.Time       `json:"timestamp"`
	Seq       *int64          `json:"seq,omitempty"`
	Data      json.RawMessage `json:"data"`
}

// ParseCall reads an envelope; fields it does not know are ignored. The error
// names the field that is wrong: answer 400.
func ParseCall(body []byte) (Call, error) {
	o := readObject(body, "")
	c := Call{Type: o.need("type"), Timestamp: o.moment("timestamp").UTC(), Seq: o.whole("seq")}
	o.object("data")
	c.Data = o.fields["data"]
	if err := o.err(); err != nil {
		return Call{}, fmt.Errorf("crm: %w", err)
	}
	return c, nil
}
