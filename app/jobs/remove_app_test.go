package jobs_test

import (
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/seed"
)

func TestAppInstalledAgainAtOnceStays(t *testing.T) {
	modeltest.Each(t, seed.Migrate, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn) // the Runner does not run yet
		w.db.Tenant("t_9")
		_, err := w.db.Installations.Install(ctx, "t_9", "42")
		w.must(err)
		w.must(w.applyEvent(7, crm.Event{Type: crm.EventAppUninstalled}))
		w.clock.Add(time.Second)
		if created, err := w.db.Installations.Install(ctx, "t_9", "42"); err != nil || !created {
			t.Fatal("it was not uninstalled", err)
		}
		w.start()
		client, err := w.db.River(&river.Config{})
		w.must(err)
		w.eventually(time.Minute, "the job ran", func() bool {
			list, err := client.JobList(ctx, river.NewJobListParams().Kinds("remove_app").States(rivertype.JobStateCompleted))
			w.must(err)
			return len(list.Jobs) == 1
		})
		if i, err := w.db.Installations.Get(ctx, "t_9"); err != nil || i.State != models.Installed {
			t.Errorf("%s, %v", i.State, err)
		}
	})
}
