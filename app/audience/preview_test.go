package audience_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dialpad-texting/app/access"
	"dialpad-texting/app/audience"
	"dialpad-texting/app/walltime"
	"dialpad-texting/integrations/crm"
	crmsandbox "dialpad-texting/integrations/crm/sandbox"
	. "dialpad-texting/internal/apptest"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/seed"
)

// dryRun is a preview with all its parts put together.
type dryRun struct {
	last     audience.PreviewView
	parts    int
	outcomes map[string]string // by record, as became has it
}

// previewAll asks for all parts, of a process of its own each if others is
// set.
func previewAll(w *World, a access.Asker, r audience.PreviewRequest, others bool) dryRun {
	w.T.Helper()
	d := dryRun{outcomes: map[string]string{}}
	x := w.Services
	for {
		if others {
			x = w.Process(w.CRM, nil)
		}
		v, err := x.Preview(Ctx, a, r)
		Must(w.T, err)
		d.last, d.parts = v, d.parts+1
		for _, e := range v.Excluded {
			d.outcomes[e.RecordID] = e.Code + ": " + e.Reason
		}
		for _, s := range v.Samples {
			d.outcomes[s.RecordID] = s.Text
		}
		if v.WillReceive+excluded(d.outcomes) < v.Total {
			w.T.Errorf("part %d: %d get it, %d do not, of %d", d.parts, v.WillReceive, excluded(d.outcomes), v.Total)
		}
		if v.Complete != (v.Next == nil) || d.parts > 50 {
			w.T.Fatalf("part %d: complete %v, next %v", d.parts, v.Complete, v.Next)
		}
		if v.Complete {
			return d
		}
		r.Cursor = *v.Next
	}
}

func excluded(texts map[string]string) (n int) {
	for _, text := range texts {
		if strings.Contains(text, ": ") && !strings.HasPrefix(text, "Hi") {
			n++
		}
	}
	return n
}

func TestPreviewEqualsPrepare(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		Must(t, w.DB.Tenants.SaveSettings(Ctx, "t_9", models.Settings{Country: "US", RatePerMinute: 100, OptOutLine: "Reply STOP to opt out."}))
		w.Suppress("+14155550110", models.OptOutReply)
		batches := 0
		for name, c := range map[string]struct {
			a             access.Asker
			text, toField string
		}{
			"contacts by id":      {w.Bulk("ben", crm.ModuleContact, "7", "8", "9", "11", "13", "15", "16", "54", "404", "1"), "Hi {{Contact.firstName}}", ""},
			"all contacts":        {w.Selection("ben", crm.ModuleContact, ""), Hi + " 🌻", ""},
			"all at their phones": {w.Selection("ana", crm.ModuleContact, ""), Hi, "phone"},
			"all deals":           {w.Selection("ben", crm.ModuleDeal, ""), "Hi {{Contact.firstName}}: {{Deal.title}}" + strings.Repeat(" more", 40), ""},
			"nobody":              {w.Bulk("ana", crm.ModuleContact, "8"), Hi, ""},
		} {
			p := previewAll(w, c.a, audience.PreviewRequest{Message: c.text, ToField: c.toField}, false)
			if w.CountBatches() != batches {
				t.Fatalf("%s: a preview stored something", name)
			}
			batches++
			r := Text(c.text)
			r.ToField = c.toField
			v := w.MustPrepare(c.a, name, r)
			if d := cmp.Diff(p.outcomes, w.Outcomes(v.ID)); d != "" {
				t.Errorf("%s: %s", name, d)
			}
			segments, most := 0, 0
			for _, m := range w.Rows(v.ID) {
				if m.State != ledger.Skipped {
					segments, most = segments+m.Segments, max(most, m.Segments)
				}
			}
			if p.last.Total != v.Counts.Total || p.last.WillReceive != v.Counts.Queued || p.last.Segments != segments || p.last.MaxSegments != most {
				t.Errorf("%s: previewed %+v, became %+v, %d segments, %d at most", name, p.last, v.Counts, segments, most)
			}
		}
	})
}

