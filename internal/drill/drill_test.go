package drill

import (
	"testing"
	"time"

	"dialpad-texting/internal/demotest"
	"dialpad-texting/models/modeltest"
)

func TestMain(m *testing.M) { demotest.Main(m) }

// TestShortDrill kills, pauses and cuts processes while they text: nobody is
// texted twice or lost.
func TestShortDrill(t *testing.T) {
	if testing.Short() {
		t.Skip("a drill takes half a minute on each database")
	}
	binary := demotest.Binary(t)
	drill := func(t *testing.T, database string) {
		t.Parallel() // it waits for leases most of the time
		o := Options{Texts: 800, Kills: 1, Database: database, Dir: t.TempDir(), Seed: 7, EventTimeout: 5 * time.Second, Program: binary}
		tally, err := Run(t.Context(), o, t.Output())
		if err != nil {
			t.Fatal(err)
		}
		if tally.texted < o.Texts*9/10 || tally.uncertain == 0 && tally.byEvents == 0 {
			t.Errorf("nothing was interrupted: %+v", tally)
		}
	}
	t.Run("sqlite", func(t *testing.T) { drill(t, "") })
	t.Run("postgres", func(t *testing.T) { drill(t, modeltest.Postgres(t, nil)) })
}
