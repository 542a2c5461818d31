package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dialpad-texting/integrations/crm"
)

var ctx = context.Background()

func ids(records []crm.Record) []string {
	var out []string
	for _, r := range records {
		out = append(out, r.ID)
	}
	return out
}

func TestContactHasFieldsOfAllModules(t *testing.T) {
	for _, numbers := range []bool{false, true} {
		w := newWorld(t, func(o *Options) { o.NumberIDs = numbers })
		got, err := w.client.ResolveRecords(ctx, w.acme, crm.ResolveQuery{UserID: "43", Module: crm.ModuleContact, IDs: []string{"7", "8", "24", "999"}})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"7", "8"}, ids(got.Records)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([][]string{{"999"}, {"24"}}, [][]string{got.Missing, got.Forbidden}); diff != "" {
			t.Error(diff)
		}
		bob, ruth := got.Records[0], got.Records[1]
		if bob.Name != "Bob Tanaka" || bob.ContactID != "7" || bob.Owner != "42" || bob.TimeZone != "America/Los_Angeles" || bob.OptedOut || !ruth.OptedOut {
			t.Errorf("%+v", bob)
		}
		if diff := cmp.Diff(map[string]string{"mobile": "+14155550142", "phone": "+14155550143", "work": ""}, bob.Phones); diff != "" {
			t.Error(diff)
		}
		for key, want := range map[string]string{
			"Contact.firstName": "Bob", "Company.name": "Tanaka Marine", "Deal.title": "Marine parts: winter top-up",
			"User.name": "Ben Okoro", "User.firstName": "Ben", "User.lastName": "Okoro", "User.email": "ben@acme.com", "User.phone": "+14155550101",
		} {
			if bob.Fields[key] != want {
				t.Errorf("%s = %q, want %q", key, bob.Fields[key], want)
			}
		}
	}
}

func TestDealHasItsPrimaryContactsPhones(t *testing.T) {
	w := newWorld(t)
	got, err := w.client.ResolveRecords(ctx, w.acme, crm.ResolveQuery{UserID: "42", Module: crm.ModuleDeal, IDs: []string{"103", "121"}})
	if err != nil {
		t.Fatal(err)
	}
	deal, alone := got.Records[0], got.Records[1]
	if deal.Module != "deal" || deal.Name != "Dental front desk" || deal.ContactID != "3" || deal.Owner != "43" ||
		deal.Phones["mobile"] != "(312) 555-0114" || deal.Fields["Contact.firstName"] != "Priya" || deal.Fields["Deal.value"] != "$15,600" {
		t.Errorf("%+v", deal)
	}
	if alone.ContactID != "" || len(alone.Phones) != 0 {
		t.Errorf("a deal without a contact: %+v", alone)
	}
}

func TestSelectionIsPaged(t *testing.T) {
	w := newWorld(t)
	w.Seed(1000, 0)
	id, count, err := w.Select("acme", "43", crm.ModuleContact, "")
	if err != nil || count != 1058 { // 60 people, two of them private, and a thousand
		t.Fatalf("%d %v", count, err)
	}
	w.Seed(10, 0) // "all" is all of that moment
	q := crm.ResolveQuery{UserID: "43", Module: crm.ModuleContact, Selection: id}
	seen, pages := map[string]bool{}, 0
	for {
		got, err := w.client.ResolveRecords(ctx, w.acme, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range got.Records {
			seen[r.ID] = true
		}
		pages++
		if q.Cursor = got.Next; q.Cursor == "" {
			break
		}
	}
	if len(seen) != 1058 || pages != 6 {
		t.Errorf("%d records on %d pages", len(seen), pages)
	}
}

func TestRecordsChangedBetweenPagesAreMissingOrForbidden(t *testing.T) {
	w := newWorld(t)
	id, _, err := w.Select("acme", "42", crm.ModuleContact, "bright dental")
	if err != nil {
		t.Fatal(err)
	}
	w.DeleteContact("acme", "48")
	w.SetNumber("acme", "3", "mobile", "+13125550188")
	got, err := w.client.ResolveRecords(ctx, w.acme, crm.ResolveQuery{UserID: "42", Module: crm.ModuleContact, Selection: id})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"48"}, got.Missing); diff != "" || got.Records[0].Phones["mobile"] != "+13125550188" {
		t.Errorf("%s %+v", diff, got.Records)
	}
}

