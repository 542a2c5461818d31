package outbox_test

import (
	"testing"

	"dialpad-texting/app/access"
	"dialpad-texting/app/batch"
	"dialpad-texting/app/outbox"
	. "dialpad-texting/internal/apptest"
)

func TestUsersSeeTheirOwnBatchesAdminsAll(t *testing.T) {
	Each(t, func(t *testing.T, w *World) {
		v := w.MustCreate(w.One("ana", "7", Bob), "k1", Text("Hi"))
		m := w.Rows(v.ID)[0].ID
		ben, globex := w.Page("ben"), w.Page("ana")
		w.DB.Tenant("t_10")
		other, err := w.DB.Store.Tenants.Get(Ctx, "t_10")
		Must(t, err)
		globex.Tenant = other
		for who, a := range map[string]access.Asker{"another user": ben, "another tenant": globex} {
			calls := map[string]func() error{
				"batch":    func() error { _, err := w.Batch(Ctx, a, v.ID); return err },
				"messages": func() error { _, err := w.Messages(Ctx, a, v.ID, "", "", ""); return err },
				"report":   func() error { return w.Report(Ctx, a, v.ID, "", nil) },
				"cancel":   func() error { _, err := w.Cancel(Ctx, a, v.ID); return err },
				"pause":    func() error { _, err := w.Pause(Ctx, a, v.ID); return err },
				"resume":   func() error { _, err := w.Resume(Ctx, a, v.ID); return err },
				"edit":     func() error { _, err := w.Edit(Ctx, a, v.ID, batch.EditRequest{}); return err },
				"resend": func() error {
					_, err := w.Resend(Ctx, a, v.ID, "r", batch.ResendRequest{States: []string{"failed"}})
					return err
				},
				"message": func() error { _, err := w.CancelMessage(Ctx, a, m); return err },
				"receipt": func() error { _, err := w.Receipt(Ctx, a, m); return err },
			}
			for name, call := range calls {
				if code, _ := Refusal(call()); code != "not_found" {
					t.Errorf("%s, %s: %s", who, name, code)
				}
			}
			if list, err := w.Outbox.Batches(Ctx, a, outbox.Filter{}); err != nil || len(list.Batches) != 0 {
				t.Errorf("%s sees %d batches", who, len(list.Batches))
			}
		}
		own := w.MustCreate(w.One("ben", "7", Bob), "k1", Text("Hi"))
		if list, _ := w.Outbox.Batches(Ctx, ben, outbox.Filter{}); len(list.Batches) != 1 || list.Batches[0].ID != own.ID {
			t.Errorf("Ben sees %+v", list)
		}
		if list, _ := w.Outbox.Batches(Ctx, w.Page("ana"), outbox.Filter{}); len(list.Batches) != 2 {
			t.Errorf("Ana sees %+v", list)
		}
	})
}
