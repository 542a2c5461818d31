package connection_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dialpad-texting/app/eligibility"
	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/integrations/dialpad/sandbox"
)

func TestSubscribeTwiceMakesOneWebhook(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.connected()
		path, _, err := w.db.Connections.OpenHook(w.connection())
		must(t, err)
		address := public + "/dialpad/events/" + path
		want := "hook " + address + "\nsms " + address + " all status=true internal=true\nchanges " + address
		if diff := cmp.Diff(want, w.hooks(w.grant().Access)); diff != "" {
			t.Fatal(diff)
		}
		first := w.connection()
		subs, err := w.Subscribe(ctx, "t_9")
		must(t, err)
		if subs.WebhookID != first.WebhookID || subs.SMS != first.SMSSubscription || subs.ChangeLog != first.ChangeSubscription || subs.Note != "" {
			t.Errorf("again: %+v", subs)
		}
		if diff := cmp.Diff(want, w.hooks(w.grant().Access)); diff != "" {
			t.Error(diff)
		}
		must(t, w.dp.DeleteSMSSubscription(ctx, w.grant().Access, subs.SMS))
		must(t, w.Check(ctx, "t_9"))
		if diff := cmp.Diff(want, w.hooks(w.grant().Access)); diff != "" {
			t.Errorf("after somebody deleted it:\n%s", diff)
		}
	})
}

func TestSubscribeDeletesOurOldHooksOnly(t *testing.T) {
	w := newSQLite(t)
	w.connect(w.consent(w.tenant, w.admin, "browser", sandbox.AnaID))
	token := w.grant().Access
	path, secret, err := w.db.Connections.OpenHook(w.connection())
	must(t, err)
	for _, address := range []string{public + "/dialpad/events/old", public + "/dialpad/events/" + path, public + "/dialpad/events/" + path,
		"https://other.example/dialpad/events/" + path} {
		hook, err := w.dp.CreateWebhook(ctx, token, address, secret)
		must(t, err)
		_, err = w.dp.CreateSMSSubscription(ctx, token, hook.ID)
		must(t, err)
	}
	_, err = w.Subscribe(ctx, "t_9")
	must(t, err)
	ours, other := public+"/dialpad/events/"+path, "https://other.example/dialpad/events/"+path
	want := "hook " + ours + "\nhook " + other + "\nsms " + ours + " all status=true internal=true\nsms " + other +
		" all status=true internal=true\nchanges " + ours
	if diff := cmp.Diff(want, w.hooks(token)); diff != "" {
		t.Error(diff)
	}
}

func TestSubscribeNotesWhatDialpadRefuses(t *testing.T) {
	t.Run("change log", func(t *testing.T) {
		each(t, func(t *testing.T, w *world) {
			w.connected()
			c := w.connection()
			if c.ChangeSubscription != "" || c.SMSSubscription == "" || !c.Ready ||
				c.SubscriptionsNote != "Dialpad refused the change log: The scope change_log is required." {
				t.Errorf("connection %+v", c)
			}
		}, func(_ *sandbox.Options, c *dialpad.Config) { c.Scopes = []string{"offline_access"} })
	})
	t.Run("quota", func(t *testing.T) {
		w := newSQLite(t)
		token := w.sandbox.IssueToken(sandbox.AnaID)
		hook, err := w.dp.CreateWebhook(ctx, token, "https://other.example/", "s")
		must(t, err)
		for range 10 {
			_, err := w.dp.CreateSMSSubscription(ctx, token, hook.ID)
			must(t, err)
		}
		w.connected()
		if c := w.connection(); c.SMSSubscription != "" || c.ChangeSubscription == "" || !c.Ready ||
			!strings.Contains(c.SubscriptionsNote, "Dialpad refused texts: This company has 10") {
			t.Errorf("connection %+v", c)
		}
	})
	t.Run("not now", func(t *testing.T) {
		w := newSQLite(t)
		w.connect(w.consent(w.tenant, w.admin, "browser", sandbox.AnaID))
		w.sandbox.Fault(sandbox.Fault{Kind: sandbox.ErrorAfterAccepting, Path: "/api/v2/subscriptions/sms", Times: 2, Every: 2})
		if _, err := w.Subscribe(ctx, "t_9"); !eligibility.IsOutage(err) {
			t.Fatalf("got %v", err)
		}
		w.sandbox.ClearFaults()
		_, err := w.Subscribe(ctx, "t_9")
		must(t, err)
		if got := strings.Count(w.hooks(w.grant().Access), "\n") + 1; got != 3 {
			t.Errorf("%d hooks and subscriptions:\n%s", got, w.hooks(w.grant().Access))
		}
	})
}
