package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"dialpad-texting/models/ledger"
)

// drillTally compares the ledger with what the sandbox saw.
type drillTally struct {
	requested, skipped, texted, twice int
	lost                              int // no row, still on its way, or said to be sent although Dialpad never took it
	denied                            int // said not to have gone out although Dialpad took it
	uncertain, uncertainTexted        int
	byEvents, failed                  int
}

func (t drillTally) broken() bool { return t.twice > 0 || t.lost > 0 || t.denied > 0 }

func (f *drillField) count(ctx context.Context) (drillTally, error) {
	t := drillTally{requested: f.requested, twice: len(f.dialpadSandbox.TextedTwice())}
	rows, after := 0, ""
	for {
		page, err := f.program.store.Messages.List(ctx, drillTenant, f.batchID, nil, after, 1000)
		if err != nil {
			return t, err
		}
		if len(page) == 0 {
			t.lost += t.requested - rows
			return t, nil
		}
		for _, m := range page {
			after = m.ID
			rows++
			t.add(m, f.dialpadSandbox.AcceptedOf(m.ToNumber, m.Text) > 0)
		}
	}
}

func (t *drillTally) add(m ledger.Message, texted bool) {
	if texted {
		t.texted++
	}
	switch m.State {
	case ledger.Sent, ledger.Delivered, ledger.Undelivered:
		if !texted {
			t.lost++
		}
		if m.MatchedBy != "" {
			t.byEvents++
		}
	case ledger.Uncertain:
		t.uncertain++
		if texted {
			t.uncertainTexted++
		}
	case ledger.Failed, ledger.Skipped, ledger.Cancelled:
		if texted {
			t.denied++
		}
		if m.State == ledger.Skipped {
			t.skipped++
		} else {
			t.failed++
		}
	default:
		t.lost++
	}
}

func (t drillTally) print(out io.Writer, o drillOptions, took time.Duration) {
	what := "SQLite, one process"
	if o.database != "" {
		what = "Postgres, three workers"
	}
	_, _ = fmt.Fprintf(out, "\n%s, %d kills, seed %d, %.0f s\n\n", what, o.kills, o.seed, took.Seconds())
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintf(w, "requested\ttexted\ttwice\tsilently lost\tuncertain\tsettled by events\tfailed\t\n")
	_, _ = fmt.Fprintf(w, "%d\t%d\t%d\t%d\t%d\t%d\t%d\t\n", t.requested-t.skipped, t.texted, t.twice, t.lost+t.denied, t.uncertain, t.byEvents, t.failed)
	_ = w.Flush()
	_, _ = fmt.Fprintf(out, "\n%d of the %d uncertain texts went out; each says so to its sender and is never sent again by itself.\n", t.uncertainTexted, t.uncertain)
	if t.skipped > 0 {
		_, _ = fmt.Fprintf(out, "%d more people were left out before queueing, with the reason.\n", t.skipped)
	}
	if t.denied > 0 {
		_, _ = fmt.Fprintf(out, "%d texts say that they did not go out, and did.\n", t.denied)
	}
}
