package crm

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

func fuzzVerifier(f *testing.F) LaunchVerifier {
	f.Helper()
	s, err := ParseSecrets(aSecret)
	if err != nil {
		f.Fatal(err)
	}
	return LaunchVerifier{Secrets: s, BaseDomain: domain, Now: func() time.Time { return noon }}
}

// Without the secret no token passes, not even another spelling of a good one.
func FuzzVerifyLaunchToken(f *testing.F) {
	v := fuzzVerifier(f)
	good, err := v.Secrets.SignClaims(claims())
	if err != nil {
		f.Fatal(err)
	}
	parts := strings.Split(good, ".")
	none, err := jwt.NewWithClaims(jwt.SigningMethodNone, jwt.MapClaims(claims())).SignedString(jwt.UnsafeAllowNoneSignatureType)
	if err != nil {
		f.Fatal(err)
	}
	for _, token := range []string{good, good + "=", good + "A", parts[0] + "." + parts[1] + ".", none, "..", "", "a.b.c", strings.Repeat(".", 1000),
		"eyJhbGciOiJIUzI1NiIsImNyaXQiOlsieCJdfQ." + parts[1] + "." + parts[2]} {
		f.Add(token)
	}
	f.Fuzz(func(t *testing.T, token string) {
		if launch, err := v.Verify(token, UsePopup); err == nil && token != good {
			t.Errorf("%q gives %+v", token, launch)
		}
	})
}

// Whatever the CRM signs, what goes on is short, visible, and of the tenant
// whose origin it names.
func FuzzLaunchClaims(f *testing.F) {
	v := fuzzVerifier(f)
	for _, change := range []func(c map[string]any){
		func(map[string]any) {},
		func(c map[string]any) { c["sub"], c["user"].(map[string]any)["id"] = 42, 42.0 },
		func(c map[string]any) { c["iss"] = "https://acme.salesmate.io@evil.example" },
		func(c map[string]any) { c["tenant"].(map[string]any)["name"] = "Victim \u202e\x00" },
		func(c map[string]any) { c["exp"] = 1e300 },
		func(c map[string]any) { c["jti"] = strings.Repeat("j", 300) },
		func(c map[string]any) { c["ctx"] = []int{1} },
	} {
		c := claims()
		change(c)
		raw, err := json.Marshal(c)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var c map[string]any
		if json.Unmarshal(raw, &c) != nil {
			return
		}
		token, err := v.Secrets.SignClaims(c)
		if err != nil {
			return
		}
		l, err := v.Verify(token, UsePopup)
		if err != nil {
			return
		}
		for _, id := range []string{l.JTI, l.Tenant.ID, l.Tenant.Linkname, l.Tenant.Plan, l.User.ID} {
			if id == "" || identifierProblem(id, maxID) != "" {
				t.Errorf("%s gives the identifier %q", raw, id)
			}
		}
		if l.Issuer != "https://"+l.Tenant.Linkname+"."+domain || l.ExpiresAt.Sub(l.IssuedAt) > maxLaunchLifetime || l.Ctx == nil ||
			l.Ctx.Count < 1 || len(l.Ctx.RecordIDs) > MaxRecordIDs || l.User.Role != RoleAdmin && l.User.Role != RoleUser {
			t.Errorf("%s gives %+v", raw, l)
		}
	})
}

// Without the secret no call passes, whatever headers it has.
func FuzzVerifySignature(f *testing.F) {
	s := fuzzVerifier(f).Secrets
	body := `{"type":"x"}`
	good := s.Sign("id1", noon, []byte(body))
	stamp, signature := good.Get(standardwebhooks.HeaderWebhookTimestamp), good.Get(standardwebhooks.HeaderWebhookSignature)
	for _, sig := range []string{signature, "v1a," + signature[3:], "v1, " + signature, signature + " " + signature, "v1,", strings.Repeat("v1,x ", 100)} {
		f.Add("id1", stamp, sig, body)
	}
	f.Add("", stamp, signature, body)
	f.Add("id1", "9223372036854775807", signature, body)
	f.Add("id1.0", stamp, signature, body)
	f.Fuzz(func(t *testing.T, id, at, sig, content string) {
		h := http.Header{}
		h.Set(standardwebhooks.HeaderWebhookID, id)
		h.Set(standardwebhooks.HeaderWebhookTimestamp, at)
		h.Set(standardwebhooks.HeaderWebhookSignature, sig)
		if _, _, err := s.Verify(h, []byte(content), noon); err == nil && (id != "id1" || content != body || !strings.Contains(sig, signature[3:])) {
			t.Errorf("id %q, timestamp %q, signature %q, body %q pass", id, at, sig, content)
		}
	})
}

// An id in any shape is a short visible string, and the same when it is read again.
func FuzzReadID(f *testing.F) {
	for _, raw := range []string{`"42"`, `42`, `42.0`, `4.2e1`, `9007199254740993`, `1e400`, `-0`, `null`, ` "a" `, `"\u0000"`, `"\ud800"`, `[1]`, `true`, `""`} {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := readID(raw, maxID)
		if err != nil {
			return
		}
		if identifierProblem(s, maxID) != "" {
			t.Fatalf("%q gives %q", raw, s)
		}
		again, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if read, err := readID(again, maxID); err != nil || read != s {
			t.Errorf("%q gives %q, then %q %v", raw, s, read, err)
		}
	})
}
