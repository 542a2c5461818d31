package texting_test

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

	"dialpad-texting/app/texting"
	"dialpad-texting/integrations/crm"
	crmsandbox "dialpad-texting/integrations/crm/sandbox"
	"dialpad-texting/models/ledger"
)

// thousand adds people until Acme has a thousand, one of whom, six pages on, has Bob's number. 990 of them can be texted.
func (w *world) thousand() {
	w.host.Seed(940, 0)
	w.host.SetNumber("t_9", "1900", "mobile", "(415) 555 0142")
}

func (w *world) isTheThousand(v texting.BatchView) {
	w.t.Helper()
	if v.State != ledger.BatchSending || v.Counts.Total != 1000 || v.Counts.Queued != 990 || v.Counts.Skipped != 10 {
		w.t.Errorf("%s, %+v", v.State, v.Counts)
	}
	numbers, reasons := map[string]bool{}, map[string]int{}
	for _, m := range w.messages(v.ID) {
		if m.State == ledger.Skipped {
			reasons[m.ErrorCode]++
			continue
		}
		if numbers[m.ToNumber] {
			w.t.Errorf("two texts to one number")
		}
		numbers[m.ToNumber] = true
		if m.RecordID == "1900" {
			w.t.Error("a number was texted twice through two pages")
		}
	}
	if d := cmp.Diff(map[string]int{"opted_out": 3, "no_number": 3, "invalid_number": 2, "duplicate": 2}, reasons); d != "" {
		w.t.Error(d)
	}
	if got := w.became(v.ID)["1900"]; got != "duplicate: Same number as Bob Tanaka" {
		w.t.Errorf("the twin of another page: %s", got)
	}
}

func TestASelectionIsPreparedPageByPage(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.thousand()
		v := w.create(w.all("ana", crm.ModuleContact, ""), "k1", says(hi))
		if v.Counts.Queued != 1000 || v.State != ledger.BatchPreparing {
			t.Errorf("before: %+v", v.Counts)
		}
		n, err := w.Prepare(ctx, "t_9", v.ID)
		if err != nil || n.Pages != 5 || n.Queued+n.Skipped != 1000 {
			t.Errorf("%+v, %v", n, err)
		}
		w.isTheThousand(w.view(v.ID))
	})
}

func TestPreparingThatDiedBetweenPagesGoesOnInAnotherProcess(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.thousand()
		v := w.create(w.all("ana", crm.ModuleContact, ""), "k1", says(hi))
		for died := 1; ; died++ {
			run, die := context.WithCancel(ctx)
			pages := 0
			w.crm.before = func() error {
				if pages++; pages == 2 {
					die()
				}
				return nil
			}
			_, err := w.another().Prepare(run, "t_9", v.ID)
			die()
			if now := w.view(v.ID); now.Counts.Total != 1000 {
				t.Fatalf("after %d deaths: %+v", died, now.Counts)
			}
			if err == nil {
				break
			}
			if died > 10 {
				t.Fatal("it never comes to an end")
			}
		}
		w.isTheThousand(w.view(v.ID))
	})
}

func TestTwoProcessesThatPrepareAtOnceMakeOneOfEach(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.thousand()
		v := w.create(w.all("ana", crm.ModuleContact, ""), "k1", says(hi))
		var both sync.WaitGroup // both begin with the same page
		both.Add(2)
		var asked atomic.Int64
		w.crm.before = func() error {
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
				n, err := w.another().Prepare(ctx, "t_9", v.ID)
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
		w.isTheThousand(w.view(v.ID))
	})
}

