package audience_test

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"dialpad-texting/app/apierror"
	"dialpad-texting/app/audience"
	"dialpad-texting/integrations/crm"
	crmsandbox "dialpad-texting/integrations/crm/sandbox"
	. "dialpad-texting/internal/apptest"
	"dialpad-texting/models/ledger"
)

const unreadable = "record_unreadable: Salesmate gives this record in a form that can't be read"

// One odd record of a page of 200 is left out with its reason; the
// others are prepared, from ids and from a selection.
func TestOneUnreadableRecordDoesNotStopTheOthers(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		w.Host.Seed(240, 0)
		ids := make([]string, 200)
		for i := range ids {
			ids[i] = strconv.Itoa(1070 + i)
		}
		clean := w.MustPrepare(w.Bulk("ana", crm.ModuleContact, ids...), "clean", Text(Hi)).Counts
		for i, odd := range []struct{ field, value, reason string }{
			{"fields", `[]`, unreadable + " (fields)"}, {"owner", `42.5`, unreadable + " (owner)"}, {"phones", `"x"`, unreadable + " (phones)"},
			{"id", `{}`, unreadable}, {"id", `null`, unreadable}, {"contact_id", `"a\u0000"`, unreadable + " (contact_id)"},
		} {
			w.Host.SetOddValue("t_9", "1075", odd.field, odd.value)
			v := w.MustPrepare(w.Bulk("ana", crm.ModuleContact, ids...), "ids"+strconv.Itoa(i), Text(Hi))
			if v.State != ledger.BatchSending || v.Counts.Total != 200 || v.Counts.Queued != clean.Queued-1 {
				t.Errorf("%s %s: %s, %+v", odd.field, odd.value, v.State, v.Counts)
			}
			if got := w.Outcomes(v.ID)["1075"]; got != odd.reason {
				t.Errorf("%s %s: %q", odd.field, odd.value, got)
			}
			v = w.MustPrepare(w.Selection("ana", crm.ModuleContact, ""), "selection"+strconv.Itoa(i), Text(Hi))
			outcomes := w.Outcomes(v.ID)
			n := 0
			for _, o := range outcomes {
				if strings.HasPrefix(o, unreadable) {
					n++
				}
			}
			if v.State != ledger.BatchSending || n != 1 || len(outcomes) != v.Counts.Total || v.Counts.Total != 300 {
				t.Errorf("%s %s of a selection: %d unreadable, %s, %+v", odd.field, odd.value, n, v.State, v.Counts)
			}
			w.Host.ClearOddValues("t_9")
		}
		for _, value := range []string{`42.0`, `4.2e1`, `"42"`, `null`} { // ids all the same
			w.Host.SetOddValue("t_9", "1075", "owner", value)
			if v := w.MustPrepare(w.Bulk("ana", crm.ModuleContact, ids...), "owner"+value, Text(Hi)); v.Counts.Queued != clean.Queued {
				t.Errorf("owner %s: %+v", value, v.Counts)
			}
		}
	})
}

func TestUnreadableRecordInPreviewAndOneToOne(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		w.Host.SetOddValue("t_9", "7", "fields", `[]`)
		v, err := w.Preview(Ctx, w.Bulk("ana", crm.ModuleContact, "7", "15"), audience.PreviewRequest{Message: Hi})
		Must(t, err)
		i := slices.IndexFunc(v.Excluded, func(e audience.Exclusion) bool { return e.RecordID == "7" })
		if v.Total != 2 || v.WillReceive != 1 || i < 0 || v.Excluded[i].Code+": "+v.Excluded[i].Reason != unreadable+" (fields)" {
			t.Errorf("preview: %+v", v)
		}
		_, err = w.Preview(Ctx, w.One("ana", "7", Bob), audience.PreviewRequest{Message: Hi})
		Must(t, err)
		r := Text(Hi)
		r.ToField = ""
		_, err = w.Create(Ctx, w.One("ana", "7", Bob), "k", r)
		if code, words := Refusal(err); code != "record_unreadable" || !strings.Contains(words, "can't be read") {
			t.Errorf("one to one: %s, %q", code, words)
		}
	})
}

// An answer that came and can't be read is no silence.
func TestWordsForAnUnreadableAnswerAreTrue(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		for kind, words := range map[string]string{
			crmsandbox.FaultDown: apierror.CRMUnreachableMessage, crmsandbox.FaultGarbageJSON: apierror.CRMUnreadableMessage,
			crmsandbox.FaultGarbageHTML: apierror.CRMUnreadableMessage,
		} {
			w.Host.Break(crmsandbox.Fault{Kind: kind, Next: 1})
			_, err := w.Preview(Ctx, w.Bulk("ana", crm.ModuleContact, "7"), audience.PreviewRequest{Message: "Hi"})
			var e *apierror.Error
			if !errors.As(err, &e) || e.Code != apierror.CodeCRMUnreachable || e.Message != words {
				t.Errorf("%s: %v", kind, err)
			}
		}
	})
}
