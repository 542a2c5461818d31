package connection_test

import (
	"testing"
	"time"

	"dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/models"
)

// Whatever expires_in is, connecting works and a refresh keeps the new
// pair: the old one is spent. What can't be read is an unknown expiry.
func TestOddExpiresInKeepsTheConnection(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for raw, life := range map[string]time.Duration{
			`3600.0`: time.Hour, `"3600"`: time.Hour, `3.6e3`: time.Hour, `""`: 0, `"never"`: 0, `true`: 0, `9223372036854775808`: 0,
			`-3600`: 0, `1e300`: 0, `{}`: 0, `[]`: 0, `null`: 0,
		} {
			w.sandbox.SetExpiresIn(raw)
			if out := w.connect(w.consent(w.tenant, w.admin, "browser", sandbox.AnaID)); !out.Done {
				t.Fatalf("%s: %+v", raw, out)
			}
			w.finish("t_9")
			w.expires(raw, life)
			before := w.connection()
			got, err := w.Refresh(ctx, "t_9", before.TokenVersion)
			if err != nil || !w.works(got.Access) {
				t.Errorf("refresh with %s: %v", raw, err)
			}
			w.expires(raw, life)
			if c := w.connection(); c.State != models.Connected || c.TokenVersion == before.TokenVersion {
				t.Errorf("refresh with %s: %s", raw, c.State)
			}
		}
	})
}

func (w *world) expires(raw string, life time.Duration) {
	w.t.Helper()
	at := w.connection().TokenExpiresAt
	if life == 0 && at != nil || life > 0 && (at == nil || !at.Equal(w.clock.Now().Add(life))) {
		w.t.Errorf("with %s it expires at %v", raw, at)
	}
}
