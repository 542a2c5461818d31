package e2e

import (
	"net/http"
	"strings"
	"testing"

	dialpadsandbox "dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/internal/demotest"
)

func TestDisconnectRevokesTokensAndDeletesSubscriptions(t *testing.T) {
	t.Parallel()
	demotest.EachDatabase(t, func(d *demotest.Demo) {
		p := d.Connect()
		popup := d.Popup("42", demotest.Bob())
		if a := p.Post("/apps/dialpad/disconnect", nil); a.Status != http.StatusNoContent {
			t.Fatalf("disconnect: %d %s", a.Status, a.Body)
		}
		deleted, revoked := 0, false
		for _, r := range d.DialpadSandbox.Requests() {
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
		c := popup.Get("/embed/api/context")
		if c.Text("state.code") != "not_connected" || c.Text("state.message") != demotest.ConnectMessage || c.Text("state.link.text") != "Click here" {
			t.Errorf("afterwards: %s", c.Body)
		}
		a := popup.Post("/embed/api/batches", map[string]any{"message": "Hi"}, "Idempotency-Key", "k")
		if a.Status != http.StatusConflict || a.Text("error.code") != "not_connected" {
			t.Errorf("sending: %d %s", a.Status, a.Body)
		}
		if a := p.Post("/apps/dialpad/remove", nil); a.Status != http.StatusNoContent || p.Get("/apps/dialpad/status").At("installed") != false {
			t.Errorf("remove: %d %s", a.Status, a.Body)
		}
	})
}

func TestConsentByAnotherAdminNeedsConfirmation(t *testing.T) {
	t.Parallel()
	demotest.EachDatabase(t, func(d *demotest.Demo) {
		office := d.DialpadSandbox.AddUser(dialpadsandbox.User{CompanyID: dialpadsandbox.AcmeID, FirstName: "Office", LastName: "Admin",
			Emails: []string{"office@acme.com"}, Numbers: []string{"+14155550109"}, IsAdmin: true, IsSuperAdmin: true})
		p := d.AppPage("acme", "42")
		p.Post("/apps/dialpad/install", nil)
		v := d.ConnectWindow()
		status, body := v.Consent(p.Post("/apps/dialpad/connect", nil).Text("url"), office)
		if status != http.StatusOK || !strings.Contains(body, "Connect <bdi>Acme Inc</bdi> to <bdi>Acme Inc</bdi></button>") {
			t.Fatalf("callback: %d %s", status, body)
		}
		if s := p.Get("/apps/dialpad/status"); s.At("connection") != nil || s.Text("attempt.step") != "confirm" {
			t.Errorf("before the confirmation: %s", s.Body)
		}
		if r := v.Confirm(body); r.StatusCode != http.StatusOK {
			t.Fatalf("confirm: %d", r.StatusCode)
		}
		d.Until("connected", func() bool { return p.Get("/apps/dialpad/status").At("connected") == true })
	})
}

func TestConnectRefusesNonAdminsAndConnectedCompanies(t *testing.T) {
	t.Parallel()
	demotest.EachDatabase(t, func(d *demotest.Demo) {
		p := d.Connect()
		status, body := d.ConnectWindow().Consent(p.Post("/apps/dialpad/connect", nil).Text("url"), dialpadsandbox.BenID)
		if status == http.StatusOK || !strings.Contains(strings.ToLower(body), "admin") {
			t.Errorf("no admin: %d %s", status, body)
		}
		d.CRMSandbox.SetPlan("globex", "business")
		g := d.AppPage("globex", "51")
		if a := g.Post("/apps/dialpad/install", nil); a.Status != http.StatusCreated {
			t.Fatalf("install: %d %s", a.Status, a.Body)
		}
		v := d.ConnectWindow()
		_, body = v.Consent(g.Post("/apps/dialpad/connect", nil).Text("url"), dialpadsandbox.AnaID)
		if s := g.Get("/apps/dialpad/status"); s.At("connected") != false || s.Text("attempt.step") != "failed" ||
			!strings.Contains(s.Text("attempt.message"), "Acme Inc is connected to another account already") {
			t.Errorf("a second tenant took the company: %s %s", s.Body, body)
		}
	})
}
