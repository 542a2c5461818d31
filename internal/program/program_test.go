package program_test

import (
	"bytes"
	"encoding/base64"
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
