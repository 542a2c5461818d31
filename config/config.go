// Package config reads the program's settings from the environment, all of them
// checked before anything starts.
package config

import (
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/caarlos0/env/v11"
)

// Config is the program's whole configuration. Secrets print as "[secret]".
type Config struct {
	Port        string `env:"PORT" envDefault:"8080"`
	PublicURL   string `env:"PUBLIC_URL" envDefault:"http://127.0.0.1:8080"` // where people's browsers and Dialpad reach the app
	DatabaseURL Secret `env:"DATABASE_URL" envDefault:"sqlite:dialpad-texting.db"`

	SessionKeys    Keys `env:"SESSION_KEYS"`    // sign cookies, newest first
	EncryptionKeys Keys `env:"ENCRYPTION_KEYS"` // seal tokens and secrets at rest, newest first

	CRMAppSecrets    Secret   `env:"CRM_APP_SECRETS"` // whsec_…, newest first
	CRMAPIURL        string   `env:"CRM_API_URL"`     // may hold {linkname}
	CRMBaseDomain    string   `env:"CRM_BASE_DOMAIN" envDefault:"salesmate.io"`
	CRMAppPageURL    string   `env:"CRM_APP_PAGE_URL"` // may hold {linkname}; where the CRM shows our detail page
	CRMUpgradeURL    string   `env:"CRM_UPGRADE_URL"`  // may hold {linkname}
	CRMRecordURL     string   `env:"CRM_RECORD_URL"`   // may hold {linkname}, {module} and {id}; a record's page
	PlansWithDialpad []string `env:"PLANS_WITH_DIALPAD" envSeparator:","`

	DialpadURL          string   `env:"DIALPAD_URL" envDefault:"https://dialpad.com"`
	DialpadClientID     string   `env:"DIALPAD_CLIENT_ID"`
	DialpadClientSecret Secret   `env:"DIALPAD_CLIENT_SECRET"`
	DialpadScopes       []string `env:"DIALPAD_SCOPES" envSeparator:" " envDefault:"offline_access change_log"`

	// Whose header X-Forwarded-For says who asks, for limits by address.
	TrustedProxies []string `env:"TRUSTED_PROXIES" envSeparator:","`

	// After how many days batches that have ended are deleted; 0: never.
	RetentionDays int `env:"RETENTION_DAYS" envDefault:"0"`

	// Texts that one person may ask for in an hour; 0 for any number.
	OneToOnePerHour   int `env:"ONE_TO_ONE_PER_HOUR" envDefault:"300"`
	AutomationPerHour int `env:"AUTOMATION_PER_HOUR" envDefault:"5000"` // of one From User

	AuditDays int `env:"AUDIT_DAYS" envDefault:"365"` // how long the audit log is kept

	MetricsToken Secret `env:"METRICS_TOKEN"`
	AdminAddr    string `env:"ADMIN_ADDR"` // where metrics and profiles are; "" for the command's default, AdminOff for nowhere
	LogLevel     string `env:"LOG_LEVEL" envDefault:"info"`
}

// minRetentionDays is as long as texts still matter: an opt-out counts as the
// answer to one of the last 30 days.
const minRetentionDays = 30

const maxAuditDays = 36_500

// AdminOff is the AdminAddr of a process that does not listen for operators.
const AdminOff = "-"

// Secret is a setting that must not be printed.
type Secret string

func (s Secret) String() string       { return "[secret]" }
func (s Secret) GoString() string     { return "[secret]" }
func (s Secret) LogValue() slog.Value { return slog.StringValue("[secret]") }

// Reveal is the setting itself.
func (s Secret) Reveal() string { return string(s) }

// Keys are 32-byte keys, newest first.
type Keys struct{ list [][]byte }

// List is the keys themselves.
func (k Keys) List() [][]byte { return k.list }

func (k Keys) String() string       { return "[secret]" }
func (k Keys) GoString() string     { return "[secret]" }
func (k Keys) LogValue() slog.Value { return slog.StringValue("[secret]") }

// UnmarshalText reads comma-separated base64 of 32 bytes each; the problem is
// named, never the value.
func (k *Keys) UnmarshalText(text []byte) error {
	k.list = nil
	for i, part := range strings.Split(string(text), ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		b, err := decodeKey(part)
		if err != nil {
			return fmt.Errorf("key %d is not base64", i+1)
		}
		if len(b) != 32 {
			return fmt.Errorf("key %d has %d bytes, needs 32", i+1, len(b))
		}
		k.list = append(k.list, b)
	}
	return nil
}

