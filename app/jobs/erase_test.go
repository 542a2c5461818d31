package jobs_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"dialpad-texting/app/audience"
	"dialpad-texting/app/batch"
	"dialpad-texting/app/popup"
	"dialpad-texting/app/replies"
	"dialpad-texting/integrations/crm"
	crmsandbox "dialpad-texting/integrations/crm/sandbox"
	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/models"
	"dialpad-texting/models/database"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/seed"
)

// What is to be erased: contact 7.
const (
	erasedNumber = "+14155550142"
	erasedName   = "Zyxwina"
	erasedText   = "plum velvet lantern for zyxwina.q@example.net"
)

// traces are the forms in which a person may be left, in lower case, by what
// they are forms of.
func traces() map[string][][]byte {
	out := map[string][][]byte{}
	for name, words := range map[string][]string{"number": {"4155550142", "415-555-0142", "(415) 555-0142", "555-0142", "415 555 0142", "415.555.0142"},
		"name": {erasedName}, "e-mail": {"zyxwina.q@example.net", "zyxwina.q"}, "text": {"plum velvet", "velvet lantern"}} {
		for _, word := range words {
			out[name] = append(out[name], bytes.ToLower([]byte(word)))
			if len(word) < 10 {
				continue // too short to be told from chance
			}
			for pad, begin := range []int{0, 2, 3} { // base64 at each of its alignments, without the ends that depend on what is beside it
				encoded := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", pad) + word))
				out[name] = append(out[name], bytes.ToLower([]byte(encoded[begin:len(encoded)-4])))
			}
		}
	}
	return out
}

// rawDatabase returns all that the database stores: the bytes of SQLite's files,
// or each row of each of Postgres's tables as text. In lower case.
func rawDatabase(w *world, dsn string) []byte {
	w.t.Helper()
	var all []byte
	if path, embedded := strings.CutPrefix(dsn, "sqlite:"); embedded {
		for _, suffix := range []string{"", "-wal", "-shm"} {
			content, err := os.ReadFile(path + suffix)
			w.must(err)
			all = append(all, content...)
		}
		return bytes.ToLower(all)
	}
	db, err := database.Open(ctx, dsn, database.Options{})
	w.must(err)
	defer func() { _ = db.Close() }()
	var tables []string
	w.must(db.Gorm(ctx).Raw("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'").Scan(&tables).Error)
	for _, table := range tables {
		var rows []string
		w.must(db.Gorm(ctx).Raw(`SELECT CAST(r AS text) FROM "` + table + `" r`).Scan(&rows).Error)
		all = append(all, table+"\n"+strings.Join(rows, "\n")+"\n"...)
	}
	return bytes.ToLower(all)
}

// left returns what is left of a person, with what stands around it.
func left(raw []byte) (found []string) {
	for name, forms := range traces() {
		for _, form := range forms {
			if at := bytes.Index(raw, form); at >= 0 {
				found = append(found, fmt.Sprintf("%s %q in %q", name, form, raw[max(0, at-150):min(len(raw), at+80)]))
			}
		}
	}
	return found
}

// seedPerson leaves contact 7 wherever the product stores a person, through its
// own calls. It returns the ids of a delivered and a scheduled text, and the
// plain hash of a request.
func (w *world) seedPerson() (sent, scheduled, hash string) {
	w.t.Helper()
	w.World.CRM.SetFirstName("acme", "7", erasedName)
	w.World.CRM.Break(crmsandbox.Fault{Type: crm.CallOptOut, Kind: crmsandbox.FaultError})
	one := w.asker("42", "ana@acme.com", "admin", &crm.LaunchTarget{Mode: crm.ModeOne, Module: crm.ModuleContact, RecordIDs: []string{"7"}, ToNumber: "(415) 555-0142"})
	request := batch.Request{Message: "Dear {{Contact.firstName}}, " + erasedText}
	b, err := w.texts.Create(ctx, one, "k1", request)
	w.must(err)
	w.eventually(time.Minute, "delivered", func() bool { return w.counts(b.ID).Delivered == 1 })
	_, err = w.Automation.Execute(ctx, crm.Execute{Tenant: crm.Tenant{ID: "t_9"}, CallbackID: "cb_1", Workflow: crm.Workflow{ID: "w1", Name: "Welcome"}, Module: crm.ModuleContact,
		RecordID: "7", Inputs: crm.Inputs{FromUser: "43", ToField: "mobile", Message: "Hello {{Contact.firstName}}"}})
	w.must(err)
	bulk := w.asker("42", "ana@acme.com", "admin", &crm.LaunchTarget{Mode: crm.ModeBulk, Module: crm.ModuleContact, RecordIDs: []string{"7", "20"}})
	both, err := w.texts.Create(ctx, bulk, "k2", batch.Request{Message: "Hi {{Contact.firstName}}"})
	w.must(err)
	bulk.Target.RecordIDs = []string{"7"}
	alone, err := w.texts.Create(ctx, bulk, "k3", batch.Request{Message: "Hi {{Contact.firstName}}, " + erasedText})
	w.must(err)
	w.eventually(time.Minute, "all sent", func() bool {
		callback, err := w.db.Callbacks.Get(ctx, "t_9", "cb_1")
		return err == nil && callback.State == ledger.CallbackCompleted && w.counts(both.ID).Delivered == 2 && w.counts(alone.ID).Delivered == 1
	})
	scheduled = w.scheduleOne("43", "ben@acme.com")
	w.must(w.texts.SaveDraft(ctx, one, popup.Draft{Text: erasedText}))
	target, err := json.Marshal(one.Target)
	w.must(err)
	_, err = w.db.Sessions.Create(ctx, models.Session{Kind: models.SessionPopup, TenantID: "t_9", UserID: "42", Ctx: target, ExpiresAt: w.clock.Now().Add(time.Hour)})
	w.must(err)
	for i, text := range []string{"hello " + erasedText, "please stop texting me, " + erasedText, "STOP"} {
		at := w.clock.Now()
		sms := dialpad.SMSEvent{Direction: "inbound", FromNumber: erasedNumber, ToNumbers: []string{"+14155550100"}, Text: text, EventAt: at}
		saved, err := w.OptOuts.Receive(ctx, sms, ledger.WebhookEvent{TenantID: "t_9", Kind: ledger.EventSMS, BodyHash: fmt.Sprint("reply", i), EventAt: &at}, w.webhook.Save)
		w.must(err)
		w.must(replies.New(w.db.Store).Record(ctx, saved, sms))
	}
	return b.ID, scheduled, audience.RequestHash(one.Target, request)
}

