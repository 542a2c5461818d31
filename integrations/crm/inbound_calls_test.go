package crm

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseEvent(t *testing.T) {
	acme := Tenant{ID: "9"}
	for name, tc := range map[string]struct {
		kind, data string
		want       Event
	}{
		"plan": {EventPlanChanged, `{"tenant":{"id":9,"plan":"starter","linkname":"ACME"},"new":1}`,
			Event{Tenant: Tenant{ID: "9", Plan: "starter", Linkname: "acme"}}},
		"uninstalled":      {EventAppUninstalled, `{"tenant":{"id":"9"}}`, Event{Tenant: acme}},
		"deactivated":      {EventUserDeactivated, `{"tenant":{"id":9},"user_id":44,"email":null}`, Event{Tenant: acme, UserID: "44"}},
		"opted out":        {EventOptedOut, `{"tenant":{"id":9},"number":"+14155550142"}`, Event{Tenant: acme, Number: "+14155550142"}},
		"opted in":         {EventOptedIn, `{"tenant":{"id":9},"number":"+14155550142"}`, Event{Tenant: acme, Number: "+14155550142"}},
		"renamed":          {EventTenantRenamed, `{"tenant":{"id":9,"name":"New"}}`, Event{Tenant: Tenant{ID: "9", Name: "New"}}},
		"erase by contact": {EventDataErase, `{"tenant":{"id":9},"contact_id":7}`, Event{Tenant: acme, ContactID: "7"}},
	} {
		got, err := ParseEvent(Call{Type: tc.kind, Data: []byte(tc.data)})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		tc.want.Type = tc.kind
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestParseEventNamesTheInvalidField(t *testing.T) {
	for _, tc := range []struct{ kind, data, want string }{
		{"plan.exploded", `{"tenant":{"id":9}}`, "no event"},
		{EventPlanChanged, `{}`, "data.tenant is required"},
		{EventPlanChanged, `{"tenant":{"plan":"x"}}`, "data.tenant.id is required"},
		{EventPlanChanged, `{"tenant":{"id":{},"plan":"x"}}`, "data.tenant.id must be a string or a whole number"},
		{EventPlanChanged, `{"tenant":{"id":9}}`, "data.tenant.plan is required"},
		{EventPlanChanged, `{"tenant":{"id":9,"plan":"x","linkname":"a/b"}}`, "data.tenant.linkname must be one DNS label"},
		{EventTenantRenamed, `{"tenant":{"id":9}}`, "data.tenant.name is required"},
		{EventUserDeactivated, `{"tenant":{"id":9},"email":"a@b.c"}`, "data.user_id is required"},
		{EventUserDeactivated, `{"tenant":{"id":9},"user_id":1,"email":2}`, "data.email must be a string"},
		{EventUserDeactivated, `{"tenant":{"id":9},"user_id":"4\u00002"}`, "data.user_id has a control character"},
		{EventUserDeactivated, `{"tenant":{"id":9},"user_id":1,"email":"a\u202e@b.c"}`, "data.email has a control character"},
		{EventUserDeactivated, `{"tenant":{"id":"t\n9"},"user_id":1}`, "data.tenant.id has a control character"},
		{EventUserDeactivated, `{"tenant":{"id":"` + strings.Repeat("t", 256) + `"},"user_id":1}`, "data.tenant.id has more than 255 bytes"},
		{EventUserDeactivated, `{"tenant":{"id":9,"linkname":"\u212Aacme"},"user_id":1}`, "data.tenant.linkname must be one DNS label"},
		{EventUserDeactivated, `{"tenant":{"id":9,"linkname":"ac\u0000me"},"user_id":1}`, "data.tenant.linkname has a control character"},
		{EventPlanChanged, `{"tenant":{"id":9,"plan":"busi\u0000ness"}}`, "data.tenant.plan has a control character"},
		{EventOptedOut, `{"tenant":{"id":9}}`, "data.number is required"},
		{EventOptedIn, `{"tenant":{"id":9},"number":14155550142}`, "data.number must be a string"},
		{EventDataErase, `{"tenant":{"id":9}}`, "data.number or contact_id is required"},
	} {
		_, err := ParseEvent(Call{Type: tc.kind, Data: []byte(tc.data)})
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s %s: got %v, want %q", tc.kind, tc.data, err, tc.want)
		}
	}
}

func TestParseCallReadsTimesAndSequencesInAnyNotation(t *testing.T) {
	for _, body := range []string{
		`{"type":"x","timestamp":"2026-11-24t12:00:00z","seq":1000,"data":{}}`,
		`{"type":"x","timestamp":"2026-11-24T13:00:00.000+01:00","seq":1000.0,"data":{}}`,
		`{"type":"x","timestamp":"2026-11-24t07:00:00-05:00","seq":1e3,"data":{}}`,
		`{"type":"x","timestamp":"2026-11-24 12:00:00Z","seq":"1000","data":{}}`,
	} {
		c, err := ParseCall([]byte(body))
		if err != nil || c.Seq == nil || *c.Seq != 1000 || !c.Timestamp.Equal(time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)) {
			t.Errorf("%s: %+v, %v", body, c, err)
		}
	}
	for body, want := range map[string]string{
		`{"type":"x","timestamp":"soon","data":{}}`:                                           "timestamp must be an RFC 3339 time",
		`{"type":"x","timestamp":"2026-11-24T12:00:00Z","seq":1.5,"data":{}}`:                 "seq must be a whole number",
		`{"type":"x","timestamp":"2026-11-24T12:00:00Z","seq":true,"data":{}}`:                "seq must be a whole number",
		`{"type":"x","timestamp":"2026-11-24T12:00:00Z","seq":9223372036854775808,"data":{}}`: "seq must be a whole number",
		`{"type":"x\u0000","timestamp":"2026-11-24T12:00:00Z","data":{}}`:                     "type has a control character",
	} {
		if _, err := ParseCall([]byte(body)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", body, err, want)
		}
	}
}

