package texting_test

import (
	"encoding/csv"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dialpad-texting/app/delivery"
	"dialpad-texting/app/texting"
	"dialpad-texting/integrations/crm"
	crmsandbox "dialpad-texting/integrations/crm/sandbox"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// listed are the ids of all pages of the outbox, which must be newest first.
func (w *world) listed(a texting.Asker, f texting.Filter) []string {
	w.t.Helper()
	var ids []string
	for {
		v, err := w.Batches(ctx, a, f)
		must(w.t, err)
		for _, b := range v.Batches {
			w.addsUp(b)
			if len(ids) > 0 && ids[len(ids)-1] <= b.ID {
				w.t.Error("not newest first")
			}
			ids = append(ids, b.ID)
		}
		if v.Next == nil {
			return ids
		}
		f.Cursor = *v.Next
	}
}

func TestTheOutboxIsFilteredAndPaged(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var one []string
		for i := range 60 {
			one = append([]string{w.create(w.one("ana", "7", bob), fmt.Sprint(i), says("Hi")).ID}, one...)
			w.clock.Add(time.Millisecond)
		}
		bulk := w.prepared(w.bulk("ben", crm.ModuleContact, "8"), "b", says("Spring menu 100% off_")).ID
		later := w.create(w.bulk("ben", crm.ModuleContact, "7"), "s", w.later(time.Hour)).ID
		soon := w.create(w.one("ben", "9", "+14155550177"), "o", w.later(time.Hour)).ID
		ana, ben := w.page("ana"), w.page("ben")
		for name, c := range map[string]struct {
			a    texting.Asker
			f    texting.Filter
			want []string
		}{
			"everything":  {ana, texting.Filter{}, append([]string{soon, later, bulk}, one...)},
			"Ben's own":   {ben, texting.Filter{}, []string{soon, later, bulk}},
			"scheduled":   {ana, texting.Filter{State: "scheduled"}, []string{soon, later}},
			"done bulks":  {ana, texting.Filter{State: "done", Source: "bulk"}, []string{bulk}},
			"one to one":  {ana, texting.Filter{Source: "one"}, append([]string{soon}, one...)},
			"by text":     {ana, texting.Filter{Query: "spring MENU"}, []string{bulk}},
			"by person":   {ana, texting.Filter{Query: "okoro"}, []string{soon, later, bulk}},
			"by number":   {ana, texting.Filter{Query: "(415) 555-0142"}, one},
			"by name":     {ana, texting.Filter{Query: "bob TAN"}, one},
			"one's own":   {ben, texting.Filter{Query: "(415) 555-0142"}, nil},
			"not yet":     {ben, texting.Filter{Query: "415-555-0177"}, []string{soon}},
			"a percent":   {ana, texting.Filter{Query: "0% off_"}, []string{bulk}},
			"no wildcard": {ana, texting.Filter{Query: "S%u"}, nil},
			"nothing":     {ben, texting.Filter{Source: "automation"}, nil},
		} {
			if d := cmp.Diff(c.want, w.listed(c.a, c.f)); d != "" {
				t.Errorf("%s: %s", name, d)
			}
		}
		w.clock.Add(59 * time.Minute)
		w.due()
		_, err := w.Prepare(ctx, "t_9", later)
		must(t, err)
		for state, want := range map[string][]string{"scheduled": {soon, later}, "sending": one} { // made ready, it still waits for its time
			if d := cmp.Diff(want, w.listed(ana, texting.Filter{State: state})); d != "" {
				t.Errorf("%s, a minute before: %s", state, d)
			}
		}
	})
}

func TestABatchsTextsAreFilteredAndPaged(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.acme.Batch("b1", ledger.ClassBulk, "1", "ana@acme.com", 250)
		w.settle(ledger.Sent, w.claim()[:30]...)
		for state, want := range map[string]int{"": 250, "sent": 30, "sending": 220, "failed": 0} {
			n, cursor, seen := 0, "", map[string]bool{}
			for {
				v, err := w.Messages(ctx, w.page("ana"), "b1", state, cursor)
				must(t, err)
				for _, m := range v.Messages {
					if seen[m.ID] || state != "" && m.State != state {
						t.Errorf("%q: %+v", state, m)
					}
					seen[m.ID] = true
					n++
				}
				if v.Next == nil {
					break
				}
				cursor = *v.Next
			}
			if n != want {
				t.Errorf("%q: %d", state, n)
			}
		}
		_, err := w.Messages(ctx, w.page("ana"), "b1", "lost", "")
		if code, _ := refused(err); code != "bad_request" {
			t.Error(err)
		}
	})
}

