package openapitest

import (
	"context"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

func document(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromFile("../openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestDocumentAndItsExamplesAreValid(t *testing.T) {
	doc := document(t)
	if doc.OpenAPI != "3.0.3" {
		t.Errorf("version %q", doc.OpenAPI)
	}
	if err := doc.Validate(context.Background(), openapi3.EnableExamplesValidation(), openapi3.EnableSchemaFormatValidation()); err != nil {
		t.Error(err)
	}
}

// The examples are what the test above validates.
func TestEveryJSONBodyHasAnExample(t *testing.T) {
	for name, operation := range operations(document(t)) {
		if body := operation.RequestBody; body != nil {
			wantExample(t, name, body.Value.Content)
		}
		for status, response := range operation.Responses.Map() {
			wantExample(t, name+" "+status, response.Value.Content)
		}
	}
}

func wantExample(t *testing.T, name string, content openapi3.Content) {
	t.Helper()
	media := content.Get("application/json")
	if _, json := content["application/json"]; json && media.Example == nil && len(media.Examples) == 0 {
		t.Errorf("%s has no example", name)
	}
}

func TestEveryOperationHasSecurityIDAndSummary(t *testing.T) {
	ids := map[string]string{}
	for name, operation := range operations(document(t)) {
		if operation.Security == nil {
			t.Errorf("%s has no security", name)
		}
		if other, twice := ids[operation.OperationID]; twice || operation.OperationID == "" || operation.Summary == "" {
			t.Errorf("%s has operation id %q (also %s) and summary %q", name, operation.OperationID, other, operation.Summary)
		}
		ids[operation.OperationID] = name
	}
}

// The document is public: its numbers are fictional (+1 xxx 555 01xx).
func TestExamplesHoldFictionalNumbersOnly(t *testing.T) {
	text, err := os.ReadFile("../openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, number := range regexp.MustCompile(`\+1[0-9 ]{9,}[0-9]`).FindAllString(string(text), -1) {
		if !regexp.MustCompile(`^\+1[0-9]{3}55501[0-9]{2}$`).MatchString(strings.ReplaceAll(number, " ", "")) {
			t.Errorf("%s may be a real number", number)
		}
	}
}

// The addresses of the contract must not get lost from the document.
func TestDocumentHoldsEveryOperationOfTheContract(t *testing.T) {
	var got []string
	for name := range operations(document(t)) {
		got = append(got, name)
	}
	for _, want := range []string{
		"POST /embed/popup", "POST /apps/dialpad", "GET /apps/dialpad", "POST /texts", "GET /texts",
		"GET /embed/sdk.js", "POST /embed/api/session", "GET /connect", "GET /connect/callback", "POST /connect/confirm", "POST /dialpad/events/{path}",
		"POST /crm/events", "POST /automation/definition", "POST /automation/options", "POST /automation/execute",
		"records.resolve", "fields.list", "templates.list", "users.list", "activity.upsert", "optout.upsert", "automation.complete",
		"GET /apps/dialpad/status", "POST /apps/dialpad/install", "POST /apps/dialpad/connect", "POST /apps/dialpad/disconnect",
		"POST /apps/dialpad/remove", "PUT /apps/dialpad/settings", "GET /apps/dialpad/people",
		"GET /embed/api/context", "GET /embed/api/templates", "POST /embed/api/render", "POST /embed/api/preview",
		"POST /embed/api/batches", "GET /embed/api/batches/{id}", "PATCH /embed/api/batches/{id}",
		"GET /embed/api/batches/{id}/messages", "POST /embed/api/batches/{id}/cancel", "POST /embed/api/batches/{id}/pause",
		"POST /embed/api/batches/{id}/resume", "POST /embed/api/batches/{id}/resend",
		"POST /embed/api/messages/{id}/cancel", "GET /embed/api/messages/{id}/receipt", "GET /texts/api/batches",
		"GET /", "GET /healthz", "GET /readyz", "GET /metrics", "GET /openapi.yaml",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("%s is not in the document", want)
		}
	}
}

// operations returns the document's operations by "POST /path", and the app's own
// calls by their type.
func operations(doc *openapi3.T) map[string]*openapi3.Operation {
	found := map[string]*openapi3.Operation{}
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			found[method+" "+path] = operation
			for kind, callback := range operation.Callbacks {
				for _, item := range callback.Value.Map() {
					found[kind] = item.Post
				}
			}
		}
	}
	return found
}
