package main

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"dialpad-texting/integrations/crm"
	dialpadsandbox "dialpad-texting/integrations/dialpad/sandbox"
)

const connectMessage = "You need an active DialPad connection to use this feature. Click here to connect."

func TestTheFirstTextAllTheWay(t *testing.T) {
	onBoth(t, func(w *world) {
		popup := w.popup("42", bob())
		before := popup.get("/embed/api/context")
		if before.text("state.code") != "not_installed" || before.text("state.message") != connectMessage ||
			before.text("state.link.text") != "Click here" || !strings.HasSuffix(before.text("state.link.url"), "/#/app/setup/apps/dialpad") {
			t.Errorf("before connecting: %s", before.body)
		}
		w.connected()
		c := popup.get("/embed/api/context")
		if c.at("state") != nil || c.text("from.email") != "ana@acme.com" || c.text("from.number") != "+14155550100" || c.text("to.name") != "Bob Tanaka" {
			t.Fatalf("context: %s", c.body)
		}
		list := popup.get("/embed/api/templates?q=hello").at("templates").([]any)
		id := list[0].(map[string]any)["id"].(string)
		text := popup.post("/embed/api/render", map[string]any{"template_id": id}).text("text")
		if !strings.Contains(text, "Bob") || strings.Contains(text, "{{") {
			t.Fatalf("rendered %q", text)
		}
		a := popup.post("/embed/api/batches", map[string]any{"message": text}, "Idempotency-Key", "k1")
		if a.status != http.StatusAccepted {
			t.Fatalf("send: %d %s", a.status, a.body)
		}
		batch := "/embed/api/batches/" + a.text("batch.id")
		if again := popup.post("/embed/api/batches", map[string]any{"message": text}, "Idempotency-Key", "k1"); again.text("batch.id") != a.text("batch.id") {
			t.Errorf("the same key gave another batch: %s", again.body)
		}
		if other := popup.post("/embed/api/batches", map[string]any{"message": "Something else"}, "Idempotency-Key", "k1"); other.status != http.StatusConflict {
			t.Errorf("another body: %d %s", other.status, other.body)
		}
		w.until("delivered", func() bool { return popup.get(batch).at("batch.counts.delivered") == 1.0 })
		if got := w.dialpadSandbox.AcceptedOf("+14155550142", text); got != 1 {
			t.Errorf("the phone got it %d times", got)
		}
		w.until("the timeline says so", func() bool {
			list := w.crmSandbox.Activities("acme")
			return len(list) == 1 && list[0].Status == "delivered" && list[0].ContactID == "7" && list[0].Body == text
		})
		if done := popup.get(batch); done.text("batch.state") != "done" || done.at("batch.counts.total") != 1.0 {
			t.Errorf("at the end: %s", done.body)
		}
	})
}

func TestWhoMayNotTextReadsWhy(t *testing.T) {
	onBoth(t, func(w *world) {
		globex := w.appPage("globex", "51")
		if a := globex.post("/apps/dialpad/install", nil); a.status != http.StatusPaymentRequired || a.text("error.code") != "plan_required" {
			t.Errorf("install without the plan: %d %s", a.status, a.body)
		}
		if globex.get("/apps/dialpad/status").at("installed") != false {
			t.Error("something was installed")
		}
		w.connected()
		for user, words := range map[string]string{"44": "No Dialpad account found", "45": "No Dialpad account found"} {
			p := w.popup(user, bob())
			if c := p.get("/embed/api/context"); c.text("state.message") != words {
				t.Errorf("user %s: %s", user, c.body)
			}
			a := p.post("/embed/api/batches", map[string]any{"message": "Hi"}, "Idempotency-Key", "k")
			if a.status != http.StatusForbidden || a.text("error.message") != words {
				t.Errorf("user %s sends: %d %s", user, a.status, a.body)
			}
		}
		ben := w.appPage("acme", "43")
		if a := ben.post("/apps/dialpad/disconnect", nil); a.status != http.StatusForbidden || a.text("error.code") != "admin_required" {
			t.Errorf("a user disconnects: %d %s", a.status, a.body)
		}
		mine := w.popup("42", bob()).post("/embed/api/batches", map[string]any{"message": "Hi"}, "Idempotency-Key", "mine").text("batch.id")
		if a := w.popup("43", bob()).get("/embed/api/batches/" + mine); a.status != http.StatusNotFound {
			t.Errorf("another user's batch: %d", a.status)
		}
		if w.dialpadSandbox.SMSPosts() > 1 {
			t.Errorf("%d texts went out", w.dialpadSandbox.SMSPosts())
		}
	})
}

