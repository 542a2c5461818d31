package texting_test

import (
	"testing"
	"time"

	"dialpad-texting/app/texting"
	"dialpad-texting/integrations/crm"
)

func TestTheLastTextIsForetoldByThePresentRateAndWhatWaitsAlready(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.acme.Rate(30)
		ana := w.bulk("ana", crm.ModuleContact, "1", "2", "7", "20")
		lastIn := func() time.Duration {
			t.Helper()
			p, err := w.Preview(ctx, ana, texting.PreviewRequest{Message: "Hi"})
			must(t, err)
			if p.WillReceive != 4 {
				t.Fatalf("%+v", p)
			}
			return p.LastAt.Sub(w.clock.Now())
		}
		if got := lastIn(); got != 8*time.Second {
			t.Errorf("an empty queue: %s", got)
		}
		v := w.prepared(w.bulk("ben", crm.ModuleContact, "1", "2", "7", "20", "21"), "k1", says("Hi"))
		if got := lastIn(); got != 18*time.Second {
			t.Errorf("behind five others: %s", got)
		}
		if v = w.view(v.ID); v.ETA == nil || v.ETA.Sub(w.clock.Now()) != 10*time.Second {
			t.Errorf("the five themselves: %v", v.ETA)
		}
		l, err := w.db.Lanes.Get(ctx, "t_9", company)
		must(t, err)
		l.LearnedRate = 15
		must(t, w.db.Lanes.SavePace(ctx, l))
		if got := lastIn(); got != 36*time.Second {
			t.Errorf("while Dialpad takes fewer: %s", got)
		}
	})
}