func TestPreviewNamesPersonAndDeal(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		a := w.Bulk("ana", crm.ModuleDeal, "107", "108", "109", "121")
		p, err := w.Preview(Ctx, a, audience.PreviewRequest{Message: Hi})
		Must(t, err)
		got := map[string]string{}
		for _, s := range p.Samples {
			got[s.RecordID] = s.Name + " · " + s.Deal
		}
		for _, e := range p.Excluded {
			got[e.RecordID] = e.Name + " · " + e.Deal
		}
		want := map[string]string{"107": "Bob Tanaka · Marine parts 2027", "108": "Bob Tanaka · Marine parts: winter top-up", "109": "Ruth Okafor · Autumn gala", "121": "Deal without a contact · "}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
		v := w.MustPrepare(a, "k1", Text(Hi))
		list, err := w.Messages(Ctx, w.Page("ana"), v.ID, "", "", "")
		Must(t, err)
		for _, m := range list.Messages {
			if now := m.Name + " · " + m.Deal; now != got[m.RecordID] {
				t.Errorf("the batch has %q, the preview %q", now, got[m.RecordID])
			}
		}
		var report strings.Builder
		Must(t, w.Report(Ctx, w.Page("ana"), v.ID, "", &report))
		if !strings.Contains(report.String(), "Message id,Deal\r\n") || !strings.Contains(report.String(), ",Marine parts 2027\r\n") {
			t.Error(report.String())
		}
		one := w.One("ana", "107", Bob)
		one.Target.Module = crm.ModuleDeal
		if v := w.MustCreate(one, "k2", Text(Hi)); v.To.Name != "Bob Tanaka" || v.To.Deal != "Marine parts 2027" {
			t.Errorf("%+v", v.To)
		}
	})
}

func TestPreviewContinuesInAnotherProcess(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		w.Host.Seed(2140, 0)
		w.Host.SetNumber("t_9", "2100", "mobile", Bob) // two parts on
		a := w.Selection("ana", crm.ModuleContact, "")
		whole := previewAll(w, a, audience.PreviewRequest{Message: Hi}, false)
		if whole.parts != 3 || whole.last.Total != 2200 || whole.last.WillReceive != 2190 || whole.outcomes["2100"] != "duplicate: Same number as Bob Tanaka" {
			t.Errorf("%d parts, %d of %d, the duplicate: %s", whole.parts, whole.last.WillReceive, whole.last.Total, whole.outcomes["2100"])
		}
		if want := w.Clock.Now().Add(2190 * time.Minute / 100); whole.last.LastAt == nil || !whole.last.LastAt.Equal(want) {
			t.Errorf("the last one goes at %v, not %s", whole.last.LastAt, want)
		}
		other := previewAll(w, a, audience.PreviewRequest{Message: Hi}, true)
		if d := cmp.Diff(whole.outcomes, other.outcomes); d != "" || other.last.WillReceive != 2190 || other.last.Total != 2200 {
			t.Errorf("in other processes: %d of %d; %s", other.last.WillReceive, other.last.Total, d)
		}
	})
}

func TestPreviewPartCanBeRepeated(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		w.Host.Seed(1440, 0)
		a := w.Selection("ana", crm.ModuleContact, "")
		first, err := w.Preview(Ctx, a, audience.PreviewRequest{Message: Hi})
		Must(t, err)
		r := audience.PreviewRequest{Message: Hi, Cursor: *first.Next}
		asked := 0
		w.CRM.Before = func() error {
			if asked++; asked == 2 { // in the middle of the second part
				w.Host.Break(crmsandbox.Fault{Kind: crmsandbox.FaultDown, Next: 1})
			}
			return nil
		}
		if _, err := w.Preview(Ctx, a, r); err == nil {
			t.Fatal("no error")
		} else if code, _ := Refusal(err); code != "crm_unreachable" {
			t.Errorf("%v", err)
		}
		for range 2 {
			v, err := w.Preview(Ctx, a, r)
			Must(t, err)
			if !v.Complete || v.Total != 1500 || v.WillReceive != 1491 {
				t.Errorf("asked again: %+v", v)
			}
		}
		asked = 0
		parts := strings.Split(r.Cursor, ":")
		for _, cursor := range []string{"x", "x:200", ":", "::", "x:1:" + parts[2], parts[0] + ":0:" + parts[2], parts[0] + ":201:" + parts[2],
			parts[0] + ":y:" + parts[2], parts[0] + ":1:0123456789abcdef", r.Cursor + ":", strings.Repeat("x", 900<<10) + ":1"} {
			r.Cursor = cursor
			if _, err = w.Preview(Ctx, a, r); err == nil {
				t.Errorf("cursor %.60q was taken", cursor)
			}
		}
		if _, err := w.Preview(Ctx, a, audience.PreviewRequest{Message: "Hello", Cursor: *first.Next}); err == nil {
			t.Error("a cursor was taken for another text")
		}
		if asked != 0 {
			t.Errorf("%d pages were read for them", asked)
		}
	})
}

