package main

import (
	"testing"
	"time"

	"dialpad-texting/models/modeltest"
)

// TestShortDrill kills, pauses and cuts real processes while they text: nobody is texted twice, nobody is lost.
func TestShortDrill(t *testing.T) {
	if testing.Short() {
		t.Skip("a drill takes half a minute on each database")
	}
	program, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	built = true
	drill := func(t *testing.T, database string) {
		t.Parallel() // it waits for leases most of the time
		o := drillOptions{texts: 800, kills: 1, database: database, dir: t.TempDir(), seed: 7, patience: 5 * time.Second, program: program}
		tally, err := runDrill(t.Context(), o, t.Output())
		if err != nil {
			t.Fatal(err)
		}
		if tally.texted < o.texts*9/10 || tally.uncertain == 0 && tally.byEvents == 0 {
			t.Errorf("the drill was none: %+v", tally)
		}
	}
	t.Run("sqlite", func(t *testing.T) { drill(t, "") })
	t.Run("postgres", func(t *testing.T) { drill(t, modeltest.Postgres(t, nil)) })
}
