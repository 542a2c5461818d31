package outbox_test

import (
	"encoding/csv"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dialpad-texting/app/access"
	"dialpad-texting/app/audience"
	"dialpad-texting/app/batch"
	"dialpad-texting/app/delivery"
	"dialpad-texting/app/outbox"
	"dialpad-texting/integrations/crm"
	crmsandbox "dialpad-texting/integrations/crm/sandbox"
	. "dialpad-texting/internal/apptest"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// listIDs are the ids of all pages of the outbox, which must be newest
// first.
func listIDs(w *World, a access.Asker, f outbox.Filter) []string {
	w.T.Helper()
	var ids []string
	for {
		v, err := w.Outbox.Batches(Ctx, a, f)
		Must(w.T, err)
		for _, b := range v.Batches {
			w.CheckCounts(b)
			if len(ids) > 0 && ids[len(ids)-1] <= b.ID {
				w.T.Error("not newest first")
			}
			ids = append(ids, b.ID)
		}
		if v.Next == nil {
			return ids
		}
		f.Cursor = *v.Next
	}
}

func TestBatchesAreFilteredAndPaged(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		var one []string
		for i := range 60 {
			one = append([]string{w.MustCreate(w.One("ana", "7", Bob), fmt.Sprint(i), Text("Hi")).ID}, one...)
			w.Clock.Add(time.Millisecond)
		}
		bulk := w.MustPrepare(w.Bulk("ben", crm.ModuleContact, "8"), "b", Text("Spring menu 100% off_")).ID
		later := w.MustCreate(w.Bulk("ben", crm.ModuleContact, "7"), "s", w.Later(time.Hour)).ID
		soon := w.MustCreate(w.One("ben", "9", "+14155550177"), "o", w.Later(time.Hour)).ID
		ana, ben := w.Page("ana"), w.Page("ben")
		for name, c := range map[string]struct {
			a    access.Asker
			f    outbox.Filter
			want []string
		}{
			"everything":  {ana, outbox.Filter{}, append([]string{soon, later, bulk}, one...)},
			"Ben's own":   {ben, outbox.Filter{}, []string{soon, later, bulk}},
			"scheduled":   {ana, outbox.Filter{State: "scheduled"}, []string{soon, later}},
			"done bulks":  {ana, outbox.Filter{State: "done", Source: "bulk"}, []string{bulk}},
			"one to one":  {ana, outbox.Filter{Source: "one"}, append([]string{soon}, one...)},
			"by text":     {ana, outbox.Filter{Query: "spring MENU"}, []string{bulk}},
			"by person":   {ana, outbox.Filter{Query: "okoro"}, []string{soon, later, bulk}},
			"by number":   {ana, outbox.Filter{Query: "(415) 555-0142"}, one},
			"by name":     {ana, outbox.Filter{Query: "Bob TAN"}, one},
			"one's own":   {ben, outbox.Filter{Query: "(415) 555-0142"}, nil},
			"not yet":     {ben, outbox.Filter{Query: "415-555-0177"}, []string{soon}},
			"a percent":   {ana, outbox.Filter{Query: "0% off_"}, []string{bulk}},
			"no wildcard": {ana, outbox.Filter{Query: "S%u"}, nil},
			"nothing":     {ben, outbox.Filter{Source: "automation"}, nil},
		} {
			if d := cmp.Diff(c.want, listIDs(w, c.a, c.f)); d != "" {
				t.Errorf("%s: %s", name, d)
			}
		}
		w.Clock.Add(59 * time.Minute)
		w.MustStartDue()
		_, err := w.Prepare(Ctx, "t_9", later)
		Must(t, err)
		for state, want := range map[string][]string{"scheduled": {soon, later}, "sending": one} { // made ready, it still waits for its time
			if d := cmp.Diff(want, listIDs(w, ana, outbox.Filter{State: state})); d != "" {
				t.Errorf("%s, a minute before: %s", state, d)
			}
		}
	})
}

func TestMessagesAreFilteredAndPaged(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		w.Tenant.Batch("b1", ledger.ClassBulk, "1", "ana@acme.com", 250)
		w.Settle(ledger.Sent, w.Claim()[:30]...)
		for state, want := range map[string]int{"": 250, "sent": 30, "sending": 220, "failed": 0} {
			n, cursor, seen := 0, "", map[string]bool{}
			for {
				v, err := w.Messages(Ctx, w.Page("ana"), "b1", state, "", cursor)
				Must(t, err)
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
		_, err := w.Messages(Ctx, w.Page("ana"), "b1", "lost", "", "")
		if code, _ := Refusal(err); code != "bad_request" {
			t.Error(err)
		}
	})
}

