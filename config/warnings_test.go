package config

import (
	"crypto/rand"
	"encoding/base64"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func randomKey() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b)
	return base64.StdEncoding.EncodeToString(b)
}

// production is a configuration without a warning.
func production() map[string]string {
	m := good()
	maps.Copy(m, map[string]string{"SESSION_KEYS": randomKey(), "ENCRYPTION_KEYS": randomKey() + "," + randomKey(), "CRM_APP_SECRETS": "whsec_" + randomKey(),
		"DATABASE_URL": "postgres://app:hunter2@db.internal/texting?sslmode=require", "METRICS_TOKEN": randomKey()})
	return m
}

func warnings(t *testing.T, m map[string]string) []Warning {
	t.Helper()
	c, err := Load(environ(m))
	if err != nil {
		t.Fatal(err)
	}
	return c.Warnings()
}

// developmentValues are values that suit development only.
var developmentValues = map[string][]string{
	"DATABASE_URL": {"sqlite:dialpad-texting.db", "postgres://app:hunter2@db.internal/texting", "postgres://app:hunter2@db.internal/texting?sslmode=disable",
		"postgres://app:hunter2@db.internal/texting?sslmode=prefer"},
	"SESSION_KEYS":     {base64.StdEncoding.EncodeToString([]byte("0123456789012345678901234567hunt")), base64.StdEncoding.EncodeToString(make([]byte, 32))},
	"ENCRYPTION_KEYS":  {base64.StdEncoding.EncodeToString([]byte("correct horse battery staple 012"))},
	"CRM_APP_SECRETS":  {"whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="},
	"CRM_API_URL":      {"http://127.0.0.1:8090/{linkname}"},
	"CRM_BASE_DOMAIN":  {"localhost:8090"},
	"CRM_APP_PAGE_URL": {"http://{linkname}.localhost:8090/"},
	"CRM_UPGRADE_URL":  {"http://localhost/upgrade"},
	"CRM_RECORD_URL":   {"http://{linkname}.localhost:8090/#/app/{module}s/{id}"},
	"DIALPAD_URL":      {"http://[::1]:8070", "https://sandbox.dialpad.com"},
	"METRICS_TOKEN":    {"scrape"},
	"LOG_LEVEL":        {"debug", "DEBUG"},
}

// noDevelopmentValue has a reason for every other setting.
var noDevelopmentValue = map[string]string{
	"PORT":                  "any port may be behind a proxy",
	"PUBLIC_URL":            "it decides whether the others are looked at",
	"PLANS_WITH_DIALPAD":    "names of the CRM's plans",
	"DIALPAD_CLIENT_ID":     "Dialpad's",
	"DIALPAD_CLIENT_SECRET": "Dialpad's",
	"DIALPAD_SCOPES":        "each is for production",
	"RETENTION_DAYS":        "keeping everything is right in production too",
	"TRUSTED_PROXIES":       "private networks are trusted in production too",
	"AUDIT_DAYS":            "any number of days is fine",
	"ADMIN_ADDR":            "it is another address than the public one",
	"ONE_TO_ONE_PER_HOUR":   "a customer may want no limit",
	"AUTOMATION_PER_HOUR":   "a customer may want no limit",
}

func TestEverySettingIsWarnedAboutOrHasNoDevelopmentValue(t *testing.T) {
	for field := range reflect.TypeFor[Config]().Fields() {
		name := field.Tag.Get("env")
		_, warned := developmentValues[name]
		_, excused := noDevelopmentValue[name]
		if warned == excused {
			t.Errorf("%s: say in developmentValues or in noDevelopmentValue what it is in development", name)
		}
	}
}

func TestDevelopmentSettingsOnAPublicAddressAreWarnedAbout(t *testing.T) {
	if found := warnings(t, production()); len(found) > 0 {
		t.Fatalf("a production configuration: %+v", found)
	}
	for setting, values := range developmentValues {
		for _, value := range values {
			m := production()
			m[setting] = value
			found := warnings(t, m)
			if !slices.ContainsFunc(found, func(w Warning) bool { return w.Setting == setting && w.Problem != "" }) {
				t.Errorf("%s=%s: %+v", setting, value, found)
			}
			for _, w := range found {
				if strings.Contains(w.Problem, "hunt") || strings.Contains(w.Problem, "scrape") {
					t.Errorf("%s reveals the secret: %s", setting, w.Problem)
				}
			}
			m["PUBLIC_URL"] = "http://127.0.0.1:8080"
			if found := warnings(t, m); len(found) > 0 {
				t.Errorf("%s=%s on this machine: %+v", setting, value, found)
			}
		}
	}
}

func TestOneKeyForTwoPurposesIsWarnedAbout(t *testing.T) {
	m := production()
	m["ENCRYPTION_KEYS"] = m["SESSION_KEYS"]
	if found := warnings(t, m); len(found) != 1 || found[0].Setting != "SESSION_KEYS" {
		t.Errorf("%+v", found)
	}
}

func TestPrivateDatabaseConnectionsAreNotWarnedAbout(t *testing.T) {
	for _, address := range []string{"postgres://app@/texting?host=/run/postgresql", "postgres://app:x@127.0.0.1/texting?sslmode=disable",
		"postgres://app:x@db.internal/texting?sslmode=verify-full", "sqlite:/var/lib/texting/app.db"} {
		m := production()
		m["DATABASE_URL"] = address
		if found := warnings(t, m); len(found) > 0 {
			t.Errorf("%s: %+v", address, found)
		}
	}
}
