package audience_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dialpad-texting/app/access"
	"dialpad-texting/app/audience"
	"dialpad-texting/app/outbox"
	"dialpad-texting/integrations/crm"
	crmsandbox "dialpad-texting/integrations/crm/sandbox"
	. "dialpad-texting/internal/apptest"
	"dialpad-texting/models/ledger"
)

// seedThousand adds people until Acme has a thousand, one of whom, six
// pages on, has Bob's number. 990 of them can be texted.
func seedThousand(w *World) {
	w.Host.Seed(940, 0)
	w.Host.SetNumber("t_9", "1900", "mobile", "(415) 555 0142")
}

func checkThousand(w *World, v outbox.BatchView) {
	w.T.Helper()
	if v.State != ledger.BatchSending || v.Counts.Total != 1000 || v.Counts.Queued != 990 || v.Counts.Skipped != 10 {
		w.T.Errorf("%s, %+v", v.State, v.Counts)
	}
	numbers, reasons := map[string]bool{}, map[string]int{}
	for _, m := range w.Rows(v.ID) {
		if m.State == ledger.Skipped {
			reasons[m.ErrorCode]++
			continue
		}
		if numbers[m.ToNumber] {
			w.T.Errorf("two texts to one number")
		}
		numbers[m.ToNumber] = true
		if m.RecordID == "1900" {
			w.T.Error("a number was texted twice through two pages")
		}
	}
	if d := cmp.Diff(map[string]int{"opted_out": 3, "no_number": 3, "invalid_number": 2, "duplicate": 2}, reasons); d != "" {
		w.T.Error(d)
	}
	if got := w.Outcomes(v.ID)["1900"]; got != "duplicate: Same number as Bob Tanaka" {
		w.T.Errorf("the duplicate of another page: %s", got)
	}
}

func TestPrepareReadsASelectionInPages(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		seedThousand(w)
		v := w.MustCreate(w.Selection("ana", crm.ModuleContact, ""), "k1", Text(Hi))
		if v.Counts.Queued != 1000 || v.State != ledger.BatchPreparing {
			t.Errorf("before: %+v", v.Counts)
		}
		n, err := w.Prepare(Ctx, "t_9", v.ID)
		if err != nil || n.Pages != 5 || n.Queued+n.Skipped != 1000 {
			t.Errorf("%+v, %v", n, err)
		}
		checkThousand(w, w.MustView(v.ID))
	})
}

func TestPrepareContinuesInAnotherProcess(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		seedThousand(w)
		v := w.MustCreate(w.Selection("ana", crm.ModuleContact, ""), "k1", Text(Hi))
		for died := 1; ; died++ {
			run, die := context.WithCancel(Ctx)
			pages := 0
			w.CRM.Before = func() error {
				if pages++; pages == 3 { // asked for while the second page is stored
					die()
				}
				return nil
			}
			_, err := w.Process(w.CRM, nil).Prepare(run, "t_9", v.ID)
			die()
			if now := w.MustView(v.ID); now.Counts.Total != 1000 {
				t.Fatalf("after %d deaths: %+v", died, now.Counts)
			}
			if err == nil {
				break
			}
			if died > 10 {
				t.Fatal("it never comes to an end")
			}
		}
		checkThousand(w, w.MustView(v.ID))
	})
}

func TestConcurrentPreparesStoreEachRecipientOnce(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		seedThousand(w)
		v := w.MustCreate(w.Selection("ana", crm.ModuleContact, ""), "k1", Text(Hi))
		var both sync.WaitGroup // both begin with the same page
		both.Add(2)
		var asked atomic.Int64
		w.CRM.Before = func() error {
			if asked.Add(1) <= 2 {
				both.Done()
				both.Wait()
			}
			return nil
		}
		var g sync.WaitGroup
		var pages atomic.Int64
		for range 2 {
			g.Go(func() {
				n, err := w.Process(w.CRM, nil).Prepare(Ctx, "t_9", v.ID)
				pages.Add(int64(n.Pages))
				if err != nil {
					t.Error(err)
				}
			})
		}
		g.Wait()
		if pages.Load() != 5 {
			t.Errorf("%d pages were stored", pages.Load())
		}
		checkThousand(w, w.MustView(v.ID))
	})
}

