package openapitest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
)

// unknownFields returns an error that names what a JSON body holds
// beyond its schema. The document leaves responses open, so that they
// may grow; the app must not send what is not documented.
func unknownFields(schema *openapi3.Schema, body []byte) error {
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		return err
	}
	if unknown := undocumented([]*openapi3.Schema{schema}, value, ""); len(unknown) > 0 {
		return fmt.Errorf("undocumented fields: %q", unknown)
	}
	return nil
}

// undocumented walks a value beside the schemas that describe it together.
func undocumented(schemas []*openapi3.Schema, value any, path string) (found []string) {
	schemas = flatten(schemas)
	switch v := value.(type) {
	case []any:
		for _, item := range v {
			found = append(found, undocumented(itemSchemas(schemas), item, path+"[]")...)
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			of, open := fieldSchemas(schemas, name)
			if of == nil && !open {
				found = append(found, path+"."+name)
				continue
			}
			found = append(found, undocumented(of, v[name], path+"."+name)...)
		}
	}
	return found
}

// flatten adds the schemas of allOf, oneOf and anyOf.
func flatten(schemas []*openapi3.Schema) (all []*openapi3.Schema) {
	for _, s := range schemas {
		all = append(all, s)
		for _, refs := range []openapi3.SchemaRefs{s.AllOf, s.OneOf, s.AnyOf} {
			for _, ref := range refs {
				all = append(all, flatten([]*openapi3.Schema{ref.Value})...)
			}
		}
	}
	return all
}

// fieldSchemas returns the schemas of a field. An object that documents
// no field at all is open: it may hold any.
func fieldSchemas(schemas []*openapi3.Schema, name string) (of []*openapi3.Schema, open bool) {
	open = true
	for _, s := range schemas {
		if len(s.Properties) > 0 {
			open = false
		}
		if ref := s.Properties[name]; ref != nil {
			of = append(of, ref.Value)
		} else if more := s.AdditionalProperties.Schema; more != nil {
			of = append(of, more.Value)
		}
	}
	return of, open
}

func itemSchemas(schemas []*openapi3.Schema) (of []*openapi3.Schema) {
	for _, s := range schemas {
		if s.Items != nil {
			of = append(of, s.Items.Value)
		}
	}
	return of
}
