package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	dialpadsandbox "dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/internal/demotest"
)

func TestOneTextReachesPhoneAndTimeline(t *testing.T) {
	t.Parallel()
	demotest.EachDatabase(t, func(d *demotest.Demo) {
		popup := d.Popup("42", demotest.Bob())
		before := popup.Get("/embed/api/context")
		if before.Text("state.code") != "not_installed" || before.Text("state.message") != demotest.ConnectMessage ||
			before.Text("state.link.text") != "Click here" || !strings.HasSuffix(before.Text("state.link.url"), "/#/app/setup/apps/dialpad") {
			t.Errorf("before connecting: %s", before.Body)
		}
		d.Connect()
		c := popup.Get("/embed/api/context")
		if c.At("state") != nil || c.Text("from.email") != "ana@acme.com" || c.Text("from.number") != "+14155550100" || c.Text("to.name") != "Bob Tanaka" {
			t.Fatalf("context: %s", c.Body)
		}
		list := popup.Get("/embed/api/templates?q=hello").At("templates").([]any)
		id := list[0].(map[string]any)["id"].(string)
		text := popup.Post("/embed/api/render", map[string]any{"template_id": id}).Text("text")
		if !strings.Contains(text, "Bob") || strings.Contains(text, "{{") {
			t.Fatalf("rendered %q", text)
		}
		a := popup.Post("/embed/api/batches", map[string]any{"message": text}, "Idempotency-Key", "k1")
		if a.Status != http.StatusAccepted {
			t.Fatalf("send: %d %s", a.Status, a.Body)
		}
		batch := "/embed/api/batches/" + a.Text("batch.id")
		if again := popup.Post("/embed/api/batches", map[string]any{"message": text}, "Idempotency-Key", "k1"); again.Text("batch.id") != a.Text("batch.id") {
			t.Errorf("the same key gave another batch: %s", again.Body)
		}
		if other := popup.Post("/embed/api/batches", map[string]any{"message": "Something else"}, "Idempotency-Key", "k1"); other.Status != http.StatusConflict {
			t.Errorf("another body: %d %s", other.Status, other.Body)
		}
		d.Until("delivered", func() bool { return popup.Get(batch).At("batch.counts.delivered") == 1.0 })
		if got := d.DialpadSandbox.AcceptedOf("+14155550142", text); got != 1 {
			t.Errorf("the phone got it %d times", got)
		}
		d.Until("the timeline says so", func() bool {
			list := d.CRMSandbox.Activities("acme")
			return len(list) == 1 && list[0].Status == "delivered" && list[0].ContactID == "7" && list[0].Body == text
		})
		if done := popup.Get(batch); done.Text("batch.state") != "done" || done.At("batch.counts.total") != 1.0 {
			t.Errorf("at the end: %s", done.Body)
		}
	})
}

func TestUsersWhoMayNotTextGetTheReason(t *testing.T) {
	t.Parallel()
	demotest.EachDatabase(t, func(d *demotest.Demo) {
		globex := d.AppPage("globex", "51")
		if a := globex.Post("/apps/dialpad/install", nil); a.Status != http.StatusPaymentRequired || a.Text("error.code") != "plan_required" {
			t.Errorf("install without the plan: %d %s", a.Status, a.Body)
		}
		if globex.Get("/apps/dialpad/status").At("installed") != false {
			t.Error("something was installed")
		}
		d.Connect()
		for user, words := range map[string]string{"44": "No Dialpad account found", "45": "No Dialpad account found"} {
			p := d.Popup(user, demotest.Bob())
			if c := p.Get("/embed/api/context"); c.Text("state.message") != words {
				t.Errorf("user %s: %s", user, c.Body)
			}
			a := p.Post("/embed/api/batches", map[string]any{"message": "Hi"}, "Idempotency-Key", "k")
			if a.Status != http.StatusForbidden || a.Text("error.message") != words {
				t.Errorf("user %s sends: %d %s", user, a.Status, a.Body)
			}
		}
		ben := d.AppPage("acme", "43")
		if a := ben.Post("/apps/dialpad/disconnect", nil); a.Status != http.StatusForbidden || a.Text("error.code") != "admin_required" {
			t.Errorf("a user disconnects: %d %s", a.Status, a.Body)
		}
		mine := d.Popup("42", demotest.Bob()).Post("/embed/api/batches", map[string]any{"message": "Hi"}, "Idempotency-Key", "mine").Text("batch.id")
		if a := d.Popup("43", demotest.Bob()).Get("/embed/api/batches/" + mine); a.Status != http.StatusNotFound {
			t.Errorf("another user's batch: %d", a.Status)
		}
		if d.DialpadSandbox.SMSPosts() > 1 {
			t.Errorf("%d texts went out", d.DialpadSandbox.SMSPosts())
		}
	})
}

func TestSuspendedSenderIsReported(t *testing.T) {
	t.Parallel()
	demotest.EachDatabase(t, func(d *demotest.Demo) {
		p := d.Connect()
		popup := d.Popup("43", demotest.Bob())
		later := time.Now().Add(48 * time.Hour).UTC().Format("2006-01-02T15:04")
		waiting := popup.Post("/embed/api/batches", map[string]any{"message": "Later", "schedule": map[string]any{"local": later, "time_zone": "UTC"}}, "Idempotency-Key", "later")
		if waiting.Text("batch.state") != "scheduled" {
			t.Fatalf("schedule: %d %s", waiting.Status, waiting.Body)
		}
		batch := "/embed/api/batches/" + waiting.Text("batch.id")
		d.DialpadSandbox.SuspendUser(dialpadsandbox.BenID)
		d.Until("the popup says so", func() bool {
			return popup.Get("/embed/api/context").Text("state.message") == "No Dialpad account found"
		})
		if people := p.Get("/apps/dialpad/people?q=ben"); !strings.Contains(people.Body, "suspended") {
			t.Errorf("people: %s", people.Body)
		}
		d.Until("the schedule says so", func() bool {
			return strings.HasPrefix(popup.Get(batch).Text("batch.warning"), "Ben's Dialpad account is suspended: this will fail on ")
		})
		d.DialpadSandbox.RestoreUser(dialpadsandbox.BenID)
		d.Until("all is well again", func() bool {
			return popup.Get("/embed/api/context").At("state") == nil && popup.Get(batch).At("batch.warning") == nil
		})
	})
}