func TestTheReportOpensInASpreadsheetAndRunsNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := w.prepared(w.bulk("ana", crm.ModuleContact, "7", "8"), "k1", says("Hi {{Contact.firstName}},\n\"quoted\" ✓"))
		lane, err := w.db.Lanes.Get(ctx, "t_9", company)
		must(t, err)
		for i, name := range []string{"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1", "fine"} {
			_, err := w.db.Messages.Add(ctx, lane, []ledger.Message{{ID: models.NewID(), TenantID: "t_9", BatchID: v.ID, LaneID: lane.ID, Class: ledger.ClassBulk, UserID: "42",
				Module: "contact", RecordID: fmt.Sprint("x", i), Name: name, State: ledger.Skipped, ErrorText: "Not a valid number", ErrorCode: "invalid_number"}})
			must(t, err)
		}
		w.settle(ledger.Sent, w.claim()...)
		var b strings.Builder
		must(t, w.Report(ctx, w.page("ana"), v.ID, "", &b))
		body, marked := strings.CutPrefix(b.String(), "\ufeff")
		if !marked || strings.Count(body, "\r\n") < 10 || strings.Contains(strings.ReplaceAll(body, "\r\n", ""), "\r") {
			t.Errorf("no byte order mark or line ends: %q", b.String()[:40])
		}
		rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
		must(t, err)
		if len(rows) != 10 || rows[0][0] != "Name" {
			t.Fatalf("%d rows", len(rows))
		}
		for _, row := range rows {
			for _, cell := range row {
				if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r\n") {
					t.Errorf("a cell that a spreadsheet would run: %q", cell)
				}
			}
		}
		want := []string{"Bob Tanaka", "'" + bob, "sent", "", "", "2026-03-02T15:00:00Z", "Hi Bob,\n\"quoted\" ✓", "7"}
		found := false
		for _, row := range rows {
			found = found || row[7] == "7" && cmp.Equal(row[:8], want)
		}
		if !found {
			t.Errorf("no row %q in %q", want, rows)
		}
		b.Reset()
		must(t, w.Report(ctx, w.page("ana"), v.ID, "sent", &b))
		if rows, err := csv.NewReader(strings.NewReader(b.String())).ReadAll(); err != nil || len(rows) != 2 {
			t.Errorf("only the sent ones: %d rows, %v", len(rows), err)
		}
	})
}

func TestAReceiptTellsEverythingInOrder(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := w.create(w.one("ana", "7", bob), "k1", says("Hi {{Contact.firstName}} 🌻"))
		first := w.claim()[0]
		w.clock.Add(time.Second)
		due := w.clock.Now().Add(time.Minute)
		_, err := w.db.Settle(ctx, []ledger.Outcome{{ID: first.ID, Attempt: 1, State: ledger.Waiting, Code: "rate", Text: "Too many requests", DueAt: &due}})
		must(t, err)
		w.clock.Add(time.Minute)
		w.settle(ledger.Sent, w.claim()...)
		w.clock.Add(2 * time.Second)
		_, err = w.db.SaveEvent(ctx, ledger.WebhookEvent{TenantID: "t_9", Kind: ledger.EventSMS, DialpadID: "d-" + first.ID, Direction: "outbound", Status: "delivered",
			FromNumber: "+14155550100", ToNumber: bob, BodyHash: "1"})
		must(t, err)
		events, err := w.db.Events.PendingAllTenants(ctx, w.clock.Now().Add(time.Second), 1)
		must(t, err)
		done, err := delivery.NewReconciler(w.db.Store, slog.New(slog.DiscardHandler)).Process(ctx, "t_9", events[0].ID)
		if err != nil || !done {
			t.Fatalf("the event: %v, %v", done, err)
		}
		r, err := w.Receipt(ctx, w.page("ana"), first.ID)
		must(t, err)
		m := r.Message
		if m.State != ledger.Delivered || m.Text != "Hi Bob 🌻" || m.From != "+14155550100" || m.Segments != 1 || m.Encoding != "UCS-2" || m.BatchID != v.ID || m.MatchedBy != "id" || m.DialpadID != "d-"+first.ID {
			t.Errorf("message %+v", m)
		}
		if r.Request.Text != "Hi {{Contact.firstName}} 🌻" || r.Request.By.Name != "Ana Ruiz" || r.Request.Sender != "ana@acme.com" || r.Request.Schedule != nil {
			t.Errorf("request %+v", r.Request)
		}
		if len(r.Attempts) != 2 || r.Attempts[0].Outcome != "waiting" || r.Attempts[0].ErrorText != "Too many requests" || r.Attempts[1].Attempt != 2 || r.Attempts[1].AnsweredAt == nil {
			t.Errorf("attempts %+v", r.Attempts)
		}
		if len(r.Events) != 1 || r.Events[0].Status != "delivered" {
			t.Errorf("events %+v", r.Events)
		}
		var told []string
		for i, moment := range r.Timeline {
			told = append(told, moment.Text)
			if i > 0 && moment.At.Before(r.Timeline[i-1].At) {
				t.Error("not in order")
			}
		}
		want := []string{"Asked for by Ana Ruiz", "Number, opt-outs and merge fields checked; filled in and queued", "Attempt 1: plan, connection, sender and opt-outs checked", "Too many requests",
			"Attempt 2: plan, connection, sender and opt-outs checked", "Dialpad took the text", "Dialpad said: delivered"}
		if d := cmp.Diff(want, told); d != "" {
			t.Error(d)
		}
	})
}

