package crm

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func vectorHeaders(v vectors, signature string) http.Header {
	h := http.Header{}
	h.Set("webhook-id", v.Webhook.ID)
	h.Set("webhook-timestamp", v.Webhook.Timestamp)
	h.Set("webhook-signature", signature)
	return h
}

func TestSignatureVectors(t *testing.T) {
	v := readVectors(t)
	both := secrets(t, strings.Join(v.Secrets, ","))
	body := []byte(v.Webhook.Body)
	at := time.Unix(1767225600, 0).UTC()
	for name, signature := range map[string]string{
		"newest":      v.Webhook.Signature,
		"older":       v.Webhook.OlderSignature,
		"among other": "v1a,abc v1,AAAA v1," + strings.TrimPrefix(v.Webhook.Signature, "v1,"),
	} {
		id, signed, err := both.Verify(vectorHeaders(v, signature), body, at)
		if err != nil || id != v.Webhook.ID || !signed.Equal(at) {
			t.Errorf("%s: %q %v %v", name, id, signed, err)
		}
	}
	got := both.Sign(v.Webhook.ID, at, body)
	if diff := cmp.Diff(vectorHeaders(v, v.Webhook.Signature), got); diff != "" {
		t.Errorf("the newest secret signs: %s", diff)
	}
}

func TestInvalidSignatureIsRefused(t *testing.T) {
	v := readVectors(t)
	newest := secrets(t, v.Secrets[0])
	at := time.Unix(1767225600, 0)
	for name, tc := range map[string]struct {
		spoil func(http.Header)
		body  string
		now   time.Time
	}{
		"no id":              {func(h http.Header) { h.Del("webhook-id") }, v.Webhook.Body, at},
		"no timestamp":       {func(h http.Header) { h.Del("webhook-timestamp") }, v.Webhook.Body, at},
		"no signature":       {func(h http.Header) { h.Del("webhook-signature") }, v.Webhook.Body, at},
		"another id":         {func(h http.Header) { h.Set("webhook-id", "msg_x") }, v.Webhook.Body, at},
		"another timestamp":  {func(h http.Header) { h.Set("webhook-timestamp", "1767225601") }, v.Webhook.Body, at},
		"timestamp of words": {func(h http.Header) { h.Set("webhook-timestamp", "today") }, v.Webhook.Body, at},
		"another body":       {func(http.Header) {}, v.Webhook.Body + " ", at},
		"secret gone":        {func(h http.Header) { h.Set("webhook-signature", v.Webhook.OlderSignature) }, v.Webhook.Body, at},
		"another version":    {func(h http.Header) { h.Set("webhook-signature", "v2"+v.Webhook.Signature[2:]) }, v.Webhook.Body, at},
		"five minutes old":   {func(http.Header) {}, v.Webhook.Body, at.Add(5*time.Minute + time.Second)},
		"five minutes early": {func(http.Header) {}, v.Webhook.Body, at.Add(-5*time.Minute - time.Second)},
		"an endless id":      {func(h http.Header) { h.Set("webhook-id", strings.Repeat("x", 256)) }, v.Webhook.Body, at},
	} {
		h := vectorHeaders(v, v.Webhook.Signature)
		tc.spoil(h)
		if _, _, err := newest.Verify(h, []byte(tc.body), tc.now); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	h := vectorHeaders(v, v.Webhook.Signature)
	if _, _, err := (Secrets{}).Verify(h, []byte(v.Webhook.Body), at); !errors.Is(err, ErrSignature) {
		t.Errorf("without secrets: got %v", err)
	}
	for _, edge := range []time.Duration{5 * time.Minute, -5 * time.Minute} {
		if _, _, err := newest.Verify(h, []byte(v.Webhook.Body), at.Add(edge)); err != nil {
			t.Errorf("at %v: %v", edge, err)
		}
	}
}

func TestParseCallNamesTheInvalidField(t *testing.T) {
	for name, tc := range map[string]struct{ body, want string }{
		"not JSON":       {`<html>`, "must be an object"},
		"a list":         {`[]`, "must be an object"},
		"null":           {`null`, "must be an object"},
		"no type":        {`{"timestamp":"2026-01-01T00:00:00Z","data":{}}`, "type is required"},
		"type a number":  {`{"type":1,"timestamp":"2026-01-01T00:00:00Z","data":{}}`, "type must be a string"},
		"no timestamp":   {`{"type":"x","data":{}}`, "timestamp is required"},
		"timestamp odd":  {`{"type":"x","timestamp":"yesterday","data":{}}`, "timestamp must be an RFC 3339 time"},
		"no data":        {`{"type":"x","timestamp":"2026-01-01T00:00:00Z"}`, "data is required"},
		"data a list":    {`{"type":"x","timestamp":"2026-01-01T00:00:00Z","data":[]}`, "data must be an object"},
		"seq a fraction": {`{"type":"x","timestamp":"2026-01-01T00:00:00Z","seq":1.5,"data":{}}`, "seq must be a whole number"},
		"two documents":  {`{"type":"x","timestamp":"2026-01-01T00:00:00Z","data":{}}{}`, "must be an object"},
	} {
		if _, err := ParseCall([]byte(tc.body)); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want %q", name, err, tc.want)
		}
	}
	seq := int64(3)
	got, err := ParseCall([]byte(`{"type":"x","timestamp":"2026-01-01T01:00:00+01:00","seq":3,"new":{},"data":{"a":1}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := Call{Type: "x", Timestamp: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Seq: &seq, Data: []byte(`{"a":1}`)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
