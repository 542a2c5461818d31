package openapitest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

// recorder is a test that only records its errors.
type recorder struct {
	testing.TB
	errors []string
}

func (r *recorder) Helper() {}
func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

func TestCheckFailsOnAnswersThatDoNotFitTheDocument(t *testing.T) {
	spec, err := os.ReadFile("../openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const batch = `{"batch":{"id":"b","source":"one","state":"done","created_at":"2026-11-24T14:00:00Z","send_at":null,` +
		`"finished_at":null,"eta":null,"counts":{"total":0,"queued":0,"sending":0,"sent":0,"delivered":0,"undelivered":0,` +
		`"failed":0,"uncertain":0,"held":0,"cancelled":0,"skipped":0}}}`
	const problem = `{"error":{"code":"not_found","message":"There is nothing here."}}`
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		kind, answer             string
		fits                     bool
	}{
		{"a batch", "GET", "/embed/api/batches/b", "", 200, "application/json", batch, true},
		{"a batch without a count", "GET", "/embed/api/batches/b", "", 200, "application/json", strings.Replace(batch, `"held":0,`, "", 1), false},
		{"an undocumented field", "GET", "/embed/api/batches/b", "", 200, "application/json", strings.Replace(batch, `"held":0,`, `"held":0,"lost":0,`, 1), false},
		{"an unknown state", "GET", "/embed/api/batches/b", "", 200, "application/json", strings.Replace(batch, "done", "lost", 1), false},
		{"an error", "GET", "/embed/api/batches/b", "", 404, "application/json; charset=utf-8", problem, true},
		{"an error without an envelope", "GET", "/embed/api/batches/b", "", 404, "application/json", `{"message":"no"}`, false},
		{"an undocumented status", "GET", "/embed/api/batches/b", "", 418, "application/json", problem, false},
		{"an accepted unknown field", "POST", "/embed/api/render", `{"template_id":1,"x":1}`, 200, "application/json", `{"text":"Hi"}`, false},
		{"a refused unknown field", "POST", "/embed/api/render", `{"template_id":1,"x":1}`, 400, "application/json", problem, true},
		{"an id as a number", "POST", "/embed/api/render", `{"template_id":1}`, 200, "application/json", `{"text":"Hi"}`, true},
		{"a page", "GET", "/texts", "", 200, "text/html; charset=utf-8", "<!doctype html>", true},
		{"no content", "POST", "/apps/dialpad/remove", "", 204, "", "", true},
		{"an undocumented address", "GET", "/secret", "", 200, "text/plain", "x", false},
		{"an address that does not exist", "GET", "/secret", "", 404, "text/plain", "x", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := &recorder{TB: t}
			server := httptest.NewServer(Check(got, spec, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if c.kind != "" {
					w.Header().Set("Content-Type", c.kind)
				}
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.answer))
			})))
			defer server.Close()
			request, err := http.NewRequest(c.method, server.URL+c.path, strings.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Content-Type", "application/json")
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode != c.status {
				t.Errorf("the caller got %d, want %d", response.StatusCode, c.status)
			}
			if fits := len(got.errors) == 0; fits != c.fits {
				t.Errorf("fits: %v, want %v: %s", fits, c.fits, got.errors)
			}
		})
	}
}
