package drill

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"dialpad-texting/models/ledger"
)

// Tally counts people: the ledger compared with what the sandbox accepted.
type Tally struct {
	requested, skipped, texted, twice int
	lost                              int // without a row, still queued, or marked sent though Dialpad never took it
	sentButMarkedUnsent               int // marked as not sent though Dialpad took it
	uncertain, uncertainTexted        int
	uncertainUnposted                 int // no request of their last attempt arrived
	byEvents, failed                  int
}

func (t Tally) broken() bool { return t.twice > 0 || t.lost > 0 || t.sentButMarkedUnsent > 0 }

func (r *run) count(ctx context.Context) (Tally, error) {
	t := Tally{requested: r.requested, twice: len(r.DialpadSandbox.TextedTwice())}
	rows, after := 0, ""
	for {
		page, err := r.Program.Store.Messages.List(ctx, tenantID, r.batchID, nil, after, 1000)
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
			t.add(m, r.DialpadSandbox.AcceptedOf(m.ToNumber, m.Text) > 0, r.DialpadSandbox.LastPost(m.ToNumber))
		}
	}
}

// add counts a message. lastPost is when a request for it last arrived.
func (t *Tally) add(m ledger.Message, texted bool, lastPost time.Time) {
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
		if m.ClaimedAt == nil || lastPost.Before(*m.ClaimedAt) {
			t.uncertainUnposted++
		}
	case ledger.Failed, ledger.Skipped, ledger.Cancelled:
		if texted {
			t.sentButMarkedUnsent++
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

func (t Tally) print(out io.Writer, o Options, took time.Duration) {
	what := "SQLite, one process"
	if o.Database != "" {
		what = "Postgres, three workers"
	}
	_, _ = fmt.Fprintf(out, "\n%s, %d kills, seed %d, %.0f s\n\n", what, o.Kills, o.Seed, took.Seconds())
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintf(w, "requested\ttexted\ttwice\tsilently lost\tuncertain\tsettled by events\tfailed\t\n")
	_, _ = fmt.Fprintf(w, "%d\t%d\t%d\t%d\t%d\t%d\t%d\t\n", t.requested-t.skipped, t.texted, t.twice, t.lost+t.sentButMarkedUnsent, t.uncertain, t.byEvents, t.failed)
	_ = w.Flush()
	_, _ = fmt.Fprintf(out, "\n%d of the %d uncertain texts went out, %d never left; each says so to its sender and is never sent again by itself.\n",
		t.uncertainTexted, t.uncertain, t.uncertainUnposted)
	if t.skipped > 0 {
		_, _ = fmt.Fprintf(out, "%d more people were excluded before queueing, with the reason.\n", t.skipped)
	}
	if t.sentButMarkedUnsent > 0 {
		_, _ = fmt.Fprintf(out, "%d texts say that they did not go out, and did.\n", t.sentButMarkedUnsent)
	}
}
