package crm

import (
	"context"
	"errors"
	"net/http"
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

// Fields returns the fields of a module (fields.list).
func (c *Client) Fields(ctx context.Context, t Tenant, module string) (FieldList, error) {
	var answer struct {
		Fields []Field      `json:"fields"`
		Phones []PhoneField `json:"phones"`
	}
	data := struct {
		Tenant Tenant `json:"tenant"`
		Module string `json:"module"`
	}{t, module}
	if err := c.read(ctx, t, CallFields, "fields", data, &answer); err != nil {
		return FieldList{}, err
	}
	for _, f := range answer.Fields {
		if f.Key == "" {
			return FieldList{}, garbage(CallFields, http.StatusOK, errors.New("a field without a key"))
		}
	}
	for _, p := range answer.Phones {
		if p.Key == "" {
			return FieldList{}, garbage(CallFields, http.StatusOK, errors.New("a phone without a key"))
		}
	}
	return FieldList(answer), nil
}