func decodeKey(s string) ([]byte, error) {
	if b, err := base64.StdEncoding.DecodeString(s); err == nil {
		return b, nil
	}
	return base64.RawURLEncoding.DecodeString(strings.TrimRight(s, "="))
}

// Load reads the settings from environ ("KEY=value"), as os.Environ gives it.
// Its error names every problem at once.
func Load(environ []string) (Config, error) {
	vars := env.ToMap(environ)
	var c Config
	var problems []error
	err := env.ParseWithOptions(&c, env.Options{Environment: vars})
	var list env.AggregateError
	if errors.As(err, &list) {
		for _, e := range list.Errors {
			problems = append(problems, named(e))
		}
	} else if err != nil {
		problems = append(problems, err)
	}
	problems = append(problems, c.check()...)
	if len(problems) > 0 {
		return Config{}, fmt.Errorf("the configuration has problems:\n%w", errors.Join(problems...))
	}
	if c.CRMAppPageURL == "" {
		c.CRMAppPageURL = c.scheme() + "://{linkname}." + c.CRMBaseDomain + "/#/app/setup/apps/dialpad"
	}
	switch {
	case len(c.TrustedProxies) == 0:
		c.TrustedProxies = privateNetworks
	case slices.Equal(c.TrustedProxies, []string{"-"}):
		c.TrustedProxies = nil
	}
	if c.CRMUpgradeURL == "" {
		c.CRMUpgradeURL = c.scheme() + "://{linkname}." + c.CRMBaseDomain + "/#/app/setup/billing"
	}
	if c.CRMRecordURL == "" {
		c.CRMRecordURL = c.scheme() + "://{linkname}." + c.CRMBaseDomain + "/#/app/{module}s/{id}/detail"
	}
	return c, nil
}

// named gives a parse error the variable's name; the field's name would mean
// nothing to an operator.
func named(err error) error {
	var p env.ParseError
	if errors.As(err, &p) {
		name := map[string]string{"SessionKeys": "SESSION_KEYS", "EncryptionKeys": "ENCRYPTION_KEYS",
			"OneToOnePerHour": "ONE_TO_ONE_PER_HOUR", "AutomationPerHour": "AUTOMATION_PER_HOUR"}[p.Name]
		if name != "" {
			return fmt.Errorf("%s: %w", name, p.Err)
		}
	}
	return err
}

// privateNetworks are whose X-Forwarded-For counts by default: who connects
// from there is a proxy of ours, or nobody whom a limit must hold.
var privateNetworks = []string{"127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"}

// isNetwork reports whether v is an address, or a network such as
// 10.0.0.0/8.
func isNetwork(v string) bool {
	_, err := netip.ParsePrefix(v)
	_, err2 := netip.ParseAddr(v)
	return err == nil || err2 == nil
}

