package audience_test

import (
	"testing"
	"time"

	"dialpad-texting/app/audience"
	"dialpad-texting/integrations/crm"
	. "dialpad-texting/internal/apptest"
)

func TestPreviewLastAtFollowsRateAndQueue(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		w.Tenant.Rate(30)
		ana := w.Bulk("ana", crm.ModuleContact, "1", "2", "7", "20")
		lastIn := func() time.Duration {
			t.Helper()
			p, err := w.Preview(Ctx, ana, audience.PreviewRequest{Message: "Hi"})
			Must(t, err)
			if p.WillReceive != 4 {
				t.Fatalf("%+v", p)
			}
			return p.LastAt.Sub(w.Clock.Now())
		}
		if got := lastIn(); got != 8*time.Second {
			t.Errorf("an empty queue: %s", got)
		}
		v := w.MustPrepare(w.Bulk("ben", crm.ModuleContact, "1", "2", "7", "20", "21"), "k1", Text("Hi"))
		if got := lastIn(); got != 18*time.Second {
			t.Errorf("behind five others: %s", got)
		}
		if v = w.MustView(v.ID); v.ETA == nil || v.ETA.Sub(w.Clock.Now()) != 10*time.Second {
			t.Errorf("the five themselves: %v", v.ETA)
		}
		l, err := w.DB.Lanes.Get(Ctx, "t_9", Company)
		Must(t, err)
		l.LearnedRate = 15
		Must(t, w.DB.Lanes.SavePace(Ctx, l))
		if got := lastIn(); got != 36*time.Second {
			t.Errorf("while Dialpad takes fewer: %s", got)
		}
	})
}