func TestReportEscapesFormulas(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		v := w.MustPrepare(w.Bulk("ana", crm.ModuleContact, "7", "8"), "k1", Text("Hi {{Contact.firstName}},\n\"quoted\" ✓"))
		lane, err := w.DB.Lanes.Get(Ctx, "t_9", Company)
		Must(t, err)
		for i, name := range []string{"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1", "fine"} {
			_, err := w.DB.Messages.Add(Ctx, lane, []ledger.Message{{ID: models.NewID(), TenantID: "t_9", BatchID: v.ID, LaneID: lane.ID, Class: ledger.ClassBulk, UserID: "42",
				Module: "contact", RecordID: fmt.Sprint("x", i), Name: name, State: ledger.Skipped, ErrorText: "Not a valid number", ErrorCode: "invalid_number"}})
			Must(t, err)
		}
		w.Settle(ledger.Sent, w.Claim()...)
		var b strings.Builder
		Must(t, w.Report(Ctx, w.Page("ana"), v.ID, "", &b))
		body, marked := strings.CutPrefix(b.String(), "\ufeff")
		if !marked || strings.Count(body, "\r\n") < 10 || strings.Contains(strings.ReplaceAll(body, "\r\n", ""), "\r") {
			t.Errorf("no byte order mark or line ends: %q", b.String()[:40])
		}
		rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
		Must(t, err)
		if len(rows) != 10 || rows[0][0] != "Name" {
			t.Fatalf("%d rows", len(rows))
		}
		for _, row := range rows {
			for i, cell := range row {
				if i != 1 && cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r\n") { // a number has digits alone
					t.Errorf("a cell that a spreadsheet would run: %q", cell)
				}
			}
		}
		want := []string{"Bob Tanaka", Bob, "sent", "", "", "2026-03-02T15:00:00Z", "Hi Bob,\n\"quoted\" ✓", "7"}
		found := false
		for _, row := range rows {
			found = found || row[7] == "7" && cmp.Equal(row[:8], want)
		}
		if !found {
			t.Errorf("no row %q in %q", want, rows)
		}
		b.Reset()
		Must(t, w.Report(Ctx, w.Page("ana"), v.ID, "sent", &b))
		if rows, err := csv.NewReader(strings.NewReader(b.String())).ReadAll(); err != nil || len(rows) != 2 {
			t.Errorf("only the sent ones: %d rows, %v", len(rows), err)
		}
	})
}

func TestReceiptTimeline(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		v := w.MustCreate(w.One("ana", "7", Bob), "k1", Text("Hi {{Contact.firstName}} 🌻"))
		first := w.Claim()[0]
		w.Clock.Add(time.Second)
		due := w.Clock.Now().Add(time.Minute)
		_, err := w.DB.Settle(Ctx, []ledger.Outcome{{ID: first.ID, Attempt: 1, State: ledger.Waiting, Code: "rate", Text: "Too many requests", DueAt: &due}})
		Must(t, err)
		w.Clock.Add(time.Minute)
		w.Settle(ledger.Sent, w.Claim()...)
		w.Clock.Add(2 * time.Second)
		_, err = w.DB.SaveEvent(Ctx, ledger.WebhookEvent{TenantID: "t_9", Kind: ledger.EventSMS, DialpadID: "d-" + first.ID, Direction: "outbound", Status: "delivered",
			FromNumber: "+14155550100", ToNumber: Bob, BodyHash: "1"})
		Must(t, err)
		events, err := w.DB.Events.PendingAllTenants(Ctx, w.Clock.Now().Add(time.Second), 1)
		Must(t, err)
		done, err := delivery.NewReconciler(w.DB.Store).Process(Ctx, "t_9", events[0].ID)
		if err != nil || !done {
			t.Fatalf("the event: %v, %v", done, err)
		}
		r, err := w.Receipt(Ctx, w.Page("ana"), first.ID)
		Must(t, err)
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
		var moments []string
		for i, moment := range r.Timeline {
			moments = append(moments, moment.Text)
			if i > 0 && moment.At.Before(r.Timeline[i-1].At) {
				t.Error("not in order")
			}
		}
		want := []string{"Asked for by Ana Ruiz", "Number, opt-outs and merge fields checked; filled in and queued", "Attempt 1: plan, connection, sender and opt-outs checked", "Too many requests",
			"Attempt 2: plan, connection, sender and opt-outs checked", "Dialpad took the text", "Dialpad said: delivered"}
		if d := cmp.Diff(want, moments); d != "" {
			t.Error(d)
		}
	})
}