func TestListsArePaged(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.PageSize = 5 })
	w.SeedUsers(8)
	users := map[string]crm.Person{}
	for cursor, pages := "", 0; ; pages++ {
		page, err := w.client.Users(ctx, w.acme, cursor)
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range page.Users {
			users[u.ID] = u
		}
		if cursor = page.Next; cursor == "" {
			if pages != 2 {
				t.Errorf("%d pages after the first", pages)
			}
			break
		}
	}
	if len(users) != 12 || users["44"].Email != "cleo@acme.com" || !users["44"].Active {
		t.Errorf("%+v", users)
	}
	w.Deactivate("acme", "44")
	page, err := w.client.Users(ctx, w.acme, "")
	if err != nil || page.Users[2].Active {
		t.Errorf("%+v %v", page, err)
	}

	first, err := w.client.Templates(ctx, w.acme, "42", "", "")
	if err != nil || len(first.Templates) != 5 || first.Next == "" {
		t.Fatalf("%+v %v", first, err)
	}
	found, err := w.client.Templates(ctx, w.acme, "42", "proposal DEALS", "")
	if err != nil || len(found.Templates) != 1 || found.Templates[0].Folder != "Deals" || found.Next != "" {
		t.Errorf("%+v %v", found, err)
	}
	fields, err := w.client.Fields(ctx, w.acme, crm.ModuleDeal)
	if err != nil || len(fields.Fields) != len(mergeFieldList) || len(fields.Phones) != 3 || fields.Phones[0].Key != "mobile" {
		t.Errorf("%+v %v", fields, err)
	}
}

func TestTimelineKeepsTheNewestState(t *testing.T) {
	w := newWorld(t)
	sent := w.clock.now()
	a := crm.Activity{MessageID: "m1", ContactID: "7", UserID: "42", From: "+14155550100", To: "+14155550142", Body: "Hi Bob", Status: "sent", SentAt: &sent, Source: "one"}
	early := crm.New(w.server.URL+"/{linkname}", w.opts.Secrets, nil, func() time.Time { return sent.Add(-time.Second) })
	upsert := func(c *crm.Client, id, status string) {
		t.Helper()
		a.Status = status
		if err := c.UpsertActivity(ctx, w.acme, id, a); err != nil {
			t.Fatal(err)
		}
	}
	upsert(w.client, "msg_1", "sent")
	w.clock.add(time.Second)
	upsert(w.client, "msg_2", "delivered")
	upsert(early, "msg_3", "queued") // late, and older
	upsert(w.client, "msg_2", "failed")
	got := w.Activities("acme")
	if len(got) != 1 || got[0].Status != "delivered" || got[0].Updates != 3 || got[0].Body != "Hi Bob" || !got[0].SentAt.Equal(sent) {
		t.Errorf("%+v", got)
	}
	if len(w.Activities("globex")) != 0 {
		t.Error("another tenant sees it")
	}
}

func TestOptOutAppliesToEveryRecordWithTheNumber(t *testing.T) {
	w := newWorld(t)
	optedOut := func() (out []bool) {
		got, err := w.client.ResolveRecords(ctx, w.acme, crm.ResolveQuery{UserID: "42", Module: crm.ModuleContact, IDs: []string{"15", "16", "17"}})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range got.Records {
			out = append(out, r.OptedOut)
		}
		return out
	}
	if err := w.client.UpsertOptOut(ctx, w.acme, "msg_o", "+19195550129", true, "STOP"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]bool{true, true, false}, optedOut()); diff != "" {
		t.Error(diff)
	}
	w.OptIn("acme", "(919) 555-0129")
	if diff := cmp.Diff([]bool{false, false, false}, optedOut()); diff != "" {
		t.Error(diff)
	}
}