func TestPrepareNotesAFailingCRM(t *testing.T) {
	for kind, words := range map[string]string{
		crmsandbox.FaultDown:        "Waiting for Salesmate, which is not answering",
		crmsandbox.FaultGarbageJSON: "Salesmate gives these records in a form that can't be read; it is asked again",
		crmsandbox.FaultGarbageHTML: "Salesmate gives these records in a form that can't be read; it is asked again",
		crmsandbox.FaultRefuse:      "Salesmate refused access to these records; it is asked again",
	} {
		t.Run(kind, func(t *testing.T) {
			Each(t, func(t *testing.T, w *World) {
				seedThousand(w)
				v := w.MustCreate(w.Selection("ana", crm.ModuleContact, ""), "k1", Text(Hi))
				asked := 0
				w.CRM.Before = func() error {
					if asked++; asked == 3 {
						w.Host.Break(crmsandbox.Fault{Type: "records.resolve", Kind: kind})
					}
					return nil
				}
				for range 3 {
					if _, err := w.Prepare(Ctx, "t_9", v.ID); err == nil {
						t.Fatal("prepared without the CRM")
					}
				}
				now := w.MustView(v.ID)
				if now.State != ledger.BatchPreparing || now.Reason == nil || *now.Reason != words || now.Counts.Total != 1000 || now.Counts.Skipped == 0 {
					t.Errorf("meanwhile %s, %v, %+v", now.State, now.Reason, now.Counts)
				}
				w.Settle(ledger.Sent, w.Claim()...) // what is prepared goes out meanwhile
				if now = w.MustView(v.ID); now.State != ledger.BatchPreparing || now.Counts.Sent == 0 || now.Counts.Total != 1000 {
					t.Errorf("while it sends %s, %+v", now.State, now.Counts)
				}
				w.Host.Mend()
				_, err := w.Prepare(Ctx, "t_9", v.ID)
				Must(t, err)
				w.Settle(ledger.Sent, w.Claim()...)
				if now = w.MustView(v.ID); now.State != ledger.BatchDone || now.Reason != nil || now.Counts.Sent != 990 || now.Counts.Skipped != 10 {
					t.Errorf("afterwards %s, %v, %+v", now.State, now.Reason, now.Counts)
				}
			})
		})
	}
}

// circularPages answers about a selection in pages that lead back to the
// first.
type circularPages struct{ Client }

func (c circularPages) ResolveRecords(ctx context.Context, t crm.Tenant, q crm.ResolveQuery) (crm.Records, error) {
	next := map[string]string{"": "a", "a": "b", "b": "a"}[q.Cursor]
	q.Cursor, q.Limit = "", 10
	r, err := c.Client.ResolveRecords(ctx, t, q)
	r.Next = next
	return r, err
}

func TestPrepareAndPreviewDetectCircularPages(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		x := w.Process(circularPages{w.CRM}, nil)
		a := w.Selection("ana", crm.ModuleContact, "")
		if p, err := x.Preview(Ctx, a, audience.PreviewRequest{Message: "Hi"}); err == nil {
			t.Errorf("counted in a circle: %+v", p.Total)
		}
		v := w.MustCreate(a, "k1", Text("Hi"))
		for _, want := range []string{ledger.BatchPreparing, ledger.BatchHeld} {
			if n, err := x.Prepare(Ctx, "t_9", v.ID); n.Pages > 3 || err == nil && want == ledger.BatchPreparing {
				t.Fatalf("%d pages, %v", n.Pages, err)
			}
			got := w.MustView(v.ID)
			if got.State != want || got.Reason == nil || !strings.HasPrefix(*got.Reason, "Salesmate gives these records in a form that can't be read") {
				t.Errorf("%s: %v, want %s", got.State, got.Reason, want)
			}
			w.Clock.Add(61 * time.Minute)
		}
		if got := w.Outcomes(v.ID); len(got) != 10 {
			t.Errorf("%d rows of 10 people", len(got))
		}
	})
}

