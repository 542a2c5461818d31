// Package openapitest checks the answers of a running app against its OpenAPI
// document, in tests.
//
//	server := httptest.NewServer(openapitest.Check(t, spec, handler))
package openapitest

import (
	"bytes"
	"compress/gzip"
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

// Check passes requests on to next. It fails the test if an answer, or a request
// that next accepted (2xx), does not fit spec, the body of GET /openapi.yaml. An
// answer may hold no field that spec does not have. An address that spec does
// not know must answer 404 or 405.
func Check(t testing.TB, spec []byte, next http.Handler) http.Handler {
	t.Helper()
	router, err := newRouter(spec)
	if err != nil {
		t.Fatalf("load the OpenAPI document: %v", err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("%s %s: read the request: %v", r.Method, r.URL.Path, err)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		answer := httptest.NewRecorder()
		next.ServeHTTP(answer, r)
		if r.Context().Err() != nil {
			return // the client has gone: nobody reads the answer
		}
		if err := validate(router, r, body, answer); err != nil {
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
	doc.Servers = nil // the address of the test's server is any
	for _, text := range []string{"text/html", "text/javascript", "application/yaml"} {
		openapi3filter.RegisterBodyDecoder(text, openapi3filter.PlainBodyDecoder)
	}
	return legacy.NewRouter(doc)
}

// acceptsAnyBody reports whether an operation takes bodies of any type, which
// can't be decoded.
func acceptsAnyBody(operation *openapi3.Operation) bool {
	return operation.RequestBody != nil && operation.RequestBody.Value.Content["*/*"] != nil
}

// validate checks an answer, and after success the request.
func validate(router routers.Router, r *http.Request, body []byte, answer *httptest.ResponseRecorder) error {
	route, parameters, err := router.FindRoute(r)
	if err != nil {
		if answer.Code == http.StatusNotFound || answer.Code == http.StatusMethodNotAllowed {
			return nil
		}
		return err
	}
	said, err := plainBody(answer)
	if err != nil {
		return err
	}
	sent := r.Clone(context.Background())
	sent.Body = io.NopCloser(bytes.NewReader(body))
	request := &openapi3filter.RequestValidationInput{
		Request: sent, Route: route, PathParams: parameters,
		// The app decides who may call; only its answer is checked here.
		Options: &openapi3filter.Options{
			AuthenticationFunc:    openapi3filter.NoopAuthenticationFunc,
			IncludeResponseStatus: true,
			ExcludeRequestBody:    acceptsAnyBody(route.Operation),
		},
	}
	if answer.Code < 300 {
		if err := openapi3filter.ValidateRequest(context.Background(), request); err != nil {
			return err
		}
	}
	if err := openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: request, Status: answer.Code, Header: answer.Header(),
		Body: io.NopCloser(bytes.NewReader(said)), Options: request.Options,
	}); err != nil {
		return err
	}
	return checkFields(route.Operation.Responses.Status(answer.Code), answer, said)
}

// plainBody returns an answer's body, decompressed.
func plainBody(answer *httptest.ResponseRecorder) ([]byte, error) {
	if answer.Header().Get("Content-Encoding") != "gzip" {
		return answer.Body.Bytes(), nil
	}
	zip, err := gzip.NewReader(bytes.NewReader(answer.Body.Bytes()))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(zip)
}

// checkFields refuses JSON fields that the document does not have.
func checkFields(documented *openapi3.ResponseRef, answer *httptest.ResponseRecorder, body []byte) error {
	kind, _, _ := mime.ParseMediaType(answer.Header().Get("Content-Type"))
	if documented == nil || kind != "application/json" {
		return nil
	}
	media := documented.Value.Content.Get(kind)
	if media == nil || media.Schema == nil {
		return nil
	}
	return unknownFields(media.Schema.Value, body)
}