var domain = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?$`)

func (c Config) check() []error {
	var p []error
	fail := func(name, problem string) { p = append(p, fmt.Errorf("%s: %s", name, problem)) }
	if len(c.SessionKeys.list) == 0 {
		fail("SESSION_KEYS", "needs at least one base64 key of 32 bytes (openssl rand -base64 32)")
	}
	if len(c.EncryptionKeys.list) == 0 {
		fail("ENCRYPTION_KEYS", "needs at least one base64 key of 32 bytes (openssl rand -base64 32)")
	}
	for name, v := range map[string]string{"CRM_APP_SECRETS": string(c.CRMAppSecrets), "DIALPAD_CLIENT_ID": c.DialpadClientID,
		"DIALPAD_CLIENT_SECRET": string(c.DialpadClientSecret), "CRM_API_URL": c.CRMAPIURL} {
		if v == "" {
			fail(name, "is missing")
		}
	}
	if len(c.PlansWithDialpad) == 0 {
		fail("PLANS_WITH_DIALPAD", "is missing: name the plans that include Dialpad, comma-separated")
	}
	if !domain.MatchString(c.CRMBaseDomain) {
		fail("CRM_BASE_DOMAIN", "is not a domain name in lower case")
	}
	if db := string(c.DatabaseURL); !strings.HasPrefix(db, "postgres://") && !strings.HasPrefix(db, "postgresql://") &&
		!(strings.HasPrefix(db, "sqlite:") && len(db) > len("sqlite:")) {
		fail("DATABASE_URL", "must begin with postgres:// or sqlite:path")
	}
	for _, v := range c.TrustedProxies {
		if !isNetwork(v) && !slices.Equal(c.TrustedProxies, []string{"-"}) {
			fail("TRUSTED_PROXIES", "must be addresses or networks such as 10.0.0.0/8, comma-separated, or - for none")
			break
		}
	}
	if _, port, err := net.SplitHostPort(c.AdminAddr); c.AdminAddr != "" && c.AdminAddr != AdminOff && (err != nil || port == "") {
		fail("ADMIN_ADDR", "must be host:port, like 127.0.0.1:9090, or - for no such address")
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		fail("LOG_LEVEL", "must be debug, info, warn or error")
	}
	return slices.Concat(p, c.checkNumbers(), c.checkURLs())
}

func (c Config) checkNumbers() []error {
	var p []error
	fail := func(name, problem string) { p = append(p, fmt.Errorf("%s: %s", name, problem)) }
	if c.RetentionDays != 0 && c.RetentionDays < minRetentionDays {
		fail("RETENTION_DAYS", fmt.Sprintf("must be 0, for ever, or at least %d", minRetentionDays))
	}
	for name, n := range map[string]int{"ONE_TO_ONE_PER_HOUR": c.OneToOnePerHour, "AUTOMATION_PER_HOUR": c.AutomationPerHour} {
		if n < 0 {
			fail(name, "must be a number of texts, or 0 for no limit")
		}
	}
	if c.AuditDays < 1 || c.AuditDays > maxAuditDays {
		fail("AUDIT_DAYS", "must be a number of days, 1 to 36500")
	}
	return p
}

func (c Config) checkURLs() []error {
	var p []error
	for name, v := range map[string]string{"PUBLIC_URL": c.PublicURL, "CRM_API_URL": c.CRMAPIURL, "CRM_APP_PAGE_URL": c.CRMAppPageURL,
		"CRM_UPGRADE_URL": c.CRMUpgradeURL, "CRM_RECORD_URL": c.CRMRecordURL, "DIALPAD_URL": c.DialpadURL} {
		if v != "" {
			if problem := urlProblem(v); problem != "" {
				p = append(p, fmt.Errorf("%s: %s", name, problem))
			}
		}
	}
	if u, err := url.Parse(c.PublicURL); err == nil && (u.Path != "" || u.RawQuery != "" || u.Fragment != "") {
		p = append(p, errors.New("PUBLIC_URL: must be an origin alone, like https://texting.example.com"))
	}
	return p
}

// urlProblem names what is wrong with an address; {linkname} counts as a label.
func urlProblem(v string) string {
	u, err := url.Parse(strings.ReplaceAll(v, "{linkname}", "linkname"))
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return "is not an http(s) address"
	}
	if u.User != nil {
		return "must not hold credentials"
	}
	if u.Scheme == "http" && !Loopback(u.Host) {
		return "must be https (http is for loopback alone)"
	}
	return ""
}

// Loopback reports whether a host (with or without a port) is this machine.
func Loopback(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return ip != nil && ip.IsLoopback()
}

func (c Config) scheme() string {
	if Loopback(c.CRMBaseDomain) {
		return "http"
	}
	return "https"
}

// TenantHost is the host name at which a tenant finds its CRM.
func (c Config) TenantHost(linkname string) string { return linkname + "." + c.CRMBaseDomain }

// AppPageURL is where a tenant's CRM shows our detail page.
func (c Config) AppPageURL(linkname string) string {
	return strings.ReplaceAll(c.CRMAppPageURL, "{linkname}", linkname)
}

// RecordURL is a record's page in a tenant's CRM, with {module} and {id}
// to be filled in.
func (c Config) RecordURL(linkname string) string {
	return strings.ReplaceAll(c.CRMRecordURL, "{linkname}", linkname)
}

// UpgradeURL is where a tenant's CRM sells a larger plan.
func (c Config) UpgradeURL(linkname string) string {
	return strings.ReplaceAll(c.CRMUpgradeURL, "{linkname}", linkname)
}
