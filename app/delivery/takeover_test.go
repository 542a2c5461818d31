package delivery_test

import (
	"testing"

	"dialpad-texting/integrations/dialpad/sandbox"
)

// startTakeover has one worker drain a lane of 300 a minute and another wait.
func startTakeover(t testing.TB) (l *load, draining *child) {
	t.Helper()
	l = newLoad(t, fresh(t, "postgres"), sandbox.Options{})
	l.queueBulk(1000, l.addCompany(1, 300, 0))
	draining = startChild(t, l.dsn, l.url, "dead")
	l.waitAccepted(20)
	startChild(t, l.dsn, l.url, "alive")
	return l, draining
}

// BenchmarkTakeover measures how soon.
func TestKilledWorkersLaneIsTakenOver(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for a lease to run out")
	}
	t.Parallel()
	l, dead := startTakeover(t)
	dead.kill()
	l.waitAccepted(l.phone.Accepted() + 20)
	if twice := l.phone.TextedTwice(); len(twice) > 0 {
		t.Errorf("texted twice: %v", twice)
	}
}