func TestReceiptNamesAnAutomationsSender(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		a := audience.Action{CallbackID: "cb_1", MessageID: models.NewID(), CalledAt: w.Clock.Now(), WorkflowID: "w1", WorkflowName: "Welcome",
			Module: crm.ModuleContact, RecordID: "7", ToField: "mobile", Message: Hi}
		tenant := w.Page("ana").Tenant
		Must(t, w.DB.Users.Save(Ctx, "t_9", []models.User{{UserID: "43", Email: "ben@acme.com", Name: "Ben Okoro", Active: true}}))
		to, err := w.Target(Ctx, tenant, "43", a)
		Must(t, err)
		Must(t, w.DB.Tx(Ctx, func(tx *models.Store) error {
			_, err := w.EnqueueAction(Ctx, tx, tenant, batch.Sender{UserID: "43", DialpadID: "2"}, a, to)
			return err
		}))
		sender := func() string {
			t.Helper()
			r, err := w.Receipt(Ctx, w.Page("ana"), a.MessageID)
			Must(t, err)
			return r.Request.Sender
		}
		if got := sender(); got != "ben@acme.com" {
			t.Errorf("the sender is %q", got)
		}
		Must(t, w.DB.Accounts.DeleteAll(Ctx, "t_9")) // disconnected: the CRM's user still says who it was
		if got := sender(); got != "ben@acme.com" {
			t.Errorf("without accounts the sender is %q", got)
		}
	})
}

func TestBatchNamesAScheduledRecipient(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		ctx := t.Context()
		named := func(who string) (string, string) {
			t.Helper()
			list, err := w.Outbox.Batches(ctx, w.Page(who), outbox.Filter{})
			Must(t, err)
			one, err := w.Batch(ctx, w.Page(who), list.Batches[0].ID)
			Must(t, err)
			if one.To.Name != list.Batches[0].To.Name {
				t.Errorf("%q in the list, %q alone", list.Batches[0].To.Name, one.To.Name)
			}
			return one.To.Name, one.To.Display
		}
		later := w.Later(3 * time.Hour)
		later.Message = "See you"
		w.MustCreate(w.One("ana", "54", "+14155550176"), "k1", later)
		if name, number := named("ana"); name == "" || number != "+1 415 555 0176" {
			t.Errorf("%q at %q", name, number)
		}
		w.Host.Break(crmsandbox.Fault{Type: "records.resolve", Kind: crmsandbox.FaultDown})
		w.MustCreate(w.One("ana", "7", Bob), "k2", later)
		if name, number := named("ana"); name != "" || number != "+1 415 555 0142" {
			t.Errorf("%q at %q while the CRM is down", name, number)
		}
		w.Host.Mend()
		w.Clock.Add(61 * time.Second)
		if name, _ := named("ana"); name != "Bob Tanaka" {
			t.Errorf("%q once it is back", name)
		}
		list, err := w.Outbox.Batches(ctx, w.Page("ana"), outbox.Filter{})
		Must(t, err)
		_, err = w.Cancel(ctx, w.Page("ana"), list.Batches[0].ID)
		Must(t, err)
		if name, _ := named("ana"); name != "Bob Tanaka" {
			t.Errorf("%q once it is cancelled", name)
		}
		Must(t, w.DB.EraseContact(ctx, "t_9", "7"))
		w.Clock.Add(61 * time.Second)
		if name, number := named("ana"); name != "" || number != "" {
			t.Errorf("%q at %q once the person is erased", name, number)
		}
	})
}

func TestBatchShowsQuietHoursWhileScheduled(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		v := w.MustCreate(w.One("ana", "7", Bob), "k1", w.Later(time.Hour))
		now := w.MustCreate(w.One("ana", "20", Bob), "k2", Text(Hi))
		for _, hours := range []models.QuietHours{{From: "21:00", To: "07:00"}, {}} {
			Must(t, w.DB.Tenants.SaveSettings(Ctx, "t_9", models.Settings{Country: "US", RatePerMinute: 100, QuietFrom: hours.From, QuietTo: hours.To}))
			if got := w.MustView(v.ID).QuietHours; got == nil != (hours.From == "") || got != nil && *got != hours {
				t.Errorf("%v, want %v", got, hours)
			}
			if got := w.MustView(now.ID).QuietHours; got != nil {
				t.Errorf("of what went: %v", got)
			}
		}
	})
}