func TestAReceiptNamesTheSenderOfAnAutomationsText(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a := texting.Action{CallbackID: "cb_1", MessageID: models.NewID(), CalledAt: w.clock.Now(), WorkflowID: "w1", WorkflowName: "Welcome",
			Module: crm.ModuleContact, RecordID: "7", ToField: "mobile", Message: hi}
		tenant := w.page("ana").Tenant
		must(t, w.db.Users.Save(ctx, "t_9", []models.User{{UserID: "43", Email: "ben@acme.com", Name: "Ben Okoro", Active: true}}))
		to, err := w.Target(ctx, tenant, "43", a)
		must(t, err)
		must(t, w.db.Tx(ctx, func(tx *models.Store) error {
			_, err := w.Enqueue(ctx, tx, tenant, texting.Sender{UserID: "43", DialpadID: "2"}, a, to)
			return err
		}))
		sender := func() string {
			t.Helper()
			r, err := w.Receipt(ctx, w.page("ana"), a.MessageID)
			must(t, err)
			return r.Request.Sender
		}
		if got := sender(); got != "ben@acme.com" {
			t.Errorf("the sender is %q", got)
		}
		must(t, w.db.Accounts.DeleteAll(ctx, "t_9")) // disconnected: the CRM's user still says who it was
		if got := sender(); got != "ben@acme.com" {
			t.Errorf("without accounts the sender is %q", got)
		}
	})
}

func TestAScheduledOneToOneIsNamedBeforeItIsPrepared(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		named := func(who string) (string, string) {
			t.Helper()
			list, err := w.Batches(ctx, w.page(who), texting.Filter{})
			must(t, err)
			one, err := w.Batch(ctx, w.page(who), list.Batches[0].ID)
			must(t, err)
			if one.To.Name != list.Batches[0].To.Name {
				t.Errorf("%q in the list, %q alone", list.Batches[0].To.Name, one.To.Name)
			}
			return one.To.Name, one.To.Display
		}
		later := w.later(3 * time.Hour)
		later.Message = "See you"
		w.create(w.one("ana", "54", "+14155550176"), "k1", later)
		if name, number := named("ana"); name == "" || number != "+1 415 555 0176" {
			t.Errorf("%q at %q", name, number)
		}
		w.host.Break(crmsandbox.Fault{Type: "records.resolve", Kind: crmsandbox.FaultDown})
		w.create(w.one("ana", "7", bob), "k2", later)
		if name, number := named("ana"); name != "" || number != "+1 415 555 0142" {
			t.Errorf("%q at %q while the CRM is down", name, number)
		}
		w.host.Mend()
		w.clock.Add(61 * time.Second)
		if name, _ := named("ana"); name != "Bob Tanaka" {
			t.Errorf("%q once it is back", name)
		}
		list, err := w.Batches(ctx, w.page("ana"), texting.Filter{})
		must(t, err)
		_, err = w.Cancel(ctx, w.page("ana"), list.Batches[0].ID)
		must(t, err)
		if name, _ := named("ana"); name != "Bob Tanaka" {
			t.Errorf("%q once it is cancelled", name)
		}
		must(t, w.db.EraseContact(ctx, "t_9", "7"))
		w.clock.Add(61 * time.Second)
		if name, number := named("ana"); name != "" || number != "" {
			t.Errorf("%q at %q once the person is erased", name, number)
		}
	})
}