func TestCreateReportsRefusedRecords(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		w.Host.Break(crmsandbox.Fault{Type: "records.resolve", Kind: crmsandbox.FaultRefuse})
		_, err := w.Create(Ctx, w.One("ana", "7", Bob), "k1", Text("Hi"))
		if code, words := Refusal(err); code != "record_refused" || words != "Salesmate refused access to these records" || w.CountBatches() != 0 {
			t.Errorf("%s: %s", code, words)
		}
	})
}

func TestPrepareStopsWhenPausedOrCancelled(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		seedThousand(w)
		a := w.Selection("ana", crm.ModuleContact, "")
		for i, stop := range []func(context.Context, access.Asker, string) (ledger.Batch, error){w.Pause, w.Cancel} {
			v := w.MustCreate(a, fmt.Sprint("k", i), Text(Hi))
			pages := 0
			w.CRM.Before = func() error {
				if pages++; pages == 3 {
					_, err := stop(Ctx, w.Page("ana"), v.ID)
					return err
				}
				return nil
			}
			n, err := w.Prepare(Ctx, "t_9", v.ID)
			if err != nil || n.Pages < 1 || n.Pages > 2 { // the third page is asked for while the second is stored
				t.Fatalf("%+v, %v", n, err)
			}
			_, err = w.ApplyState(Ctx, "t_9", v.ID)
			Must(t, err)
			now := w.MustView(v.ID)
			if len(w.Claim()) != 0 || now.Counts.Total != 1000 {
				t.Errorf("stopped: %s, %+v", now.State, now.Counts)
			}
			if i == 0 && (now.State != ledger.BatchPaused || now.Counts.Queued < 400) || i == 1 && (now.State != ledger.BatchCancelled || now.Counts.Cancelled < 900) {
				t.Errorf("stopped: %s, %+v", now.State, now.Counts)
			}
			if i == 0 {
				_, err := w.Resume(Ctx, w.Page("ana"), v.ID)
				Must(t, err)
				_, err = w.Prepare(Ctx, "t_9", v.ID)
				Must(t, err)
				_, err = w.ApplyState(Ctx, "t_9", v.ID)
				Must(t, err)
				checkThousand(w, w.MustView(v.ID))
				w.Settle(ledger.Sent, w.Claim()...)
			}
		}
	})
}

// splitPages answers about a list of ids in pages of its own, and forgets
// an id on the way.
type splitPages struct {
	Client
	each   int
	forget string
}

func (c splitPages) ResolveRecords(ctx context.Context, t crm.Tenant, q crm.ResolveQuery) (crm.Records, error) {
	ids, at := q.IDs, 0
	if q.Cursor != "" {
		if _, err := fmt.Sscan(q.Cursor, &at); err != nil {
			return crm.Records{}, err
		}
	}
	q.IDs, q.Cursor = ids[at:min(at+c.each, len(ids))], ""
	r, err := c.Client.ResolveRecords(ctx, t, q)
	r.Records = slices.DeleteFunc(r.Records, func(r crm.Record) bool { return r.ID == c.forget })
	if at += c.each; at < len(ids) {
		r.Next = fmt.Sprint(at)
	}
	return r, err
}

func TestRecordsThatTheCRMOmitsAreMissing(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		w.Host.Seed(600, 0)
		var ids []string
		for i := range 300 {
			ids = append(ids, fmt.Sprint(1000+i))
		}
		x := w.Process(splitPages{w.CRM, 70, "1150"}, nil)
		a := w.Bulk("ana", crm.ModuleContact, ids...)
		p, err := x.Preview(Ctx, a, audience.PreviewRequest{Message: "Hi"})
		Must(t, err)
		if p.Total != 300 || len(p.Excluded) == 0 || !slices.ContainsFunc(p.Excluded, func(e audience.Exclusion) bool { return e.RecordID == "1150" && e.Code == "missing" }) {
			t.Errorf("the preview: %d of %d, left out %+v", p.WillReceive, p.Total, p.Excluded)
		}
		v := w.MustCreate(a, "k1", Text("Hi"))
		_, err = x.Prepare(Ctx, "t_9", v.ID)
		Must(t, err)
		if got := w.Outcomes(v.ID); len(got) != 300 || got["1150"] != "missing: The record no longer exists" || w.MustView(v.ID).Counts.Total != 300 {
			t.Errorf("%d rows, the forgotten one: %q", len(got), got["1150"])
		}
	})
}