func TestACRMInTroubleDelaysABulkAndSaysSo(t *testing.T) {
	for kind, words := range map[string]string{
		crmsandbox.FaultDown:        "Waiting for Salesmate, which is not answering",
		crmsandbox.FaultGarbageJSON: "Salesmate gives these records in a form that can't be read; it is asked again",
		crmsandbox.FaultGarbageHTML: "Salesmate gives these records in a form that can't be read; it is asked again",
		crmsandbox.FaultRefuse:      "Salesmate does not give these records; it is asked again",
	} {
		t.Run(kind, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				w.thousand()
				v := w.create(w.all("ana", crm.ModuleContact, ""), "k1", says(hi))
				asked := 0
				w.crm.before = func() error {
					if asked++; asked == 3 {
						w.host.Break(crmsandbox.Fault{Type: "records.resolve", Kind: kind})
					}
					return nil
				}
				for range 3 {
					if _, err := w.Prepare(ctx, "t_9", v.ID); err == nil {
						t.Fatal("prepared without the CRM")
					}
				}
				now := w.view(v.ID)
				if now.State != ledger.BatchPreparing || now.Reason == nil || *now.Reason != words || now.Counts.Total != 1000 || now.Counts.Skipped == 0 {
					t.Errorf("meanwhile %s, %v, %+v", now.State, now.Reason, now.Counts)
				}
				w.settle(ledger.Sent, w.claim()...) // what is prepared goes out meanwhile
				if now = w.view(v.ID); now.State != ledger.BatchPreparing || now.Counts.Sent == 0 || now.Counts.Total != 1000 {
					t.Errorf("while it sends %s, %+v", now.State, now.Counts)
				}
				w.host.Mend()
				_, err := w.Prepare(ctx, "t_9", v.ID)
				must(t, err)
				w.settle(ledger.Sent, w.claim()...)
				if now = w.view(v.ID); now.State != ledger.BatchDone || now.Reason != nil || now.Counts.Sent != 990 || now.Counts.Skipped != 10 {
					t.Errorf("afterwards %s, %v, %+v", now.State, now.Reason, now.Counts)
				}
			})
		})
	}
}

// circling answers about a selection in pages that lead back to the first.
type circling struct{ texting.CRM }

func (c circling) ResolveRecords(ctx context.Context, t crm.Tenant, q crm.ResolveQuery) (crm.Records, error) {
	next := map[string]string{"": "a", "a": "b", "b": "a"}[q.Cursor]
	q.Cursor, q.Limit = "", 10
	r, err := c.CRM.ResolveRecords(ctx, t, q)
	r.Next = next
	return r, err
}

func TestPagesThatLeadInACircleEndSomeDay(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		x := texting.New(w.db.Store, circling{w.crm}, w.market, texting.Config{Now: w.clock.Now})
		a := w.all("ana", crm.ModuleContact, "")
		if p, err := x.Preview(ctx, a, texting.PreviewRequest{Message: "Hi"}); err == nil {
			t.Errorf("counted in a circle: %+v", p.Total)
		}
		v := w.create(a, "k1", says("Hi"))
		for _, want := range []string{ledger.BatchPreparing, ledger.BatchHeld} {
			if n, err := x.Prepare(ctx, "t_9", v.ID); n.Pages > 3 || err == nil && want == ledger.BatchPreparing {
				t.Fatalf("%d pages, %v", n.Pages, err)
			}
			got := w.view(v.ID)
			if got.State != want || got.Reason == nil || !strings.HasPrefix(*got.Reason, "Salesmate gives these records in a form that can't be read") {
				t.Errorf("%s: %v, want %s", got.State, got.Reason, want)
			}
			w.clock.Add(61 * time.Minute)
		}
		if got := w.became(v.ID); len(got) != 10 {
			t.Errorf("%d rows of 10 people", len(got))
		}
	})
}

func TestWhatTheCRMRefusesIsNotAnOutageToWhoeverAsks(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.host.Break(crmsandbox.Fault{Type: "records.resolve", Kind: crmsandbox.FaultRefuse})
		_, err := w.Create(ctx, w.one("ana", "7", bob), "k1", says("Hi"))
		if code, words := refused(err); code != "record_refused" || words != "Salesmate does not give these records" || w.stored() != 0 {
			t.Errorf("%s: %s", code, words)
		}
	})
}