func TestDisconnectLeavesNothingBehind(t *testing.T) {
	onBoth(t, func(w *world) {
		p := w.connected()
		popup := w.popup("42", bob())
		if a := p.post("/apps/dialpad/disconnect", nil); a.status != http.StatusNoContent {
			t.Fatalf("disconnect: %d %s", a.status, a.body)
		}
		deleted, revoked := 0, false
		for _, r := range w.dialpadSandbox.Requests() {
			if r.Method == http.MethodDelete {
				deleted++
			}
			revoked = revoked || strings.HasSuffix(r.Path, "/deauthorize") && r.Status == http.StatusNoContent
		}
		if !revoked {
			t.Error("the tokens still work at Dialpad")
		}
		if deleted != 3 {
			t.Errorf("%d things were deleted at Dialpad, want the webhook and two subscriptions", deleted)
		}
		c := popup.get("/embed/api/context")
		if c.text("state.code") != "not_connected" || c.text("state.message") != connectMessage || c.text("state.link.text") != "Click here" {
			t.Errorf("afterwards: %s", c.body)
		}
		a := popup.post("/embed/api/batches", map[string]any{"message": "Hi"}, "Idempotency-Key", "k")
		if a.status != http.StatusConflict || a.text("error.code") != "not_connected" {
			t.Errorf("sending: %d %s", a.status, a.body)
		}
		if a := p.post("/apps/dialpad/remove", nil); a.status != http.StatusNoContent || p.get("/apps/dialpad/status").at("installed") != false {
			t.Errorf("remove: %d %s", a.status, a.body)
		}
	})
}

func TestConsentByAnotherAdminIsConfirmedFirst(t *testing.T) {
	onBoth(t, func(w *world) {
		office := w.dialpadSandbox.AddUser(dialpadsandbox.User{CompanyID: dialpadsandbox.AcmeID, FirstName: "Office", LastName: "Admin",
			Emails: []string{"office@acme.com"}, Numbers: []string{"+14155550109"}, IsAdmin: true, IsSuperAdmin: true})
		p := w.appPage("acme", "42")
		p.post("/apps/dialpad/install", nil)
		v := w.window()
		status, body := v.consent(p.post("/apps/dialpad/connect", nil).text("url"), office)
		if status != http.StatusOK || !strings.Contains(body, "Connect Acme Inc to Acme Inc (acme)") {
			t.Fatalf("callback: %d %s", status, body)
		}
		if s := p.get("/apps/dialpad/status"); s.at("connection") != nil || s.text("attempt.step") != "confirm" {
			t.Errorf("before the confirmation: %s", s.body)
		}
		if r := v.confirm(body); r.StatusCode != http.StatusOK {
			t.Fatalf("confirm: %d", r.StatusCode)
		}
		w.until("connected", func() bool { return p.get("/apps/dialpad/status").at("connected") == true })
	})
}

func TestWhoIsNoDialpadAdminOrTakesAnothersCompanyIsRefused(t *testing.T) {
	onBoth(t, func(w *world) {
		p := w.connected()
		status, body := w.window().consent(p.post("/apps/dialpad/connect", nil).text("url"), dialpadsandbox.BenID)
		if status == http.StatusOK || !strings.Contains(strings.ToLower(body), "admin") {
			t.Errorf("no admin: %d %s", status, body)
		}
		w.crmSandbox.SetPlan("globex", "business")
		g := w.appPage("globex", "51")
		if a := g.post("/apps/dialpad/install", nil); a.status != http.StatusCreated {
			t.Fatalf("install: %d %s", a.status, a.body)
		}
		v := w.window()
		_, body = v.consent(g.post("/apps/dialpad/connect", nil).text("url"), dialpadsandbox.AnaID)
		if strings.Contains(body, "/connect/confirm") {
			body = read(v.confirm(body))
		}
		if s := g.get("/apps/dialpad/status"); s.at("connected") != false || s.text("attempt.step") != "failed" ||
			!strings.Contains(s.text("attempt.message"), "Acme Inc is connected to another account already") {
			t.Errorf("a second tenant took the company: %s %s", s.body, body)
		}
	})
}

