package popup_test

import (
	"dialpad-texting/integrations/crm"
	. "dialpad-texting/internal/apptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestContextListsRunningBulks(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		running := func(who string) (ids []string) {
			t.Helper()
			v, err := w.Context(Ctx, w.Bulk(who, crm.ModuleContact, "1", "2"))
			Must(t, err)
			for _, b := range v.Running {
				w.CheckCounts(b)
				ids = append(ids, b.ID)
			}
			return ids
		}
		first := w.MustPrepare(w.Bulk("ana", crm.ModuleContact, "7", "20"), "k1", Text(Hi))
		second := w.MustPrepare(w.Bulk("ana", crm.ModuleContact, "7", "20"), "k2", Text(Hi))
		w.MustCreate(w.Bulk("ana", crm.ModuleContact, "7", "20"), "k3", w.Later(3*time.Hour))
		w.MustDo(w.Pause, first.ID)
		if d := cmp.Diff([]string{second.ID, first.ID}, running("ana")); d != "" {
			t.Error(d)
		}
		if got := running("ben"); len(got) > 0 {
			t.Errorf("Ben sees %v", got)
		}
		w.MustDo(w.Cancel, second.ID)
		if d := cmp.Diff([]string{first.ID}, running("ana")); d != "" {
			t.Error(d)
		}
	})
}
