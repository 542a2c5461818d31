package crm

import (
	"context"

	"dialpad-texting/integrations/lenient"
)

// FieldList has the merge fields and phone fields of a module.
type FieldList struct {
	Fields []Field
	Phones []PhoneField
}

// Field is one merge field; Key is "Module.fieldName".
type Field struct {
	Key   string `json:"key"`
	Label string `json:"label"`
	Type  string `json:"type"`
}

// PhoneField is one field with a phone number, such as mobile.
type PhoneField struct {
	Key   string `json:"key"`
	Label string `json:"label"`
}

type fieldJSON struct {
	Key   id   `json:"key"`
	Label text `json:"label"`
	Type  text `json:"type"`
}

// Fields returns the fields of a module (fields.list). One that can't be
// read is left out.
func (c *Client) Fields(ctx context.Context, t Tenant, module string) (FieldList, error) {
	var answer struct {
		Fields entries[fieldJSON] `json:"fields"`
		Phones entries[fieldJSON] `json:"phones"`
	}
	data := struct {
		Tenant Tenant `json:"tenant"`
		Module string `json:"module"`
	}{t, module}
	if err := c.read(ctx, t, CallFields, "fields", data, &answer); err != nil {
		return FieldList{}, err
	}
	var out FieldList
	for _, f := range answer.Fields.list {
		if f.Key != "" {
			out.Fields = append(out.Fields, Field{Key: string(f.Key), Label: lenient.Name(string(f.Label)), Type: string(f.Type)})
		}
	}
	for _, p := range answer.Phones.list {
		if p.Key != "" {
			out.Phones = append(out.Phones, PhoneField{Key: string(p.Key), Label: lenient.Name(string(p.Label))})
		}
	}
	return out, nil
}