func TestABulkFromDealsRunsToItsEnd(t *testing.T) {
	onBoth(t, func(w *world) {
		w.crmSandbox.SetNumberIDs(true)
		w.crmSandbox.Seed(27, 27)
		w.fast(w.connected())
		id, count, err := w.crmSandbox.Select("acme", "42", "deal", "")
		w.must(err)
		p := w.popup("42", crm.Ctx{Mode: "bulk", Module: "deal", Selection: id, Count: count})
		message := "Hi {{Contact.firstName}}, about {{Deal.title}}"
		preview := p.post("/embed/api/preview", map[string]any{"to_field": "mobile", "message": message})
		if preview.at("total") != float64(count) || preview.at("complete") != true {
			t.Fatalf("preview: %s", preview.body)
		}
		codes := map[string]bool{}
		for _, e := range preview.at("excluded").([]any) {
			codes[e.(map[string]any)["code"].(string)] = true
		}
		if len(codes) < 3 {
			t.Errorf("exclusions of %d kinds: %v", len(codes), codes)
		}
		a := p.post("/embed/api/batches", map[string]any{"to_field": "mobile", "message": message}, "Idempotency-Key", "bulk")
		if a.status != http.StatusAccepted {
			t.Fatalf("send: %d %s", a.status, a.body)
		}
		batch := "/embed/api/batches/" + a.text("batch.id")
		var b answer
		w.until("done and delivered", func() bool {
			b = p.get(batch)
			if sum(b) != b.at("batch.counts.total") {
				t.Errorf("the counts do not add up: %s", b.body)
			}
			return b.text("batch.state") == "done" && b.at("batch.counts.delivered") == preview.at("will_receive")
		})
		if b.at("batch.counts.skipped") != float64(len(preview.at("excluded").([]any))) || len(w.dialpadSandbox.TextedTwice()) != 0 {
			t.Errorf("at the end: %s", b.body)
		}
		texts := w.dialpadSandbox.Texts()
		if !slices.ContainsFunc(texts, func(x dialpadsandbox.Text) bool { return strings.HasPrefix(x.Text, "Hi Marta, about Harbor") }) {
			t.Error("no personal text on the phones")
		}
		report := p.do(http.MethodGet, batch+"/messages", nil, "Accept", "text/csv")
		if !strings.HasPrefix(report.body, "\ufeffName,") || strings.Count(report.body, "\r\n") < count {
			t.Errorf("report: %.200s", report.body)
		}
	})
}

func sum(b answer) any {
	total := 0.0
	for key, n := range b.at("batch.counts").(map[string]any) {
		if key != "total" {
			total += n.(float64)
		}
	}
	return total
}

func TestPauseResumeAndCancelTheRest(t *testing.T) {
	onBoth(t, func(w *world) {
		w.crmSandbox.Seed(940, 0) // with the sample people: 1,000
		w.fast(w.connected())
		id, count, err := w.crmSandbox.Select("acme", "42", "contact", "")
		w.must(err)
		p := w.popup("42", crm.Ctx{Mode: "bulk", Module: "contact", Selection: id, Count: count})
		batch := "/embed/api/batches/" + p.post("/embed/api/batches", map[string]any{"message": "Hello"}, "Idempotency-Key", "bulk").text("batch.id")
		w.until("some gone", func() bool { return w.dialpadSandbox.Accepted() > 1 })
		if a := p.post(batch+"/pause", nil); a.text("batch.state") != "paused" {
			t.Fatalf("pause: %s", a.body)
		}
		w.until("nothing on the wire", func() bool { return p.get(batch).at("batch.counts.sending") == 0.0 })
		gone := w.dialpadSandbox.Accepted()
		if a := p.post(batch+"/resume", nil); a.status != http.StatusOK {
			t.Fatalf("resume: %s", a.body)
		}
		w.until("more gone", func() bool { return w.dialpadSandbox.Accepted() > gone })
		if a := p.post(batch+"/cancel", nil); a.text("batch.state") != "cancelled" {
			t.Fatalf("cancel: %s", a.body)
		}
		w.until("all settled", func() bool {
			b := p.get(batch)
			return b.at("batch.counts.queued") == 0.0 && b.at("batch.counts.sending") == 0.0 && b.at("batch.counts.held") == 0.0 && sum(b) == b.at("batch.counts.total")
		})
		if b := p.get(batch); b.at("batch.counts.cancelled").(float64) == 0 || len(w.dialpadSandbox.TextedTwice()) != 0 {
			t.Errorf("at the end: %s", b.body)
		}
	})
}

