package handlers_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/seed"
)

// onEach runs a test of the whole app on both databases.
func onEach(t *testing.T, f func(w *world)) {
	t.Helper()
	modeltest.Each(t, seed.Migrate, func(t *testing.T, dsn string) {
		f(newWorld(t, func(o *setup) { o.dsn = dsn }))
	})
}

func TestActivityIsForAdmins(t *testing.T) {
	w := newWorld(t).connected()
	w.call("GET", "/apps/dialpad/activity", w.page("acme", "43"), nil).want(403, "admin_required")
	w.call("GET", "/apps/dialpad/activity?cursor=x", w.page("acme", "42"), nil).want(400, "bad_request")
}

func TestActivityIsListedSearchedAndSaved(t *testing.T) {
	onEach(t, func(w *world) {
		w.connected()
		page := w.page("acme", "42")
		list := func(q url.Values) response {
			return w.call("GET", "/apps/dialpad/activity?"+q.Encode(), page, nil).want(200, "")
		}
		count := func(r response) int { return len(r.at("entries").([]any)) }
		before := count(list(nil))
		w.call("POST", "/embed/api/opt-outs", page, map[string]any{"action": "opt_out", "number": bobsNumber, "how": "told Ana"}).want(200, "")
		w.call("GET", "/apps/dialpad/opt-outs", page, nil, header("Accept", "text/csv")).want(200, "")
		r := list(nil)
		if count(r) != before+2 || r.text("entries", "0", "what") != "Saved the list of opt-outs" || r.text("entries", "1", "what") != "Marked a number as opted out" ||
			r.text("entries", "1", "by") != "Ana Ruiz" {
			w.t.Errorf("activity %s", r.body)
		}
		for i := range 60 {
			w.must(w.db.Audits.Add(w.t.Context(), "t_9", "43", "batch.cancelled", map[string]string{"batch": fmt.Sprint("b", i), "note": "=1+1"}))
		}
		w.db.Tenant("t_10")
		w.must(w.db.Audits.Add(w.t.Context(), "t_10", "51", "batch.cancelled", nil)) // another tenant's
		first := list(url.Values{"q": {"CANCELLED texts"}})
		second := list(url.Values{"q": {"CANCELLED texts"}, "cursor": {first.text("next")}})
		if count(first) != 50 || first.text("entries", "0", "batch_id") != "b59" || count(second) != 10 || second.at("next") != nil {
			w.t.Errorf("%d and %d: %.300s", count(first), count(second), first.body)
		}
		w.page("acme", "43") // Ben is known by name from now on
		if r := list(url.Values{"q": {"okoro"}}); count(r) != 50 || r.text("entries", "0", "by") != "Ben Okoro" {
			w.t.Errorf("search of a person: %.300s", r.body)
		}
		if r := list(url.Values{"q": {"nobody did this"}}); count(r) != 0 {
			w.t.Errorf("search of nothing: %.300s", r.body)
		}
		file := w.call("GET", "/apps/dialpad/activity?q=cancelled+texts", page, nil, header("Accept", "text/csv")).want(200, "")
		if rows := strings.Count(file.body, "\r\n"); rows != 61 || strings.Contains(file.body, ",=1") {
			w.t.Errorf("%d rows: %.300s", rows, file.body)
		}
		all := list(nil)
		if strings.Contains(all.body+file.body, "5550142") || strings.Contains(all.body, "told Ana") || all.text("entries", "0", "action") != "activity.exported" {
			w.t.Errorf("activity %.300s", all.body)
		}
	})
}
