package config

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
)

func good() map[string]string {
	key := base64.StdEncoding.EncodeToString(make([]byte, 32))
	return map[string]string{"SESSION_KEYS": key, "ENCRYPTION_KEYS": key + "," + key, "CRM_APP_SECRETS": "whsec_topsecretvalue",
		"CRM_API_URL": "https://{linkname}.salesmate.io/apis/dialpad", "PLANS_WITH_DIALPAD": "business,enterprise",
		"PUBLIC_URL": "https://texting.example.com", "DIALPAD_CLIENT_ID": "id", "DIALPAD_CLIENT_SECRET": "dialpadsecretvalue"}
}

func environ(m map[string]string) []string {
	var out []string
	for k, v := range m {
		out = append(out, k+"="+v)
	}
	return out
}

func TestDefaultsFollowTheDomain(t *testing.T) {
	c, err := Load(environ(good()))
	if err != nil {
		t.Fatal(err)
	}
	if got := c.AppPageURL("acme"); got != "https://acme.salesmate.io/#/app/setup/apps/dialpad" {
		t.Errorf("app page is %s", got)
	}
	if len(c.EncryptionKeys.List()) != 2 || c.Port != "8080" || len(c.DialpadScopes) != 2 || len(c.PlansWithDialpad) != 2 {
		t.Errorf("%+v", c)
	}
	m := good()
	m["CRM_BASE_DOMAIN"] = "localhost:8090"
	if c, err = Load(environ(m)); err != nil || c.AppPageURL("acme") != "http://acme.localhost:8090/#/app/setup/apps/dialpad" {
		t.Errorf("%s %v", c.AppPageURL("acme"), err)
	}
}

func TestTrustedProxies(t *testing.T) {
	for value, want := range map[string]string{
		"": "127.0.0.0/8 ::1/128 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7", "-": "",
		"203.0.113.7,2001:db8::/32": "203.0.113.7 2001:db8::/32",
	} {
		m := good()
		m["TRUSTED_PROXIES"] = value
		if c, err := Load(environ(m)); err != nil || strings.Join(c.TrustedProxies, " ") != want {
			t.Errorf("%q: %v, %v", value, c.TrustedProxies, err)
		}
	}
	for _, value := range []string{"proxy.example.com", "10.0.0.0/33", "-,10.0.0.0/8", "*"} {
		m := good()
		m["TRUSTED_PROXIES"] = value
		if _, err := Load(environ(m)); err == nil || !strings.Contains(err.Error(), "TRUSTED_PROXIES:") {
			t.Errorf("%q: %v", value, err)
		}
	}
}

func TestRetentionIsOffOrAMonthAtLeast(t *testing.T) {
	m := good()
	if c, err := Load(environ(m)); err != nil || c.RetentionDays != 0 {
		t.Errorf("by default %d days, %v", c.RetentionDays, err)
	}
	for value, ok := range map[string]bool{"0": true, "30": true, "3650": true, "29": false, "-1": false, "soon": false} {
		m["RETENTION_DAYS"] = value
		if _, err := Load(environ(m)); (err == nil) != ok {
			t.Errorf("RETENTION_DAYS=%s: %v", value, err)
		}
	}
}

func TestAllProblemsAreReportedAtOnceByNameWithoutSecrets(t *testing.T) {
	m := map[string]string{"SESSION_KEYS": "c2hvcnRzZWNyZXQ=", "ENCRYPTION_KEYS": "!!notbase64secret!!", "DATABASE_URL": "mysql://root:hunter2@db",
		"PUBLIC_URL": "http://texting.example.com/app", "DIALPAD_URL": "ftp://x", "LOG_LEVEL": "loud", "CRM_BASE_DOMAIN": "Sales Mate",
		"DIALPAD_CLIENT_SECRET": "dialpadsecretvalue"}
	_, err := Load(environ(m))
	if err == nil {
		t.Fatal("accepted")
	}
	for _, name := range []string{"SESSION_KEYS", "ENCRYPTION_KEYS", "DATABASE_URL", "PUBLIC_URL", "DIALPAD_URL", "LOG_LEVEL", "CRM_BASE_DOMAIN",
		"CRM_APP_SECRETS", "CRM_API_URL", "PLANS_WITH_DIALPAD", "DIALPAD_CLIENT_ID"} {
		if !strings.Contains(err.Error(), name+":") {
			t.Errorf("%s is not named in:\n%v", name, err)
		}
	}
	for _, secret := range []string{"c2hvcnRzZWNyZXQ", "notbase64secret", "hunter2", "dialpadsecretvalue"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the error prints %q", secret)
		}
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	c, err := Load(environ(good()))
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		out := fmt.Sprintf(format, c)
		if strings.Contains(out, "topsecretvalue") || strings.Contains(out, "dialpadsecretvalue") {
			t.Errorf("%s prints a secret: %s", format, out)
		}
	}
}
