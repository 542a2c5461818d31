package dialpad

import (
	"bytes"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
)

const secret = "one-line-secret"

// signed returns the body that Dialpad would post.
func signed(t testing.TB, payload []byte) []byte {
	t.Helper()
	claims := new(rawClaims)
	_ = claims.UnmarshalJSON(payload)
	body, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return []byte(body)
}

// MarshalJSON lets tests sign a payload to the byte.
func (c *rawClaims) MarshalJSON() ([]byte, error) { return c.raw, nil }

func TestSMSEventDecodes(t *testing.T) {
	for name, want := range map[string]SMSEvent{
		"event_sms": {
			ID: "4612924117884928", Direction: "outbound", FromNumber: "+14155550100", ToNumbers: []string{"+14155550142"},
			ContactNumber: "+14155550142", TargetNumber: "+14155550100", TargetID: "5835806903417907", TargetType: "user", SenderID: "5835806903417907",
			Status: "delivered", EventAt: time.UnixMilli(1767225605123).UTC(),
		},
		"event_sms_text": {
			ID: "9007199254740993", Direction: "inbound", FromNumber: "+14155550142", ToNumbers: []string{"+14155550100"},
			ContactNumber: "+14155550142", Status: "undelivered", DeliveryResult: "rejected_spam", DeviceType: "mobile",
			HasText: true, EventAt: time.Unix(1767225600, 0).UTC(),
		},
	} {
		event, err := VerifyEvent(secret, signed(t, testdata(t, name)))
		if err != nil || event.Kind != EventSMS || event.ChangeLog != nil {
			t.Fatalf("%s: %+v, %v", name, event, err)
		}
		if diff := cmp.Diff(&want, event.SMS); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestChangeLogEventDecodes(t *testing.T) {
	event, err := VerifyEvent(secret, append(signed(t, testdata(t, "event_changelog")), '\n'))
	if err != nil || event.Kind != EventChangeLog {
		t.Fatalf("%+v, %v", event, err)
	}
	got := event.ChangeLog
	if got.TargetType != "user" || got.TargetID != "5835806903417907" || got.Action != "code" || !got.Date.Equal(time.UnixMilli(1767225600000)) {
		t.Errorf("event = %+v", got)
	}
	if got.UserIDs[0] != got.TargetID {
		t.Errorf("the target is not first: %v", got.UserIDs)
	}
	ids := slices.Sorted(slices.Values(got.UserIDs))
	want := []string{"5137304475768569", "5137304475768570", "5137304475768571", "5835806903417907", "77", "88"}
	if diff := cmp.Diff(want, ids); diff != "" {
		t.Error(diff)
	}
	office, err := VerifyEvent(secret, signed(t, testdata(t, "event_changelog_office")))
	if err != nil || office.Kind != EventChangeLog || office.ChangeLog.TargetType != "office" || len(office.ChangeLog.UserIDs) != 0 {
		t.Errorf("office event = %+v, %v", office.ChangeLog, err)
	}
}

// Events and responses must give the same id, whatever the shape.
func TestEventIDsInAnyShape(t *testing.T) {
	for _, id := range []string{`4612924117884928`, `"4612924117884928"`, `4612924117884928.0`, `4.612924117884928e15`} {
		event, err := VerifyEvent(secret, signed(t, []byte(`{"id":`+id+`,"message_status":" Delivered","to_number":14155550142.0,
			"target":{"type":"User","id":`+id+`},"event_timestamp":"2026-01-01t00:00:05z"}`)))
		want := &SMSEvent{ID: "4612924117884928", Status: "delivered", ToNumbers: []string{"14155550142"}, TargetID: "4612924117884928",
			TargetType: "user", EventAt: time.Unix(1767225605, 0).UTC()}
		if diff := cmp.Diff(want, event.SMS); diff != "" || err != nil {
			t.Errorf("%s: %v %s", id, err, diff)
		}
		change, err := VerifyEvent(secret, signed(t, []byte(`{"action":"x","target":{"type":"User","id":`+id+`},"date":1.767225605e12}`)))
		if err != nil || !slices.Equal(change.ChangeLog.UserIDs, []string{"4612924117884928"}) || change.ChangeLog.Date.Unix() != 1767225605 {
			t.Errorf("%s: %+v, %v", id, change.ChangeLog, err)
		}
	}
}

// A STOP without a number would be lost.
func TestNumbersOfAnEventInAnyShape(t *testing.T) {
	for _, number := range []string{`"+14155558002"`, `["+14155558002"]`, `["+14155558002","+14155558003"]`, `[null,"","+14155558002"]`} {
		event, err := VerifyEvent(secret, signed(t, []byte(`{"from_number":`+number+`,"contact":{"phone_number":`+number+`},"text":"STOP"}`)))
		if err != nil || event.SMS == nil || event.SMS.FromNumber != "+14155558002" || event.SMS.ContactNumber != "+14155558002" {
			t.Errorf("%s: %+v, %v", number, event.SMS, err)
		}
	}
}

func TestUnknownEventIsNoError(t *testing.T) {
	for _, payload := range []string{string(testdata(t, "event_call")), `{}`, `[1]`, `"text"`, `{"action":"x"}`} {
		event, err := VerifyEvent(secret, signed(t, []byte(payload)))
		if err != nil || event.Kind != EventUnknown || string(event.Raw) != payload && payload[0] == '[' {
			t.Errorf("%s: %+v, %v", payload, event, err)
		}
	}
}

func TestVerifyEventRefusesForgedBodies(t *testing.T) {
	payload := testdata(t, "event_sms")
	claims := jwt.MapClaims{"message_status": "delivered", "id": "1"}
	sign := func(method jwt.SigningMethod, key any) string {
		s, err := jwt.NewWithClaims(method, claims).SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	b64 := base64.RawURLEncoding.EncodeToString
	good := string(signed(t, payload))
	for name, body := range map[string]string{
		"plain JSON":        string(payload),
		"nothing":           "",
		"other secret":      sign(jwt.SigningMethodHS256, []byte("other")),
		"empty key":         sign(jwt.SigningMethodHS256, []byte("")),
		"HS512":             sign(jwt.SigningMethodHS512, []byte(secret)),
		"none":              sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType),
		"none by hand":      b64([]byte(`{"alg":"none"}`)) + "." + b64(payload) + ".",
		"None by hand":      b64([]byte(`{"alg":"None"}`)) + "." + b64(payload) + ".",
		"no signature":      good[:len(good)-43],
		"two parts":         good[:len(good)-44],
		"payload swapped":   good[:20] + "AAAA" + good[24:],
		"signature altered": good[:len(good)-3] + "AAA",
	} {
		if event, err := VerifyEvent(secret, []byte(body)); !errors.Is(err, ErrBadEvent) || event.Raw != nil {
			t.Errorf("%s: %+v, %v", name, event, err)
		}
	}
	if _, err := VerifyEvent("", []byte(sign(jwt.SigningMethodHS256, []byte("")))); !errors.Is(err, ErrBadEvent) {
		t.Errorf("empty secret: %v", err)
	}
}

func TestVerifyEventIgnoresExpiry(t *testing.T) {
	body := signed(t, []byte(`{"exp":1,"nbf":99999999999,"id":1,"message_status":"sent"}`))
	if event, err := VerifyEvent(secret, body); err != nil || event.SMS.Status != "sent" {
		t.Errorf("%+v, %v", event, err)
	}
}

func FuzzReadEvent(f *testing.F) {
	for _, name := range []string{"event_sms", "event_sms_text", "event_changelog", "event_changelog_office", "event_call"} {
		f.Add(testdata(f, name))
	}
	f.Add([]byte(`{"id":4612924117884928.0,"message_status":"Delivered ","to_number":14155550142,"event_timestamp":"2026-01-01t00:00:00z","target":[]}`))
	f.Add([]byte(`{"action":1e3,"target":{"type":"User","id":5.835806903417907e15},"changed_by":"x"}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		event := decodeEvent(payload)
		if event.SMS != nil && strings.ContainsFunc(event.SMS.ID+event.SMS.TargetID+event.SMS.SenderID, unicode.IsControl) {
			t.Errorf("control character in an id: %+v", event.SMS)
		}
		if (event.Kind == EventSMS) != (event.SMS != nil) || (event.Kind == EventChangeLog) != (event.ChangeLog != nil) {
			t.Errorf("kind %q does not write what is there", event.Kind)
		}
	})
}

// Without the secret no body verifies, not even another encoding of a
// known one.
func FuzzVerifyEvent(f *testing.F) {
	good := signed(f, testdata(f, "event_sms"))
	f.Add([]byte(`{"id":1,"message_status":"sent"}`))
	f.Add(good)
	f.Fuzz(func(t *testing.T, body []byte) {
		if _, err := VerifyEvent(secret, body); err == nil && !bytes.Equal(bytes.TrimSpace(body), good) {
			t.Errorf("accepted %q", body)
		}
	})
}

func FuzzErrorMessage(f *testing.F) {
	f.Add([]byte(`{"error":{"code":400,"message":"no","errors":[{"message":"x"}]}}`))
	f.Add([]byte("<html>"))
	f.Fuzz(func(t *testing.T, body []byte) {
		if got := errorMessage(body); len(got) > maxMessage {
			t.Errorf("message of %d bytes", len(got))
		}
	})
}