func TestEraseLeavesNothingOfAPersonButTheOptOut(t *testing.T) {
	for by, e := range map[string]crm.Event{"number": {Type: crm.EventDataErase, Number: "415-555-0142"}, "contact": {Type: crm.EventDataErase, ContactID: "7"},
		"both": {Type: crm.EventDataErase, ContactID: "7", Number: erasedNumber}} {
		t.Run(by, func(t *testing.T) {
			modeltest.Each(t, seed.Migrate, func(t *testing.T, dsn string) {
				w := newWorld(t, dsn)
				w.start()
				w.connect()
				sent, scheduled, hash := w.seedPerson()
				raw := rawDatabase(w, dsn)
				if found := left(raw); len(found) < 6 {
					t.Fatalf("the test stores nobody: %q", found)
				}
				if bytes.Contains(raw, []byte(hash)) {
					t.Error("a request's hash can be guessed")
				}
				w.must(w.applyEvent(50, crm.Event{Type: crm.EventPlanChanged}))
				w.must(w.applyEvent(40, e)) // an older seq than the event before
				w.must(w.applyEvent(40, e))
				w.wantErased(dsn)
				w.checkOthers(sent, scheduled)
				w.nameAgain(sent)
				w.wantErased(dsn)
			})
		})
	}
}

// wantErased waits until nothing is left. SQLite's log is emptied as soon as no
// reader needs it.
func (w *world) wantErased(dsn string) {
	w.t.Helper()
	var found []string
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if found = left(rawDatabase(w, dsn)); len(found) == 0 {
			return
		}
		w.must(w.Sweep(ctx))
	}
	slices.Sort(found)
	w.t.Errorf("left:\n%s", strings.Join(found, "\n"))
}

func (w *world) checkOthers(sent, scheduled string) {
	w.t.Helper()
	raw := fmt.Sprint(w.db.Messages.List(ctx, "t_9", w.bulkOfTwo(), nil, "", 100))
	if !strings.Contains(raw, "+12075550134") || !strings.Contains(raw, "Hi Finn") {
		w.t.Error("somebody else's texts are gone")
	}
	if b := w.batch(scheduled); b.State != ledger.BatchCancelled || b.HeldReason != "This person's data was erased" {
		w.t.Errorf("the schedule is %s: %s", b.State, b.HeldReason)
	}
	if !w.isOptedOut(erasedNumber) {
		w.t.Error("the opt-out is gone")
	}
	if c := w.counts(sent); c.Delivered != 1 {
		w.t.Errorf("the counts changed: %+v", c)
	}
}

func (w *world) bulkOfTwo() string {
	w.t.Helper()
	b, err := w.db.Batches.ByIdempotencyKey(ctx, "t_9", "42", "k2")
	w.must(err)
	return b.ID
}

// nameAgain has Dialpad name the person in what comes late.
func (w *world) nameAgain(sent string) {
	w.t.Helper()
	list, err := w.db.Messages.List(ctx, "t_9", sent, nil, "", 1)
	w.must(err)
	w.must(w.webhook.Save(ctx, ledger.WebhookEvent{TenantID: "t_9", Kind: ledger.EventSMS, BodyHash: "late", DialpadID: list[0].DialpadID, Direction: "outbound",
		FromNumber: "+14155550100", ToNumber: erasedNumber, Status: "delivered"}))
	_, err = w.db.Suppressions.Add(ctx, "t_9", erasedNumber, models.OptOutDialpad, "")
	w.must(err)
	w.clock.Add(2 * time.Hour) // the log is emptied each hour
}
