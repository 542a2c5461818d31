package crm

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const domain = "salesmate.io"

// claims are a valid popup launch at noon; each test changes one thing.
func claims() map[string]any {
	return map[string]any{
		"iss": "https://acme.salesmate.io", "aud": "dialpad-texting", "sub": "42",
		"iat": noon.Unix(), "exp": noon.Unix() + 60, "jti": "j1", "use": "popup",
		"tenant": map[string]any{"id": "t_9", "linkname": "acme", "name": "Acme Inc", "plan": "business", "time_zone": "America/New_York"},
		"user": map[string]any{"id": "42", "email": "ana@acme.com", "name": "Ana Ruiz", "role": "admin",
			"time_zone": "America/New_York", "locale": "en-US"},
		"ctx": map[string]any{"mode": "one", "module": "contact", "record_ids": []any{"7"}, "to_number": "+14155550142"},
	}
}

func verifyClaims(t *testing.T, c map[string]any, use string, at time.Time) (Launch, error) {
	t.Helper()
	s := secrets(t, aSecret)
	token, err := s.SignClaims(c)
	if err != nil {
		t.Fatal(err)
	}
	return LaunchVerifier{Secrets: s, BaseDomain: domain, Now: func() time.Time { return at }}.Verify(token, use)
}

func TestLaunchTokenVectors(t *testing.T) {
	v := readVectors(t)
	verifier := LaunchVerifier{Secrets: secrets(t, strings.Join(v.Secrets, ",")), BaseDomain: domain,
		Now: func() time.Time { return time.Unix(v.Now, 0) }}
	want := Launch{
		Tenant: Tenant{ID: "t_9", Linkname: "acme", Name: "Acme Inc", Plan: "business", TimeZone: "America/New_York"},
		User:   User{ID: "42", Email: "ana@acme.com", Name: "Ana Ruiz", Role: "admin", TimeZone: "America/New_York", Locale: "en-US"},
		Ctx:    &LaunchTarget{Mode: "one", Module: "contact", RecordIDs: []string{"7"}, Count: 1, ToNumber: "+14155550142"},
		Use:    "popup", JTI: "01JGFJJZ00", Issuer: "https://acme.salesmate.io",
		IssuedAt: time.Unix(1767225600, 0).UTC(), ExpiresAt: time.Unix(1767225660, 0).UTC(),
	}
	for _, name := range []string{"string_ids", "older_secret"} {
		got, err := verifier.Verify(v.Launch[name], UsePopup)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	got, err := verifier.Verify(v.Launch["number_ids"], UsePopup)
	if err != nil {
		t.Fatal(err)
	}
	want.Tenant.ID = "9007199254740993" // would not survive a float
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, name := range []string{"hs512", "none"} {
		if _, err := verifier.Verify(v.Launch[name], UsePopup); !errors.Is(err, ErrLaunch) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestInvalidLaunchTokenIsRefused(t *testing.T) {
	sub := func(block, key string, value any) func(map[string]any) {
		return func(c map[string]any) { c[block].(map[string]any)[key] = value }
	}
	set := func(key string, value any) func(map[string]any) { return func(c map[string]any) { c[key] = value } }
	cases := map[string]func(map[string]any){
		"another audience":        set("aud", "other-app"),
		"another tenant's issuer": set("iss", "https://globex.salesmate.io"),
		"issuer over http":        set("iss", "http://acme.salesmate.io"),
		"issuer with a path":      set("iss", "https://acme.salesmate.io/"),
		"issuer with a port":      set("iss", "https://acme.salesmate.io:444"),
		"issuer below the tenant": set("iss", "https://x.acme.salesmate.io"),
		"issuer in capitals":      set("iss", "https://ACME.salesmate.io"),
		"subject is another user": set("sub", "43"),
		"use page":                set("use", "page"),
		"issued 11 s ahead":       func(c map[string]any) { c["iat"], c["exp"] = noon.Unix()+11, noon.Unix()+60 },
		"lives 121 s":             set("exp", noon.Unix()+121),
		"expires before it began": func(c map[string]any) { c["iat"], c["exp"] = noon.Unix()+5, noon.Unix()+4 },
		"expired 10 s ago":        func(c map[string]any) { c["iat"], c["exp"] = noon.Unix()-70, noon.Unix()-10 },
		"iat is a string":         set("iat", "now"),
		"iat is a quoted number":  set("iat", fmt.Sprint(noon.Unix())),
		"exp is a quoted number":  set("exp", fmt.Sprint(noon.Unix()+60)),
		"exp is true":             set("exp", true),
		"exp is a list":           set("exp", []any{noon.Unix() + 60}),
		"iat is negative":         set("iat", -1),
		"exp beyond all times":    set("exp", 1e300),
		"jti of 256 bytes":        set("jti", strings.Repeat("j", 256)),
		"jti a number":            set("jti", 7),
		"sub of 256 bytes": func(c map[string]any) {
			set("sub", strings.Repeat("4", 256))(c)
			sub("user", "id", strings.Repeat("4", 256))(c)
		},
		"email of 321 bytes":          sub("user", "email", strings.Repeat("a", 321)),
		"plan of 256 bytes":           sub("tenant", "plan", strings.Repeat("p", 256)),
		"zone of 101 bytes":           sub("tenant", "time_zone", strings.Repeat("z", 101)),
		"user's zone of 101 bytes":    sub("user", "time_zone", strings.Repeat("z", 101)),
		"locale of 101 bytes":         sub("user", "locale", strings.Repeat("l", 101)),
		"issuer of 256 bytes":         set("iss", "https://"+strings.Repeat("a", 256)),
		"use of 256 bytes":            set("use", strings.Repeat("u", 256)),
		"linkname with a Kelvin sign": sub("tenant", "linkname", "\u212Aacme"),
		"linkname of two labels":      func(c map[string]any) { sub("tenant", "linkname", "a.b")(c); c["iss"] = "https://a.b.salesmate.io" },
		"linkname with a hyphen":      func(c map[string]any) { sub("tenant", "linkname", "-a")(c); c["iss"] = "https://-a.salesmate.io" },
		"linkname of 64": func(c map[string]any) {
			l := strings.Repeat("a", 64)
			sub("tenant", "linkname", l)(c)
			c["iss"] = "https://" + l + ".salesmate.io"
		},
		"linkname that ends a host": func(c map[string]any) {
			sub("tenant", "linkname", "evil.com/")(c)
			c["iss"] = "https://evil.com/.salesmate.io"
		},
		"role of another kind":      sub("user", "role", "owner"),
		"tenant id of a wrong type": sub("tenant", "id", []any{1}),
		"tenant id that is half":    sub("tenant", "id", 1.5),
		"tenant id that is true":    sub("tenant", "id", true),
		"email of a wrong type":     sub("user", "email", 3),
		"tenant is a string":        set("tenant", "t_9"),
	}
	for name, invisible := range map[string]string{"NUL": "\x00", "newline": "\n", "DEL": "\x7f", "C1": "\u0085", "bidi": "\u202e", "zero width": "\u200b",
		"BOM": "\ufeff", "line separator": "\u2028", "invalid UTF-8": "\ufffd"} {
		cases["tenant id with "+name] = sub("tenant", "id", "t_9"+invisible)
		cases["user id with "+name] = func(c map[string]any) { set("sub", "42"+invisible)(c); sub("user", "id", "42"+invisible)(c) }
		cases["jti with "+name] = set("jti", "j"+invisible)
		cases["email with "+name] = sub("user", "email", "ana"+invisible+"@acme.com")
		cases["linkname with "+name] = sub("tenant", "linkname", "acme"+invisible)
		cases["role with "+name] = sub("user", "role", "admin"+invisible)
		cases["plan with "+name] = sub("tenant", "plan", "business"+invisible)
	}
	for _, key := range []string{"iss", "aud", "sub", "iat", "exp", "jti", "use", "tenant", "user"} {
		cases["without "+key] = func(c map[string]any) { delete(c, key) }
		cases["null "+key] = set(key, nil)
	}
	for block, keys := range map[string][]string{
		"tenant": {"id", "linkname", "name", "plan", "time_zone"},
		"user":   {"id", "email", "name", "role", "time_zone", "locale"},
	} {
		for _, key := range keys {
			cases["without "+block+"."+key] = func(c map[string]any) { delete(c[block].(map[string]any), key) }
		}
	}
	for name, spoil := range cases {
		t.Run(name, func(t *testing.T) {
			c := claims()
			spoil(c)
			if _, err := verifyClaims(t, c, UsePopup, noon); !errors.Is(err, ErrLaunch) || errors.Is(err, ErrCtx) {
				t.Errorf("got %v, want ErrLaunch", err)
			}
		})
	}
}

// A long name shuts nobody out: it is cut.
func TestLongNamesAreCut(t *testing.T) {
	c := claims()
	for _, block := range []string{"tenant", "user"} {
		c[block].(map[string]any)["name"] = strings.Repeat("\u202eÉ", 20_000)
	}
	got, err := verifyClaims(t, c, UsePopup, noon)
	if want := strings.Repeat("É", 200); err != nil || got.Tenant.Name != want || got.User.Name != want {
		t.Errorf("%v: the names have %d and %d bytes", err, len(got.Tenant.Name), len(got.User.Name))
	}
}

func TestInvalidLaunchCtxIsErrCtx(t *testing.T) {
	many := make([]any, 201)
	for i := range many {
		many[i] = fmt.Sprint(i)
	}
	for name, ctx := range map[string]any{
		"none":                   nil,
		"a string":               "one",
		"unknown mode":           map[string]any{"mode": "all", "module": "contact", "record_ids": []any{"7"}},
		"unknown module":         map[string]any{"mode": "bulk", "module": "company", "record_ids": []any{"7"}},
		"one with two records":   map[string]any{"mode": "one", "module": "contact", "record_ids": []any{"7", "8"}, "to_number": "+14155550142"},
		"one with no record":     map[string]any{"mode": "one", "module": "contact", "to_number": "+14155550142"},
		"one without a number":   map[string]any{"mode": "one", "module": "contact", "record_ids": []any{"7"}},
		"one with a long number": map[string]any{"mode": "one", "module": "contact", "record_ids": []any{"7"}, "to_number": strings.Repeat("5", 65)},
		"bulk with nobody":       map[string]any{"mode": "bulk", "module": "contact", "record_ids": []any{}},
		"bulk with 201":          map[string]any{"mode": "bulk", "module": "contact", "record_ids": many},
		"bulk with an empty id":  map[string]any{"mode": "bulk", "module": "contact", "record_ids": []any{""}},
		"bulk with both":         map[string]any{"mode": "bulk", "module": "contact", "record_ids": []any{"7"}, "selection": "s", "count": 3},
		"negative count":         map[string]any{"mode": "bulk", "module": "contact", "selection": "s", "count": -1},
		"count beyond all":       map[string]any{"mode": "bulk", "module": "contact", "selection": "s", "count": 10_000_001},
		"selection of 4097":      map[string]any{"mode": "bulk", "module": "contact", "selection": strings.Repeat("s", 4097), "count": 3},
		"record id of 256":       map[string]any{"mode": "bulk", "module": "contact", "record_ids": []any{strings.Repeat("7", 256)}},
		"selection, no count":    map[string]any{"mode": "bulk", "module": "contact", "selection": "s"},
		"ids of a wrong type":    map[string]any{"mode": "bulk", "module": "contact", "record_ids": []any{map[string]any{}}},
		"ids not a list":         map[string]any{"mode": "bulk", "module": "contact", "record_ids": "7"},
	} {
		t.Run(name, func(t *testing.T) {
			c := claims()
			c["ctx"] = ctx
			if _, err := verifyClaims(t, c, UsePopup, noon); !errors.Is(err, ErrCtx) || errors.Is(err, ErrLaunch) {
				t.Errorf("got %v, want ErrCtx", err)
			}
		})
	}
	page := claims()
	page["use"] = "page"
	if _, err := verifyClaims(t, page, UsePage, noon); !errors.Is(err, ErrCtx) {
		t.Errorf("page with ctx: got %v, want ErrCtx", err)
	}
	delete(page, "ctx")
	if got, err := verifyClaims(t, page, UsePage, noon); err != nil || got.Ctx != nil {
		t.Errorf("page: %+v, %v", got.Ctx, err)
	}
}

func TestLaunchCtxBulk(t *testing.T) {
	for name, tc := range map[string]struct {
		ctx  map[string]any
		want LaunchTarget
	}{
		"ids": {map[string]any{"mode": "bulk", "module": "deal", "record_ids": []any{7, "8"}, "selection": nil, "extra": 1},
			LaunchTarget{Mode: "bulk", Module: "deal", RecordIDs: []string{"7", "8"}, Count: 2}},
		"selection": {map[string]any{"mode": "bulk", "module": "contact", "selection": "sel_1", "count": 12000},
			LaunchTarget{Mode: "bulk", Module: "contact", Selection: "sel_1", Count: 12000}},
	} {
		c := claims()
		c["ctx"] = tc.ctx
		got, err := verifyClaims(t, c, UsePopup, noon)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(&tc.want, got.Ctx); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestLaunchTokenAtItsTimeLimits(t *testing.T) {
	for name, spoil := range map[string]func(map[string]any){
		"issued 10 s ahead": func(c map[string]any) { c["iat"], c["exp"] = noon.Unix()+10, noon.Unix()+60 },
		"lives 120 s":       func(c map[string]any) { c["exp"] = noon.Unix() + 120 },
		"expired 9 s ago":   func(c map[string]any) { c["iat"], c["exp"] = noon.Unix()-69, noon.Unix()-9 },
		"unknown claims":    func(c map[string]any) { c["nbf"], c["new"] = noon.Unix()+3600, map[string]any{"a": 1} },
		"iat a fraction":    func(c map[string]any) { c["iat"] = float64(noon.Unix()) + 0.5 },
		"ids in capitals":   func(c map[string]any) { c["tenant"].(map[string]any)["linkname"] = "ACME" },
		"several audiences": func(c map[string]any) { c["aud"] = []any{"x", "dialpad-texting"} },
		"subject a number":  func(c map[string]any) { c["sub"] = 42 },
	} {
		c := claims()
		spoil(c)
		if _, err := verifyClaims(t, c, UsePopup, noon); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLaunchIssuerMayBeHTTPOnLoopbackOnly(t *testing.T) {
	s := secrets(t, aSecret)
	for _, tc := range []struct {
		domain, iss string
		ok          bool
	}{
		{"localhost:8090", "http://acme.localhost:8090", true},
		{"localhost:8090", "https://acme.localhost:8090", true},
		{"localhost", "http://acme.localhost", true},
		{"localhost:8090", "http://acme.localhost:8091", false},
		{"localhost.example.com", "http://acme.localhost.example.com", false},
		{"notlocalhost:8090", "http://acme.notlocalhost:8090", false},
		{"10.0.0.1:8090", "http://acme.10.0.0.1:8090", false},
	} {
		c := claims()
		c["iss"] = tc.iss
		token, err := s.SignClaims(c)
		if err != nil {
			t.Fatal(err)
		}
		_, err = LaunchVerifier{Secrets: s, BaseDomain: tc.domain, Now: clock}.Verify(token, UsePopup)
		if (err == nil) != tc.ok {
			t.Errorf("%s under %s: %v", tc.iss, tc.domain, err)
		}
	}
}

func TestLaunchTokenOfARemovedSecretIsRefused(t *testing.T) {
	v := readVectors(t)
	verifier := LaunchVerifier{Secrets: secrets(t, v.Secrets[0]), BaseDomain: domain, Now: func() time.Time { return time.Unix(v.Now, 0) }}
	if _, err := verifier.Verify(v.Launch["older_secret"], UsePopup); !errors.Is(err, ErrLaunch) {
		t.Errorf("got %v", err)
	}
	verifier.Secrets = Secrets{}
	if _, err := verifier.Verify(v.Launch["string_ids"], UsePopup); !errors.Is(err, ErrLaunch) {
		t.Errorf("without secrets: got %v", err)
	}
	for _, token := range []string{"", "a.b.c", "not a token", v.Launch["string_ids"] + "x"} {
		verifier.Secrets = secrets(t, v.Secrets[0])
		if _, err := verifier.Verify(token, UsePopup); !errors.Is(err, ErrLaunch) {
			t.Errorf("%q: got %v", token, err)
		}
	}
}

func TestSignLaunchVerifies(t *testing.T) {
	s := secrets(t, aSecret)
	want := LaunchFor(
		Tenant{ID: "t_9", Linkname: "acme", Name: "Acme Inc", Plan: "business", TimeZone: "America/New_York"},
		User{ID: "42", Email: "ana@acme.com", Name: "Ana Ruiz", Role: "admin", TimeZone: "America/New_York", Locale: "en-US"},
		UsePage, nil, "https://acme.salesmate.io", "j1", noon)
	token, err := s.SignLaunch(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := LaunchVerifier{Secrets: s, BaseDomain: domain, Now: clock}.Verify(token, UsePage)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := (Secrets{}).SignLaunch(want); err == nil {
		t.Error("signed without a secret")
	}
}
