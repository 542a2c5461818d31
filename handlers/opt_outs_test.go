package handlers_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
)

const bobsNumber = "+14155550142" // contact 7

// review opens a review of Bob's number.
func (w *world) review() {
	w.t.Helper()
	w.must(w.db.Suppressions.AddReview(w.t.Context(), "t_9", models.Said{Number: bobsNumber, Note: "please stop texting me", At: w.clock.Now()}))
}

func TestConsentIsRecorded(t *testing.T) {
	w := newWorld(t).connected()
	popup := w.popup("acme", "42", &crm.LaunchTarget{Mode: "one", Module: "contact", RecordIDs: []string{"7"}, ToNumber: bobsNumber})
	decide := func(body map[string]any) response { return w.call("POST", "/embed/api/opt-outs", popup, body) }
	r := decide(map[string]any{"action": "opt_out", "number": "(415) 555-0142", "how": "Told me on the phone"}).want(200, "")
	if r.at("contact", "opted_out") != true || r.text("contact", "sources", "0", "by") == "" || r.text("contact", "sources", "0", "how") != "Told me on the phone" {
		t.Errorf("contact %s", r.body)
	}
	context := w.call("GET", "/embed/api/context", popup, nil).want(200, "")
	if context.at("to", "opted_out") != true || context.text("to", "problem", "message") != "Unsubscribed from Text" {
		t.Errorf("context %s", context.body)
	}
	decide(map[string]any{"action": "opt_in", "number": bobsNumber}).want(400, "bad_request")
	decide(map[string]any{"action": "opt_in", "number": bobsNumber, "how": " \u200b"}).want(400, "bad_request")
	decide(map[string]any{"action": "opt_in", "number": bobsNumber, "how": "signed", "at": w.clock.Now().Add(-time.Hour)}).want(409, "state_conflict")
	decide(map[string]any{"action": "opt_in", "number": bobsNumber, "how": "signed", "at": w.clock.Now().Add(time.Hour)}).want(400, "bad_request")
	decide(map[string]any{"action": "opt_in", "number": bobsNumber, "how": strings.Repeat("x", 301)}).want(400, "bad_request")
	decide(map[string]any{"action": "nothing", "number": bobsNumber}).want(400, "bad_request")
	decide(map[string]any{"action": "opt_out", "number": "12"}).want(400, "bad_request")
	w.clock.Add(time.Minute)
	r = decide(map[string]any{"action": "opt_in", "number": bobsNumber, "how": "signed the form"}).want(200, "")
	if r.at("contact", "opted_out") != false || r.text("contact", "history", "0", "how") != "signed the form" || r.at("contact", "history", "1", "opted_out") != true {
		t.Errorf("contact %s", r.body)
	}
	audits, err := w.db.Audits.List(t.Context(), "t_9", 2)
	w.must(err)
	if audits[0].Action != "opt_out.opt_in" || audits[1].Action != "opt_out.opt_out" || audits[0].UserID != "42" || len(audits[0].Detail) > 0 {
		t.Errorf("audits %+v", audits)
	}
}

func TestReviewIsDecidedOnce(t *testing.T) {
	w := newWorld(t).connected()
	w.review()
	page := w.page("acme", "42")
	r := w.call("GET", "/texts/api/reviews", page, nil).want(200, "")
	if r.text("reviews", "0", "number") != bobsNumber || r.text("reviews", "0", "text") != "please stop texting me" {
		t.Errorf("reviews %s", r.body)
	}
	if r := w.call("GET", "/texts/api/reviews", w.page("acme", "43"), nil).want(200, ""); len(r.at("reviews").([]any)) != 0 {
		t.Errorf("somebody who never texted the number sees %s", r.body)
	}
	popup := w.popup("acme", "43", &crm.LaunchTarget{Mode: "one", Module: "contact", RecordIDs: []string{"7"}, ToNumber: bobsNumber})
	if r := w.call("GET", "/embed/api/context", popup, nil).want(200, ""); r.text("to", "review", "text") == "" || r.at("to", "problem") != nil {
		t.Errorf("context %s", r.body)
	}
	bulk := w.popup("acme", "42", &crm.LaunchTarget{Mode: "bulk", Module: "contact", RecordIDs: []string{"7"}})
	if r := w.call("POST", "/embed/api/preview", bulk, map[string]any{"message": "Hi"}).want(200, ""); r.text("excluded", "0", "code") != "opt_out_review" {
		t.Errorf("preview %s", r.body)
	}
	keep := map[string]any{"action": "keep", "number": bobsNumber}
	w.call("POST", "/embed/api/opt-outs", page, keep).want(200, "")
	w.call("POST", "/embed/api/opt-outs", page, keep).want(409, "state_conflict")
	w.review()
	r = w.call("POST", "/embed/api/opt-outs", page, map[string]any{"action": "opt_out", "number": bobsNumber}).want(200, "")
	if r.at("contact", "review") != nil || r.at("contact", "opted_out") != true {
		t.Errorf("contact %s", r.body)
	}
}

