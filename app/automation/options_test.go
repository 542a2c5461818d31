package automation_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dialpad-texting/app/automation"
	"dialpad-texting/integrations/crm"
	crmsandbox "dialpad-texting/integrations/crm/sandbox"
	"dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/models"
)

func TestDefinitionMatchesTheContract(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		d, err := w.Definition(ctx, crm.Tenant{})
		must(t, err)
		if d.Key != "send_text_via_dialpad" || d.Label != "Send Text via Dialpad" {
			t.Errorf("it is %q %q", d.Key, d.Label)
		}
		keys := []string{}
		for _, i := range d.Inputs {
			keys = append(keys, i.Key)
			if (i.Type == "select") != (i.Options == "/automation/options") || i.AllowOwner != (i.Key == "from_user") {
				t.Errorf("input %+v", i)
			}
		}
		want := [][]string{{"from_user", "to_field", "template_id", "message"}, {"automation"}, {"contact", "deal"}, {"send", "failed", "continue"}}
		if diff := cmp.Diff(want, [][]string{keys, d.Surfaces, d.Modules, d.Ports}); diff != "" {
			t.Error(diff)
		}
	})
}

func (w *world) options(field, q, cursor, value string) crm.Options {
	w.t.Helper()
	o, err := w.Options(ctx, crm.OptionsQuery{Tenant: crm.Tenant{ID: "t_9"}, Field: field, Q: q, Cursor: cursor, Value: value})
	must(w.t, err)
	return o
}

var (
	ana = crm.Option{Value: "42", Label: "Ana Ruiz", Description: "ana@acme.com · +1 415 555 0100"}
	ben = crm.Option{Value: "43", Label: "Ben Okoro", Description: "ben@acme.com · +1 415 555 0101"}
)

func TestFromUserListsSendersAndMarksASavedUserWhoCannotText(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		cleo := crm.Option{Value: "44", Label: "Cleo Park", Description: "cleo@acme.com · No Dialpad account found", Inactive: true}
		dan := crm.Option{Value: "45", Label: "Dan Weiss", Description: "dan@acme.com · The Dialpad account has no phone number", Inactive: true}
		gone := crm.Option{Value: "99", Label: "99", Description: "No longer active in Salesmate", Inactive: true}
		for _, c := range []struct {
			q, value string
			want     []crm.Option
		}{
			{"", "", []crm.Option{ana, ben}},
			{"", "42", []crm.Option{ana, ben}},
			{"", "owner", []crm.Option{ana, ben}},
			{"okoro", "", []crm.Option{ben}},
			{"ANA@ACME", "", []crm.Option{ana}},
			{"okoro", "42", []crm.Option{ben}},
			{"nobody", "", []crm.Option{}},
			{"%", "", []crm.Option{}},
			{"", "44", []crm.Option{cleo, ana, ben}},
			{"", "45", []crm.Option{dan, ana, ben}},
			{"", "99", []crm.Option{gone, ana, ben}},
			{"okoro", "44", []crm.Option{cleo, ben}},
		} {
			got := w.options("from_user", c.q, "", c.value)
			if diff := cmp.Diff(crm.Options{Options: c.want}, got); diff != "" {
				t.Errorf("q %q, value %q:\n%s", c.q, c.value, diff)
			}
		}
	})
}

func TestFromUserRefreshesWithoutEvents(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.phone.SuspendUser(sandbox.BenID)
		w.phone.SetNumber(sandbox.DanID, "+14155550105")
		w.clock.Add(61 * time.Second)
		dan := crm.Option{Value: "45", Label: "Dan Weiss", Description: "dan@acme.com · +1 415 555 0105"}
		saved := crm.Option{Value: "43", Label: "Ben Okoro", Description: "ben@acme.com · The Dialpad account is suspended", Inactive: true}
		if diff := cmp.Diff(crm.Options{Options: []crm.Option{saved, ana, dan}}, w.options("from_user", "", "", "43")); diff != "" {
			t.Error(diff)
		}
	})
}

func TestFromUserPagesMissNobody(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		n := 5000
		if w.db.Embedded() {
			n = 500 // the same statements, and a slow writer
		}
		users, people := make([]models.User, n), make([]models.Account, n)
		for i := range n {
			email := fmt.Sprintf("u%d@acme.com", i)
			users[i] = models.User{UserID: fmt.Sprint(1000 + i), Email: email, Name: fmt.Sprintf("User %d", i%1500), Active: true} // names repeat
			people[i] = models.Account{DialpadID: fmt.Sprint(7_000_000 + i), Emails: []string{email}, State: "active", Number: fmt.Sprintf("+1415%07d", 2_000_000+i)}
		}
		must(t, w.db.Users.Save(ctx, "t_9", users))
		_, err := w.db.Accounts.Save(ctx, "t_9", w.clock.Now(), people)
		must(t, err)
		must(t, w.db.Connections.SetMoment(ctx, "t_9", models.DirectoryRead)) // Dialpad knows none of these: it must not be asked
		seen := map[string]bool{}
		for cursor, pages := "", 0; ; pages++ {
			o := w.options("from_user", "", cursor, "1321")
			if cursor == "" && (o.Options[0].Value != "1321" || o.Options[0].Inactive) {
				t.Errorf("the saved user is not on the first page: %+v", o.Options[0])
			}
			for _, v := range o.Options {
				if seen[v.Value] && v.Value != "1321" {
					t.Fatalf("%s came twice", v.Value)
				}
				seen[v.Value] = true
			}
			if len(o.Options) > 51 || pages > 200 {
				t.Fatalf("%d on page %d", len(o.Options), pages)
			}
			if o.Next == nil {
				break
			}
			cursor = *o.Next
		}
		if len(seen) != n+2 {
			t.Errorf("%d users came, want %d", len(seen), n+2)
		}
	})
}

