// Package openapitest holds a running app to its OpenAPI document, in
// tests.
//
//	server := httptest.NewServer(openapitest.Check(t, spec, handler))
package openapitest

import (
	"bytes"
	"context"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
)

// Check lets requests through to next and fails the test where an
// answer, or a request that next accepted (2xx), is not as spec says;
// an answer may hold no field that spec does not have. An address that
// spec does not know may answer nothing but 404 and 405. spec is what
// GET /openapi.yaml answers.
func Check(t testing.TB, spec []byte, next http.Handler) http.Handler {
	t.Helper()
	router, err := newRouter(spec)
	if err != nil {
		t.Fatalf("the OpenAPI document: %v", err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("%s %s: reading the request: %v", r.Method, r.URL.Path, err)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		answer := httptest.NewRecorder()
		next.ServeHTTP(answer, r)
		if err := judge(router, r, body, answer); err != nil {
			t.Errorf("%s %s answered %d: %v", r.Method, r.URL.Path, answer.Code, err)
		}
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	})
}

func newRouter(spec []byte) (routers.Router, error) {
	doc, err := openapi3.NewLoader().LoadFromData(spec)
	if err != nil {
		return nil, err
	}
	doc.Servers = nil // whatever address the test's server has
	for _, text := range []string{"text/html", "text/javascript", "application/yaml"} {
		openapi3filter.RegisterBodyDecoder(text, openapi3filter.PlainBodyDecoder)
	}
	return legacy.NewRouter(doc)
}

// takesAnything tells of bodies without a form: there is nothing to
// decode, nor need they have a type.
func takesAnything(operation *openapi3.Operation) bool {
	return operation.RequestBody != nil && operation.RequestBody.Value.Content["*/*"] != nil
}

func judge(router routers.Router, r *http.Request, body []byte, answer *httptest.ResponseRecorder) error {
	route, parameters, err := router.FindRoute(r)
	if err != nil {
		if answer.Code == http.StatusNotFound || answer.Code == http.StatusMethodNotAllowed {
			return nil
		}
		return err
	}
	asked := r.Clone(context.Background())
	asked.Body = io.NopCloser(bytes.NewReader(body))
	request := &openapi3filter.RequestValidationInput{
		Request: asked, Route: route, PathParams: parameters,
		// Who may call is the app's to decide; its answer is what is
		// judged here.
		Options: &openapi3filter.Options{
			AuthenticationFunc:    openapi3filter.NoopAuthenticationFunc,
			IncludeResponseStatus: true,
			ExcludeRequestBody:    takesAnything(route.Operation),
		},
	}
	if answer.Code < 300 {
		if err := openapi3filter.ValidateRequest(context.Background(), request); err != nil {
			return err
		}
	}
	if err := openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: request, Status: answer.Code, Header: answer.Header(),
		Body: io.NopCloser(bytes.NewReader(answer.Body.Bytes())), Options: request.Options,
	}); err != nil {
		return err
	}
	return judgeFields(route.Operation.Responses.Status(answer.Code), answer)
}

// judgeFields refuses JSON fields that the document does not have.
func judgeFields(documented *openapi3.ResponseRef, answer *httptest.ResponseRecorder) error {
	kind, _, _ := mime.ParseMediaType(answer.Header().Get("Content-Type"))
	if documented == nil || kind != "application/json" {
		return nil
	}
	media := documented.Value.Content.Get(kind)
	if media == nil || media.Schema == nil {
		return nil
	}
	return unknownFields(media.Schema.Value, answer.Body.Bytes())
}