// Whatever comes in, no identifier that goes on has a control character.
func FuzzParseEvent(f *testing.F) {
	f.Add(EventUserDeactivated, []byte(`{"tenant":{"id":9,"linkname":"acme"},"user_id":"42","email":"a@b.c"}`))
	f.Add(EventDataErase, []byte(`{"tenant":{"id":9.0},"contact_id":7e0}`))
	f.Fuzz(func(t *testing.T, kind string, data []byte) {
		e, err := ParseEvent(Call{Type: kind, Data: data})
		if err != nil {
			return
		}
		for _, s := range []string{e.Tenant.ID, e.Tenant.Linkname, e.Tenant.Plan, e.UserID, e.ContactID} {
			if identifierProblem(s, maxOpaque) != "" {
				t.Errorf("%s gives %q", data, s)
			}
		}
		if e.Tenant.ID == "" || strings.Contains(e.Tenant.Name, "\x00") {
			t.Errorf("%s gives %+v", data, e)
		}
	})
}

func FuzzParseCall(f *testing.F) {
	f.Add([]byte(`{"type":"x","timestamp":"2026-11-24t12:00:00z","seq":1e3,"data":{}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := ParseCall(body)
		if err == nil && (c.Type == "" || c.Timestamp.IsZero() && !strings.Contains(string(body), "0001") || !json.Valid(c.Data)) {
			t.Errorf("%q gives %+v", body, c)
		}
	})
}

func TestParseAutomationCalls(t *testing.T) {
	q, err := ParseOptionsQuery(Call{Data: []byte(`{"tenant":{"id":"t_9"},"field":"from_user","q":"","cursor":null,"value":42}`)})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(OptionsQuery{Tenant: Tenant{ID: "t_9"}, Field: "from_user", Value: "42"}, q); diff != "" {
		t.Error(diff)
	}
	e, err := ParseExecute(Call{Data: []byte(`{"tenant":{"id":9},"callback_id":1,"workflow":{"id":5,"name":"Welcome"},"module":"deal",
		"record_id":7,"inputs":{"from_user":42,"to_field":"mobile","template_id":null,"message":"Hi","later":[1]}}`)})
	if err != nil {
		t.Fatal(err)
	}
	want := Execute{Tenant: Tenant{ID: "9"}, CallbackID: "1", Workflow: Workflow{ID: "5", Name: "Welcome"}, Module: "deal", RecordID: "7",
		Inputs: Inputs{FromUser: "42", ToField: "mobile", Message: "Hi"}}
	if diff := cmp.Diff(want, e); diff != "" {
		t.Error(diff)
	}
	for _, data := range []string{`{}`, `{"tenant":{"id":"t_9"}}`} {
		if _, err := ParseDefinitionQuery(Call{Data: []byte(data)}); err != nil {
			t.Errorf("definition %s: %v", data, err)
		}
	}
}

func TestParseAutomationCallsNamesTheInvalidField(t *testing.T) {
	for data, want := range map[string]string{
		`{"callback_id":"c","module":"contact","record_id":"7","inputs":{}}`:                                                  "data.tenant is required",
		`{"tenant":{"id":9},"module":"contact","record_id":"7","inputs":{}}`:                                                  "data.callback_id is required",
		`{"tenant":{"id":9},"callback_id":"c\u0000","module":"contact","record_id":"7","inputs":{}}`:                          "data.callback_id has a control character",
		`{"tenant":{"id":9},"callback_id":"` + strings.Repeat("c", 256) + `","module":"contact","record_id":"7","inputs":{}}`: "data.callback_id has more than",
		`{"tenant":{"id":9},"callback_id":"c","module":"contact\u0000","record_id":"7","inputs":{}}`:                          "data.module has a control character",
		`{"tenant":{"id":9},"callback_id":"c","module":"lead","record_id":"7","inputs":{}}`:                                   "data.module is neither",
		`{"tenant":{"id":9},"callback_id":"c","module":"contact","inputs":{}}`:                                                "data.record_id is required",
		`{"tenant":{"id":9},"callback_id":"c","module":"contact","record_id":"7"}`:                                            "data.inputs is required",
		`{"tenant":{"id":9},"callback_id":"c","module":"contact","record_id":"7","inputs":"x"}`:                               "data.inputs must be an object",
		`{"tenant":{"id":9},"callback_id":"c","module":"contact","record_id":"7","inputs":{"from_user":[]}}`:                  "data.inputs.from_user must be",
		`{"tenant":{"id":9},"callback_id":"c","module":"contact","record_id":"7","inputs":{"message":{"a":1}}}`:               "data.inputs.message must be a string",
		`{"tenant":{"id":9},"callback_id":"c","workflow":7,"module":"contact","record_id":"7","inputs":{}}`:                   "data.workflow must be an object",
	} {
		if _, err := ParseExecute(Call{Data: []byte(data)}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", data, err, want)
		}
	}
	if _, err := ParseOptionsQuery(Call{Data: []byte(`{"tenant":{"id":9}}`)}); err == nil || !strings.Contains(err.Error(), "data.field is required") {
		t.Errorf("got %v", err)
	}
	if _, err := ParseDefinitionQuery(Call{Data: []byte(`{"tenant":{"id":[]}}`)}); err == nil || !strings.Contains(err.Error(), "data.tenant.id") {
		t.Errorf("got %v", err)
	}
}
