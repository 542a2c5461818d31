package static

import _ "embed"

//go:embed openapi.yaml
var document []byte

// OpenAPI is the contract of GET /openapi.yaml, in YAML; the caller must not change it.
func OpenAPI() []byte { return document }