func TestPausingAndCancellingStopPreparing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.thousand()
		a := w.all("ana", crm.ModuleContact, "")
		for i, stop := range []func(context.Context, texting.Asker, string) (texting.BatchView, error){w.Pause, w.Cancel} {
			v := w.create(a, fmt.Sprint("k", i), says(hi))
			pages := 0
			w.crm.before = func() error {
				if pages++; pages == 3 {
					_, err := stop(ctx, w.page("ana"), v.ID)
					return err
				}
				return nil
			}
			n, err := w.Prepare(ctx, "t_9", v.ID)
			if err != nil || n.Pages != 2 {
				t.Fatalf("%+v, %v", n, err)
			}
			_, err = w.Move(ctx, "t_9", v.ID)
			must(t, err)
			now := w.view(v.ID)
			if len(w.claim()) != 0 || now.Counts.Total != 1000 {
				t.Errorf("stopped: %s, %+v", now.State, now.Counts)
			}
			if i == 0 && (now.State != ledger.BatchPaused || now.Counts.Queued < 900) || i == 1 && (now.State != ledger.BatchCancelled || now.Counts.Cancelled < 900) {
				t.Errorf("stopped: %s, %+v", now.State, now.Counts)
			}
			if i == 0 {
				_, err := w.Resume(ctx, w.page("ana"), v.ID)
				must(t, err)
				_, err = w.Prepare(ctx, "t_9", v.ID)
				must(t, err)
				_, err = w.Move(ctx, "t_9", v.ID)
				must(t, err)
				w.isTheThousand(w.view(v.ID))
				w.settle(ledger.Sent, w.claim()...)
			}
		}
	})
}

// cutting answers about a list of ids in pages of its own, and forgets an id on the way.
type cutting struct {
	texting.CRM
	each   int
	forget string
}

func (c cutting) ResolveRecords(ctx context.Context, t crm.Tenant, q crm.ResolveQuery) (crm.Records, error) {
	ids, at := q.IDs, 0
	if q.Cursor != "" {
		if _, err := fmt.Sscan(q.Cursor, &at); err != nil {
			return crm.Records{}, err
		}
	}
	q.IDs, q.Cursor = ids[at:min(at+c.each, len(ids))], ""
	r, err := c.CRM.ResolveRecords(ctx, t, q)
	r.Records = slices.DeleteFunc(r.Records, func(r crm.Record) bool { return r.ID == c.forget })
	if at += c.each; at < len(ids) {
		r.Next = fmt.Sprint(at)
	}
	return r, err
}

func TestWhomTheCRMsPagesForgetIsMissingAndNotLost(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.host.Seed(600, 0)
		var ids []string
		for i := range 300 {
			ids = append(ids, fmt.Sprint(1000+i))
		}
		x := texting.New(w.db.Store, cutting{w.crm, 70, "1150"}, w.market, texting.Config{Now: w.clock.Now})
		a := w.bulk("ana", crm.ModuleContact, ids...)
		p, err := x.Preview(ctx, a, texting.PreviewRequest{Message: "Hi"})
		must(t, err)
		if p.Total != 300 || len(p.Excluded) == 0 || !slices.ContainsFunc(p.Excluded, func(e texting.Exclusion) bool { return e.RecordID == "1150" && e.Code == "missing" }) {
			t.Errorf("the preview: %d of %d, left out %+v", p.WillReceive, p.Total, p.Excluded)
		}
		v := w.create(a, "k1", says("Hi"))
		_, err = x.Prepare(ctx, "t_9", v.ID)
		must(t, err)
		if got := w.became(v.ID); len(got) != 300 || got["1150"] != "missing: The record no longer exists" || w.view(v.ID).Counts.Total != 300 {
			t.Errorf("%d rows, the forgotten one: %q", len(got), got["1150"])
		}
	})
}