func TestASuspendedSenderIsSeenWithinSeconds(t *testing.T) {
	onBoth(t, func(w *world) {
		p := w.connected()
		popup := w.popup("43", bob())
		later := time.Now().Add(48 * time.Hour).UTC().Format("2006-01-02T15:04")
		waiting := popup.post("/embed/api/batches", map[string]any{"message": "Later", "schedule": map[string]any{"local": later, "time_zone": "UTC"}}, "Idempotency-Key", "later")
		if waiting.text("batch.state") != "scheduled" {
			t.Fatalf("schedule: %d %s", waiting.status, waiting.body)
		}
		batch := "/embed/api/batches/" + waiting.text("batch.id")
		w.dialpadSandbox.SuspendUser(dialpadsandbox.BenID)
		w.until("the popup says so", func() bool {
			return popup.get("/embed/api/context").text("state.message") == "No Dialpad account found"
		})
		if people := p.get("/apps/dialpad/people?q=ben"); !strings.Contains(people.body, "suspended") {
			t.Errorf("people: %s", people.body)
		}
		w.until("the schedule says so", func() bool {
			return strings.HasPrefix(popup.get(batch).text("batch.warning"), "Ben's Dialpad account is suspended: this will fail on ")
		})
		w.dialpadSandbox.RestoreUser(dialpadsandbox.BenID)
		w.until("all is well again", func() bool {
			return popup.get("/embed/api/context").at("state") == nil && popup.get(batch).at("batch.warning") == nil
		})
	})
}

func TestAnAutomationTextsAndCompletesOnce(t *testing.T) {
	onBoth(t, func(w *world) {
		w.connected()
		w.dialpadSandbox.SetTextsPerMinute(dialpadsandbox.AcmeID, 0)
		call := crm.Execute{CallbackID: "cb_1", Workflow: crm.Workflow{ID: "w1", Name: "Welcome"}, Module: "contact", RecordID: "7",
			Inputs: crm.Inputs{FromUser: "42", ToField: "mobile", Message: "Welcome {{Contact.firstName|there}}"}}
		first, err := w.crmSandbox.Execute(t.Context(), "acme", call)
		w.must(err)
		again, err := w.crmSandbox.Execute(t.Context(), "acme", call)
		if err != nil || again != first || first.State != "BLOCK" {
			t.Errorf("the same callback: %+v, then %+v, %v", first, again, err)
		}
		w.until("completed", func() bool { return len(w.crmSandbox.Completions()) == 1 })
		if c := w.crmSandbox.Completions()[0]; c.State != "SUCCESS" || c.Port != "send" || w.dialpadSandbox.Accepted() != 1 {
			t.Errorf("completion %+v, %d texts", c, w.dialpadSandbox.Accepted())
		}
		call.CallbackID, call.Inputs.FromUser = "cb_2", "44"
		_, err = w.crmSandbox.Execute(t.Context(), "acme", call)
		w.must(err)
		w.until("the second completed", func() bool { return len(w.crmSandbox.Completions()) == 2 })
		for _, c := range w.crmSandbox.Completions() {
			if c.CallbackID == "cb_2" && (c.State != "FAIL_CONTINUE" || c.Port != "failed" || c.Outputs.ErrorText != "No Dialpad account found") {
				t.Errorf("without an account: %+v", c)
			}
		}
	})
}
