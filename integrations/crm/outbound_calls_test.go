package crm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestListCallsDecode(t *testing.T) {
	ctx := context.Background()
	p := newFakeCRM(t, answer(`{"fields":[{"key":"Contact.firstName","label":"First name","type":"text"}],"phones":[{"key":"mobile","label":"Mobile"}]}`))
	fields, err := p.client().Fields(ctx, acme, "deal")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(FieldList{[]Field{{"Contact.firstName", "First name", "text"}}, []PhoneField{{"mobile", "Mobile"}}}, fields); diff != "" {
		t.Error(diff)
	}
	p.wantCall(t, "fields.list", `{"tenant":`+acmeJSON+`,"module":"deal"}`)

	p = newFakeCRM(t, answer(`{"templates":[{"id":5,"name":"Hello","folder":null,"body":"Hi"}],"next":"2"}`))
	templates, err := p.client().Templates(ctx, acme, "42", "hel", "1")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(TemplatePage{[]Template{{ID: "5", Name: "Hello", Body: "Hi"}}, "2"}, templates); diff != "" {
		t.Error(diff)
	}
	p.wantCall(t, "templates.list", `{"tenant":`+acmeJSON+`,"user_id":"42","q":"hel","cursor":"1"}`)

	p = newFakeCRM(t, answer(`{"users":[{"id":42,"name":"Ana","email":"ana@acme.com"},{"id":"43","active":false}],"next":null}`))
	users, err := p.client().Users(ctx, acme, "")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(UserPage{Users: []Person{{"42", "Ana", "ana@acme.com", true}, {ID: "43"}}}, users); diff != "" {
		t.Error(diff)
	}
	p.wantCall(t, "users.list", `{"tenant":`+acmeJSON+`,"cursor":null}`)
}

