package config

import (
	"bytes"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/jackc/pgx/v5"
)

// Warning is a setting that suits development only.
type Warning struct{ Setting, Problem string }

// Warnings returns what is set for development although PUBLIC_URL is
// public. Problems hold no secret.
func (c Config) Warnings() []Warning {
	if u, err := url.Parse(c.PublicURL); err != nil || Loopback(u.Host) {
		return nil
	}
	var found []Warning
	warn := func(setting, format string, args ...any) {
		found = append(found, Warning{setting, fmt.Sprintf(format, args...)})
	}
	c.warnAddresses(warn)
	c.warnSecrets(warn)
	if strings.EqualFold(c.LogLevel, "debug") {
		warn("LOG_LEVEL", "debug writes numbers and texts to the log: set info")
	}
	c.warnDatabase(warn)
	slices.SortStableFunc(found, func(a, b Warning) int { return strings.Compare(a.Setting, b.Setting) })
	return found
}

var urlPlaceholders = strings.NewReplacer("{linkname}", "linkname", "{module}", "contact", "{id}", "1")

type warnFunc func(setting, format string, args ...any)

// warnAddresses warns of sandboxes: nothing real goes out or comes in.
func (c Config) warnAddresses(warn warnFunc) {
	for _, a := range []struct{ setting, value string }{{"CRM_API_URL", c.CRMAPIURL}, {"CRM_APP_PAGE_URL", c.CRMAppPageURL},
		{"CRM_UPGRADE_URL", c.CRMUpgradeURL}, {"CRM_RECORD_URL", c.CRMRecordURL}, {"DIALPAD_URL", c.DialpadURL}} {
		if u, err := url.Parse(urlPlaceholders.Replace(a.value)); err == nil && Loopback(u.Host) {
			warn(a.setting, "%s is this machine", u.Host)
		}
	}
	if Loopback(c.CRMBaseDomain) {
		warn("CRM_BASE_DOMAIN", "%s is this machine", c.CRMBaseDomain)
	}
	if u, err := url.Parse(c.DialpadURL); err == nil && strings.EqualFold(u.Hostname(), "sandbox.dialpad.com") {
		warn("DIALPAD_URL", "Dialpad's sandbox sends no real texts")
	}
}

// warnSecrets warns of keys that somebody typed, and of one key for two
// purposes.
func (c Config) warnSecrets(warn warnFunc) {
	for setting, keys := range map[string][][]byte{"SESSION_KEYS": c.SessionKeys.list, "ENCRYPTION_KEYS": c.EncryptionKeys.list,
		"CRM_APP_SECRETS": c.appSecrets()} {
		for i, key := range keys {
			if isTyped(key) {
				warn(setting, "key %d was not made at random (openssl rand -base64 32)", i+1)
			}
		}
	}
	for i, key := range c.SessionKeys.list {
		for _, other := range append(c.EncryptionKeys.list, c.appSecrets()...) {
			if bytes.Equal(key, other) {
				warn("SESSION_KEYS", "key %d has another purpose too: make one for each", i+1)
				break
			}
		}
	}
	if token := c.MetricsToken.Reveal(); token != "" && len(token) < minMetricsToken {
		warn("METRICS_TOKEN", "is shorter than %d characters: others could guess it", minMetricsToken)
	}
}

const minMetricsToken = 20

// appSecrets returns the bytes of CRM_APP_SECRETS that can be decoded.
func (c Config) appSecrets() (keys [][]byte) {
	for part := range strings.SplitSeq(c.CRMAppSecrets.Reveal(), ",") {
		if key, err := decodeKey(strings.TrimPrefix(strings.TrimSpace(part), "whsec_")); err == nil {
			keys = append(keys, key)
		}
	}
	return keys
}

// isTyped reports whether a key is words or a pattern. Of 32 random bytes
// about 30 differ, and about 12 are printable.
func isTyped(key []byte) bool {
	different := map[byte]bool{}
	for _, b := range key {
		different[b] = true
	}
	printable := bytes.IndexFunc(key, func(r rune) bool { return r > unicode.MaxASCII || !unicode.IsPrint(r) }) < 0
	return printable || len(different) < min(16, len(key)/2+1)
}

// warnDatabase warns of a connection that others can read.
func (c Config) warnDatabase(warn warnFunc) {
	address := c.DatabaseURL.Reveal()
	if path, embedded := strings.CutPrefix(address, "sqlite:"); embedded {
		if !strings.HasPrefix(path, "/") {
			warn("DATABASE_URL", "the database file is in the folder that the process happens to start in: give its whole path")
		}
		return
	}
	cfg, err := pgx.ParseConfig(address)
	if err != nil || isLocal(cfg.Host) {
		return
	}
	// Without sslmode, Postgres's clients take a plain connection too.
	plain := cfg.TLSConfig == nil
	for _, fallback := range cfg.Fallbacks {
		plain = plain || fallback.TLSConfig == nil
	}
	if plain {
		warn("DATABASE_URL", "the connection to %s may be without TLS: set sslmode=verify-full (or require)", cfg.Host)
	}
}

// isLocal reports whether a database host is this machine: loopback or a
// socket's folder.
func isLocal(host string) bool {
	return strings.HasPrefix(host, "/") || Loopback(net.JoinHostPort(host, "0"))
}