func TestRepeatedCompletionIsStoredOnce(t *testing.T) {
	w := newWorld(t)
	done := crm.Completion{CallbackID: "cb_1", State: crm.StateSuccess, Port: crm.PortSend, Severity: crm.SeverityNone,
		Outputs: crm.CompletionOutputs{Status: "sent", MessageID: "m1"}}
	for _, id := range []string{"msg_1", "msg_1", "msg_2"} {
		if err := w.client.Complete(ctx, w.acme, id, done); err != nil {
			t.Fatal(err)
		}
	}
	got := w.Completions()
	if len(got) != 2 || got[0].Repeat || !got[1].Repeat || got[0].Outputs.MessageID != "m1" {
		t.Errorf("%+v", got)
	}
	for name, spoil := range map[string]func(*crm.Completion){
		"ports mixed":    func(c *crm.Completion) { c.Port = crm.PortFailed },
		"port continue":  func(c *crm.Completion) { c.Port = "continue" },
		"severity other": func(c *crm.Completion) { c.Severity = "dire" },
		"no callback":    func(c *crm.Completion) { c.CallbackID = "" },
	} {
		bad := done
		spoil(&bad)
		wantKind(t, name, w.client.Complete(ctx, w.acme, "msg_3", bad), crm.Refused)
	}
}

func wantKind(t *testing.T, name string, err error, kind crm.Kind) {
	t.Helper()
	var e *crm.Error
	if !errors.As(err, &e) || e.Kind != kind {
		t.Errorf("%s: got %v, want %s", name, err, kind)
	}
}

func TestUnsignedCallsAreRefused(t *testing.T) {
	w := newWorld(t)
	other, err := crm.ParseSecrets("whsec_dGhlLW9sZGVyLXNlY3JldC0yNC1ieXRl")
	if err != nil {
		t.Fatal(err)
	}
	url := w.server.URL + "/{linkname}"
	for name, client := range map[string]*crm.Client{
		"another secret":   crm.New(url, other, nil, w.clock.now),
		"no secret":        crm.New(url, crm.Secrets{}, nil, w.clock.now),
		"an hour old":      crm.New(url, w.opts.Secrets, nil, func() time.Time { return w.clock.now().Add(-time.Hour) }),
		"another's path":   crm.New(w.server.URL+"/globex", w.opts.Secrets, nil, w.clock.now),
		"nobody's address": crm.New(w.server.URL+"/initech", w.opts.Secrets, nil, w.clock.now),
	} {
		_, err := client.Users(ctx, w.acme, "")
		wantKind(t, name, err, crm.Refused)
	}
	_, err = w.client.ResolveRecords(ctx, w.acme, crm.ResolveQuery{UserID: "42", Module: crm.ModuleContact, Selection: "sel_none"})
	wantKind(t, "unknown selection", err, crm.Refused)
	_, err = w.client.ResolveRecords(ctx, w.acme, crm.ResolveQuery{UserID: "51", Module: crm.ModuleContact, IDs: []string{"1"}})
	wantKind(t, "another tenant's user", err, crm.Refused)
	_, err = w.client.Fields(ctx, w.acme, "lead")
	wantKind(t, "unknown module", err, crm.Refused)
	if got := w.Calls(); got[len(got)-1].Status != http.StatusBadRequest {
		t.Errorf("%+v", got)
	}
}

func TestConcurrentCalls(t *testing.T) {
	w := newWorld(t)
	w.Seed(500, 50)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			id := strconv.Itoa(1060 + i)
			for n := range 10 {
				if _, err := w.client.ResolveRecords(ctx, w.acme, crm.ResolveQuery{UserID: "42", Module: crm.ModuleContact, IDs: []string{id}}); err != nil {
					t.Error(err)
				}
				if err := w.client.UpsertActivity(ctx, w.acme, fmt.Sprintf("msg_%d_%d", i, n), crm.Activity{MessageID: id, ContactID: id, Status: "sent"}); err != nil {
					t.Error(err)
				}
				w.SetPlan("acme", "business")
				w.Activities("acme")
			}
		})
	}
	wg.Wait()
	if got := w.Activities("acme"); len(got) != 8 || got[0].Updates != 10 {
		t.Errorf("%d activities", len(got))
	}
}