func TestWhoMayDecide(t *testing.T) {
	w := newWorld(t).connected()
	w.db.Tenant("t_10")
	body := map[string]any{"action": "opt_out", "number": bobsNumber}
	w.call("POST", "/embed/api/opt-outs", w.page("acme", "43"), body).want(404, "not_found") // never texted Bob
	other := w.popup("acme", "43", &crm.LaunchTarget{Mode: "one", Module: "contact", RecordIDs: []string{"7"}, ToNumber: "+14155550143"})
	w.call("POST", "/embed/api/opt-outs", other, body).want(404, "not_found")
	w.call("GET", "/embed/api/opt-outs?"+url.Values{"number": {bobsNumber}}.Encode(), other, nil).want(404, "not_found")
	w.call("POST", "/embed/api/opt-outs", w.page("acme", "43"), map[string]any{"action": "opt_out", "message_id": "m1"}).want(404, "not_found")
	w.call("GET", "/apps/dialpad/opt-outs", w.page("acme", "43"), nil).want(403, "admin_required")
	out, err := w.db.Suppressions.Contains(t.Context(), "t_9", bobsNumber)
	if err != nil || out {
		t.Errorf("opted out: %v, %v", out, err)
	}
}

func TestOptOutsAreListed(t *testing.T) {
	w := newWorld(t).connected()
	page := w.page("acme", "42")
	list := func(q url.Values) response {
		return w.call("GET", "/apps/dialpad/opt-outs?"+q.Encode(), page, nil).want(200, "")
	}
	for i := range 60 {
		w.clock.Add(time.Second)
		_, err := w.db.Suppressions.Add(t.Context(), "t_9", "+141555502"+string(rune('0'+i/10))+string(rune('0'+i%10)), models.OptOutReply, "")
		w.must(err)
	}
	w.clock.Add(time.Second)
	w.call("POST", "/embed/api/opt-outs", page, map[string]any{"action": "opt_out", "number": bobsNumber, "how": "=1+1"}).want(200, "")
	first := list(nil)
	if len(first.at("opt_outs").([]any)) != 50 || first.at("total") != 61. || first.text("opt_outs", "0", "number") != bobsNumber {
		t.Errorf("first page %.300s", first.body)
	}
	second := list(url.Values{"cursor": {first.text("next")}})
	if len(second.at("opt_outs").([]any)) != 11 || second.at("next") != nil {
		t.Errorf("second page %.300s", second.body)
	}
	if r := list(url.Values{"q": {"555-0142"}}); len(r.at("opt_outs").([]any)) != 1 {
		t.Errorf("search %s", r.body)
	}
	w.must(w.db.EraseNumber(t.Context(), "t_9", bobsNumber))
	if r := list(url.Values{"q": {"(415) 555-0142"}}); len(r.at("opt_outs").([]any)) != 1 || r.text("opt_outs", "0", "number") != "" {
		t.Errorf("search of an erased number %s", r.body)
	}
	w.call("GET", "/apps/dialpad/opt-outs?cursor=x", page, nil).want(400, "bad_request")
	file := w.call("GET", "/apps/dialpad/opt-outs", page, nil, header("Accept", "text/csv")).want(200, "")
	if rows := strings.Count(file.body, "\r\n"); rows != 62 || strings.Contains(file.body, bobsNumber) || !strings.Contains(file.body, ",person,") {
		t.Errorf("%d rows: %.200s", rows, file.body)
	}
}