func TestFromUserNamesEachReasonWhyNobodyCanText(t *testing.T) {
	link := &crm.Link{Text: "Click here", URL: "http://acme.localhost:8090/app"}
	for _, c := range []struct {
		code, message string
		link          *crm.Link
		change        func(w *world)
	}{
		{"plan_required", connectWords, link, func(w *world) { w.setPlan("starter") }},
		{"not_installed", connectWords, link, func(w *world) { must(w.t, w.db.Installations.Uninstall(ctx, "t_9")) }},
		{"not_connected", connectWords, link, func(w *world) { must(w.t, w.connections.Disconnect(ctx, "t_9", "42")) }},
		{"not_connected", connectWords, link, func(w *world) { must(w.t, w.tokens.Break(ctx, "t_9", 0, "Reconnect.")) }},
		{"not_connected", connectWords, link, func(w *world) { // not noticed yet
			w.phone.RevokeTokens(sandbox.AcmeID)
			w.clock.Add(2 * time.Minute)
		}},
		{"no_accounts", "No Dialpad account found", nil, func(w *world) {
			_, err := w.db.Accounts.Save(ctx, "t_9", w.clock.Now(), []models.Account{{DialpadID: sandbox.AnaID, State: "suspended"}, {DialpadID: sandbox.BenID, State: "deleted"}})
			must(w.t, err)
		}},
		{"dialpad_unreachable", "Dialpad is not answering. Try again in a few minutes.", nil, func(w *world) {
			w.phone.Fault(sandbox.Fault{Kind: sandbox.ErrorBeforeAccepting})
			w.clock.Add(2 * time.Minute)
		}},
		{"dialpad_unreachable", "Dialpad is not answering. Try again in a few minutes.", nil, func(w *world) {
			w.phone.Fault(sandbox.Fault{Kind: sandbox.DropBeforeReading})
			w.clock.Add(2 * time.Minute)
		}},
	} {
		t.Run(c.code, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				c.change(w)
				want := crm.Options{Options: []crm.Option{}, State: &crm.State{Code: c.code, Message: c.message, Link: c.link}}
				for _, field := range []string{"from_user", "to_field", "template_id"} {
					if field != "from_user" && c.link == nil {
						continue // the other inputs can be filled in without an account
					}
					if diff := cmp.Diff(want, w.options(field, "", "", "42")); diff != "" {
						t.Errorf("%s: %s", field, diff)
					}
				}
			})
		})
	}
}

func TestFromUserListsAgainAfterAnOutage(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.phone.Fault(sandbox.Fault{Kind: sandbox.ErrorBeforeAccepting})
		w.clock.Add(2 * time.Minute)
		if o := w.options("from_user", "", "", ""); o.State == nil {
			t.Fatalf("no state in an outage: %+v", o)
		}
		w.phone.ClearFaults()
		if diff := cmp.Diff(crm.Options{Options: []crm.Option{ana, ben}}, w.options("from_user", "", "", "")); diff != "" {
			t.Error(diff)
		}
	})
}

func TestPhoneFieldsAndTemplatesComeFromTheCRM(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		fields := []crm.Option{{Value: "mobile", Label: "Mobile"}, {Value: "phone", Label: "Phone"}, {Value: "work", Label: "Work phone"}}
		fax := crm.Option{Value: "fax", Label: "fax", Description: "No longer a phone field", Inactive: true}
		for _, c := range []struct {
			field, q, value string
			want            []crm.Option
		}{
			{"to_field", "", "mobile", fields},
			{"to_field", "work", "", fields[2:]},
			{"to_field", "", "fax", append(append([]crm.Option{}, fields...), fax)},
			{"template_id", "Running late", "", []crm.Option{{Value: "tpl_9", Label: "Running late", Description: "Meetings"}}},
			{"template_id", "Running late", "tpl_none", []crm.Option{
				{Value: "tpl_none", Label: "tpl_none", Description: "This template no longer exists", Inactive: true},
				{Value: "tpl_9", Label: "Running late", Description: "Meetings"}}},
		} {
			if diff := cmp.Diff(crm.Options{Options: c.want}, w.options(c.field, c.q, "", c.value)); diff != "" {
				t.Errorf("%s %q %q:\n%s", c.field, c.q, c.value, diff)
			}
		}
		if o := w.options("template_id", "", "", "tpl_3"); len(o.Options) != 12 {
			t.Errorf("%d templates", len(o.Options))
		}
	})
}

func TestUnreadableOptionsQueryIsInvalid(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var invalid *automation.Invalid
		for _, q := range []crm.OptionsQuery{{Field: "message"}, {Field: "owner"}, {Field: "from_user", Cursor: "?"}} {
			q.Tenant.ID = "t_9"
			if _, err := w.Options(ctx, q); !errors.As(err, &invalid) {
				t.Errorf("%+v: %v", q, err)
			}
		}
		if _, err := w.Options(ctx, crm.OptionsQuery{Tenant: crm.Tenant{ID: "t_none"}, Field: "from_user"}); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("an unknown tenant: %v", err)
		}
		w.host.Break(crmsandbox.Fault{Kind: crmsandbox.FaultDown})
		if _, err := w.Options(ctx, crm.OptionsQuery{Tenant: crm.Tenant{ID: "t_9"}, Field: "template_id"}); err == nil {
			t.Error("templates without a CRM")
		}
	})
}
