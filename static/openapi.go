package static

import _ "embed"

//go:embed openapi.yaml
var openAPI []byte

// OpenAPI returns the OpenAPI document of GET /openapi.yaml. The caller must
// not change it.
func OpenAPI() []byte { return openAPI }
