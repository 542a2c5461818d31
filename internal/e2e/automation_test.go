package e2e

import (
	"testing"

	"dialpad-texting/integrations/crm"
	dialpadsandbox "dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/internal/demotest"
)

func TestAutomationSendsAndCompletesOnce(t *testing.T) {
	t.Parallel()
	demotest.EachDatabase(t, func(d *demotest.Demo) {
		d.Connect()
		d.DialpadSandbox.SetTextsPerMinute(dialpadsandbox.AcmeID, 0)
		call := crm.Execute{CallbackID: "cb_1", Workflow: crm.Workflow{ID: "w1", Name: "Welcome"}, Module: "contact", RecordID: "7",
			Inputs: crm.Inputs{FromUser: "42", ToField: "mobile", Message: "Welcome {{Contact.firstName|there}}"}}
		first, err := d.CRMSandbox.Execute(t.Context(), "acme", call)
		d.Must(err)
		again, err := d.CRMSandbox.Execute(t.Context(), "acme", call)
		if err != nil || again != first || first.State != "BLOCK" {
			t.Errorf("the same callback: %+v, then %+v, %v", first, again, err)
		}
		d.Until("completed", func() bool { return len(d.CRMSandbox.Completions()) == 1 })
		if c := d.CRMSandbox.Completions()[0]; c.State != "SUCCESS" || c.Port != "send" || d.DialpadSandbox.Accepted() != 1 {
			t.Errorf("completion %+v, %d texts", c, d.DialpadSandbox.Accepted())
		}
		call.CallbackID, call.Inputs.FromUser = "cb_2", "44"
		_, err = d.CRMSandbox.Execute(t.Context(), "acme", call)
		d.Must(err)
		d.Until("the second completed", func() bool { return len(d.CRMSandbox.Completions()) == 2 })
		for _, c := range d.CRMSandbox.Completions() {
			if c.CallbackID == "cb_2" && (c.State != "FAIL_CONTINUE" || c.Port != "failed" || c.Outputs.ErrorText != "No Dialpad account found") {
				t.Errorf("without an account: %+v", c)
			}
		}
	})
}
