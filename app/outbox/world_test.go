package outbox_test

import (
	"context"
	"testing"

	"dialpad-texting/app/apptest"
)

var (
	ctx     = context.Background()
	must    = apptest.Must
	text    = apptest.Text
	refusal = apptest.Refusal
)

const bob = apptest.Bob

// world is apptest's, with this package's own steps.
type world struct{ *apptest.World }

func each(t *testing.T, f func(t *testing.T, w *world)) {
	t.Helper()
	apptest.Each(t, func(t *testing.T, w *apptest.World) { f(t, &world{w}) })
}