// A preview that was begun in another process is read again. One request
// reads only so much of it.
func TestPreviewRereadsInSteps(t *testing.T) {
	w := New(t, modeltest.SQLite(t, seed.Migrate))
	w.Host.Seed(13_000, 0)
	a, r := w.Selection("ana", crm.ModuleContact, ""), audience.PreviewRequest{Message: Hi}
	var last audience.PreviewView
	for range 12 {
		v, err := w.Preview(Ctx, a, r)
		Must(t, err)
		last, r.Cursor = v, *v.Next
	}
	pages, other := 0, w.Process(w.CRM, nil)
	w.CRM.Before = func() error { pages++; return nil }
	step, err := other.Preview(Ctx, a, r)
	Must(t, err)
	if pages != 50 || step.Complete || len(step.Excluded)+len(step.Samples) != 0 || step.Next == nil || *step.Next != r.Cursor {
		t.Errorf("%d pages at once; %d excluded, %d samples, complete %v", pages, len(step.Excluded), len(step.Samples), step.Complete)
	}
	v, err := other.Preview(Ctx, a, r)
	Must(t, err)
	if v.Total != last.Total+1000 || len(v.Samples) != 200 || *v.Next == r.Cursor || pages != 65 {
		t.Errorf("%d after %d, with %d pages", v.Total, last.Total, pages)
	}
	r.Cursor = *v.Next
	if v, err = other.Preview(Ctx, a, r); err != nil || !v.Complete || v.Total != 13_060 {
		t.Errorf("%d, complete %v, %v", v.Total, v.Complete, err)
	}
}

func TestPreviewOfAnEmptyTextCountsRecipients(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		v, err := w.Preview(Ctx, w.Bulk("ana", crm.ModuleContact, "7", "8", "9"), audience.PreviewRequest{})
		if err != nil || v.WillReceive != 2 || len(v.Excluded) != 1 || len(v.Samples) != 0 || !v.Complete {
			t.Errorf("%+v, %v", v, err)
		}
		for text, want := range map[string]string{"Hi {{Contact.nope}}": "unknown_field", "Hi {{": "template_invalid"} {
			_, err := w.Preview(Ctx, w.Bulk("ana", crm.ModuleContact, "7"), audience.PreviewRequest{Message: text})
			if code, _ := Refusal(err); code != want {
				t.Errorf("%q: %v", text, err)
			}
		}
	})
}

func TestPreviewCountsQuietHours(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		Must(t, w.DB.Tenants.SaveSettings(Ctx, "t_9", models.Settings{Country: "US", RatePerMinute: 100, QuietFrom: "20:00", QuietTo: "08:00"}))
		w.Clock.Add(10 * time.Hour) // 20:00 in New York, 17:00 in California, 15:00 in Honolulu
		v, err := w.Preview(Ctx, w.Bulk("ana", crm.ModuleContact, "2", "5", "1", "50"), audience.PreviewRequest{Message: "Hi"})
		if err != nil || v.WillReceive != 4 || v.Quiet != 2 {
			t.Errorf("%+v, %v", v, err)
		}
	})
}

func TestPreviewCountsQuietHoursAtTheScheduledTime(t *testing.T) {
	Each(t, func(t *testing.T, w *World) { // it is 10:00 in New York, 07:00 in California, 05:00 in Honolulu
		Must(t, w.DB.Tenants.SaveSettings(Ctx, "t_9", models.Settings{Country: "US", RatePerMinute: 60, QuietFrom: "20:00", QuietTo: "08:00"}))
		a := w.Bulk("ana", crm.ModuleContact, "2", "5", "1", "50")
		now, err := w.Preview(Ctx, a, audience.PreviewRequest{Message: "Hi"})
		Must(t, err)
		for _, c := range []struct {
			local, zone string
			quiet       int
			at          string
		}{
			{"2026-03-02T21:30", "America/New_York", 2, "2026-03-03T02:30:00Z"}, // 18:30 in California, 16:30 in Honolulu
			{"2026-03-02T23:00", "America/New_York", 3, "2026-03-03T04:00:00Z"}, // 20:00 in California
			{"2026-03-02T12:59", "America/New_York", 1, "2026-03-02T17:59:00Z"}, // 07:59 in Honolulu
			{"2026-03-03T14:00", "America/New_York", 0, "2026-03-03T19:00:00Z"},
			{"2026-03-03T05:00", "Asia/Kathmandu", 0, "2026-03-02T23:15:00Z"},   // quiet where it is asked, not where they are
			{"2026-11-01T01:30", "America/New_York", 3, "2026-11-01T05:30:00Z"}, // a question is left to the sending
			{"2020-01-01T09:00", "America/New_York", now.Quiet, ""},
		} {
			v, err := w.Preview(Ctx, a, audience.PreviewRequest{Message: "Hi", Schedule: &walltime.Schedule{Local: c.local, TimeZone: c.zone}})
			if err != nil || v.WillReceive != 4 || v.Quiet != c.quiet {
				t.Errorf("%s in %s: %d of %d, %v", c.local, c.zone, v.Quiet, v.WillReceive, err)
				continue
			}
			if got := v.LastAt.Add(-4 * time.Second).Format(time.RFC3339); c.at != "" && got != c.at {
				t.Errorf("%s in %s: the first of them goes at %s", c.local, c.zone, got)
			}
		}
		if now.Quiet != 2 {
			t.Errorf("now: %d", now.Quiet)
		}
	})
}
