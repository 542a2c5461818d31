package program_test

import (
	"bytes"
	"encoding/base64"
	"io"
	"strings"
	"testing"

	"dialpad-texting/internal/cli"
	"dialpad-texting/internal/program"
	"dialpad-texting/models/modeltest"
)

// environ is a complete configuration; later entries win.
func environ(databaseURL string, more ...string) []string {
	key := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32))
	return append([]string{
		"DATABASE_URL=" + databaseURL, "SESSION_KEYS=" + key, "ENCRYPTION_KEYS=" + key, "CRM_APP_SECRETS=whsec_" + key,
		"CRM_API_URL=http://127.0.0.1:1/{linkname}", "CRM_BASE_DOMAIN=localhost:1", "PLANS_WITH_DIALPAD=business",
		"DIALPAD_URL=http://127.0.0.1:1", "DIALPAD_CLIENT_ID=id", "DIALPAD_CLIENT_SECRET=secret", "LOG_LEVEL=error",
	}, more...)
}

func TestCommandsReportProblemsOfTheConfiguration(t *testing.T) {
	t.Parallel()
	commands := map[string]cli.RunFunc{"serve": program.Serve, "worker": program.Worker, "migrate": program.Migrate}
	for name, run := range commands {
		err := run(t.Context(), cli.Process{Environ: []string{"DATABASE_URL=sqlite:x"}, Err: t.Output()})
		if err == nil || !strings.Contains(err.Error(), "DIALPAD_CLIENT_ID") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMigrateReportsACurrentSchema(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	err := program.Migrate(t.Context(), cli.Process{Environ: environ(modeltest.SQLite(t, nil)), Out: &out, Err: t.Output()})
	if err != nil || out.String() != "the schema is current\n" {
		t.Errorf("%q, %v", out.String(), err)
	}
}

func TestWorkerRefusesAnEmbeddedDatabase(t *testing.T) {
	t.Parallel()
	err := program.Worker(t.Context(), cli.Process{Environ: environ(modeltest.SQLite(t, nil)), Err: t.Output()})
	if err == nil || !strings.Contains(err.Error(), "run `serve`") {
		t.Errorf("%v", err)
	}
}

func TestStartWarnsOfDevelopmentSettingsOnAPublicAddress(t *testing.T) {
	t.Parallel()
	warnings := func(more ...string) string {
		var log bytes.Buffer
		e := environ(modeltest.SQLite(t, nil), append(more, "LOG_LEVEL=warn")...)
		if err := program.Migrate(t.Context(), cli.Process{Environ: e, Out: io.Discard, Err: &log}); err != nil {
			t.Fatal(err)
		}
		return log.String()
	}
	public := warnings("PUBLIC_URL=https://texting.example.com")
	for _, setting := range []string{"CRM_API_URL", "CRM_BASE_DOMAIN", "DIALPAD_URL", "SESSION_KEYS", "ENCRYPTION_KEYS", "CRM_APP_SECRETS"} {
		if !strings.Contains(public, `"setting":"`+setting+`"`) {
			t.Errorf("no warning of %s: %s", setting, public)
		}
	}
	if local := warnings(); local != "" {
		t.Errorf("on this machine: %s", local)
	}
}