func TestInvalidListsAreErrors(t *testing.T) {
	ctx := context.Background()
	for body, call := range map[string]func(*Client) error{
		`{"phones":[]}`:               func(c *Client) error { _, err := c.Fields(ctx, acme, "deal"); return err },
		`{"templates":"none"}`:        func(c *Client) error { _, err := c.Templates(ctx, acme, "1", "", ""); return err },
		`{"templates":[],"next":"c"}`: func(c *Client) error { _, err := c.Templates(ctx, acme, "1", "", "c"); return err },
		`{"users":[],"next":"u"}`:     func(c *Client) error { _, err := c.Users(ctx, acme, "u"); return err },
	} {
		var e *Error
		if err := call(newFakeCRM(t, answer(body)).client()); !errors.As(err, &e) || e.Kind != Garbage {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestWritesUseTheGivenID(t *testing.T) {
	ctx := context.Background()
	p := newFakeCRM(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	sent := noon.In(time.FixedZone("", 3600))
	for range 2 {
		if err := p.client().UpsertActivity(ctx, acme, "msg_a", Activity{MessageID: "m1", ContactID: "7", UserID: "42", From: "+14155550100",
			To: "+14155550142", Body: "Hi", Status: "sent", SentAt: &sent, Source: "one"}); err != nil {
			t.Fatal(err)
		}
		if got := p.id.Load(); got != "msg_a" {
			t.Errorf("webhook-id %v", got)
		}
	}
	p.wantCall(t, "activity.upsert", `{"tenant":`+acmeJSON+`,"message_id":"m1","contact_id":"7","deal_id":null,"user_id":"42","direction":"outbound",
		"from":"+14155550100","to":"+14155550142","body":"Hi","status":"sent","error":null,"sent_at":"2026-01-01T12:00:00Z","source":"one","batch_id":null}`)

	if err := p.client().UpsertOptOut(ctx, acme, "msg_b", "+14155550142", true, "STOP"); err != nil {
		t.Fatal(err)
	}
	p.wantCall(t, "optout.upsert", `{"tenant":`+acmeJSON+`,"number":"+14155550142","opted_out":true,"source":"STOP"}`)

	if err := p.client().Complete(ctx, acme, "msg_c", Completion{CallbackID: "cb_1", State: StateFail, Port: PortFailed, Severity: SeverityHigh,
		Outputs: CompletionOutputs{Status: "failed", MessageID: "m1", ErrorCode: "no_account", ErrorText: "No Dialpad account found"}}); err != nil {
		t.Fatal(err)
	}
	p.wantCall(t, "automation.complete", `{"tenant":`+acmeJSON+`,"callback_id":"cb_1","state":"FAIL_CONTINUE","port":"failed","severity":"high",
		"outputs":{"status":"failed","message_id":"m1","error_code":"no_account","error_text":"No Dialpad account found"}}`)

	var e *Error
	if err := p.client().UpsertOptOut(ctx, acme, "", "+14155550142", true, "STOP"); !errors.As(err, &e) || e.Kind != Refused {
		t.Errorf("a write without an id: %v", err)
	}
}

func TestReadsUseNewIDs(t *testing.T) {
	p := newFakeCRM(t, answer(`{"users":[]}`))
	seen := map[any]bool{}
	for range 3 {
		if _, err := p.client().Users(context.Background(), acme, ""); err != nil {
			t.Fatal(err)
		}
		seen[p.id.Load()] = true
	}
	if len(seen) != 3 {
		t.Errorf("ids %v", seen)
	}
}

func TestWriteAnsweredWithHTMLFails(t *testing.T) {
	p := newFakeCRM(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "<!doctype html><p>We'll be back") })
	err := p.client().UpsertOptOut(context.Background(), acme, "msg_b", "+14155550142", true, "STOP")
	var e *Error
	if !errors.As(err, &e) || e.Kind != Garbage {
		t.Errorf("got %v", err)
	}
}

func TestUnreadableEntriesAreLeftOut(t *testing.T) {
	ctx := t.Context()
	fields, err := newFakeCRM(t, answer(`{"fields":[{},7,{"key":"Contact.x","label":5},{"key":{}}],"phones":[null,{"key":"mobile","label":null}]}`)).client().Fields(ctx, acme, "deal")
	if want := (FieldList{[]Field{{"Contact.x", "5", ""}}, []PhoneField{{"mobile", ""}}}); err != nil || !cmp.Equal(want, fields) {
		t.Errorf("fields: %+v, %v", fields, err)
	}
	templates, err := newFakeCRM(t, answer(`{"templates":[{"id":null},[],{"id":5.0,"name":42,"body":"Hi"},{"id":true,"name":"x"}],"next":7.0}`)).client().Templates(ctx, acme, "1", "", "")
	if want := (TemplatePage{[]Template{{ID: "5", Name: "42", Body: "Hi"}}, "7"}); err != nil || !cmp.Equal(want, templates) {
		t.Errorf("templates: %+v, %v", templates, err)
	}
	users, err := newFakeCRM(t, answer(`{"users":[{"name":"Nobody"},"x",{"id":4.2e1,"name":7,"active":"false"},{"id":43,"active":0.0},{"id":44,"active":"yes"},{"id":45,"active":null}]}`)).client().Users(ctx, acme, "")
	want := UserPage{Unreadable: 2, Users: []Person{{ID: "42", Name: "7"}, {ID: "43"}, {ID: "44", Active: true}, {ID: "45", Active: true}}}
	if err != nil || !cmp.Equal(want, users) {
		t.Errorf("users: %+v, %v", users, err)
	}
}

func TestNULIsRemovedFromAnswers(t *testing.T) {
	p := newFakeCRM(t, answer(`{"users":[{"id":"a\u00001","name":"A\\u0000na\u0000 <R>","email":"ana@acme.com","active":true},{"id":"3","email":"\u0000ben@acme.com"},{"id":"4","name":"A\u0000na\u0000 <R>","email":"ana@acme.com"},
		{"id":9007199254740993,"name":"Ben`+"\xff"+`","email":"ben@acme.com"}],"next":"n"}`))
	got, err := p.client().Users(t.Context(), acme, "")
	want := UserPage{Next: "n", Unreadable: 2, Users: []Person{ // two with a NUL in id or e-mail: refused, not repaired
		{ID: "4", Name: `Ana <R>`, Email: "ana@acme.com", Active: true},
		{ID: "9007199254740993", Name: "Ben\uFFFD", Email: "ben@acme.com", Active: true}}}
	if err != nil || !cmp.Equal(got, want) {
		t.Errorf("%v: %s", err, cmp.Diff(want, got))
	}

	p = newFakeCRM(t, answer(`{"records":[{"module":"contact","id":"7","name":"B\u0000ob","contact_id":"7","fields":{"Contact.x":"\u0000y"},"phones":{},"time_zone":"\u0000"}],"missing":[],"forbidden":[],"next":null}`))
	records, err := p.client().ResolveRecords(t.Context(), acme, ResolveQuery{UserID: "42", Module: ModuleContact, IDs: []string{"7"}})
	if err != nil || len(records.Records) != 1 {
		t.Fatal(records, err)
	}
	if b, _ := json.Marshal(records); strings.Contains(string(b), `\u0000`) || records.Records[0].Name != "Bob" || records.Records[0].Fields["Contact.x"] != "y" {
		t.Errorf("a NUL came in: %s", b)
	}
}
