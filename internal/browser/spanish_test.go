//go:build !race

package browser

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"dialpad-texting/internal/browsertest"
)

// english finds words that no Spanish page says.
var english = regexp.MustCompile(`(?i)\b(the|your|isn't|was|sent|send|again|please|waiting|people|will|this)\b.*`)

// wantSpanish fails where a page says something in English; what people wrote
// is not looked at.
func (v *view) wantSpanish(where string) {
	v.b.t.Helper()
	text, err := browsertest.Eval[string](v.ctx, `(() => {
		const copy = document.body.cloneNode(true);
		for (const e of copy.querySelectorAll("[hidden], script, noscript, textarea, .under, .bubble, .quote, .say, bdi")) e.remove();
		return copy.textContent;
	})()`)
	if err != nil {
		v.b.t.Fatal(err)
	}
	if found := english.FindString(text); found != "" {
		v.b.t.Errorf("%s says %q", where, found)
	}
}

// checkNarrow looks at a state on the smallest phone, and at twice the size.
func (b *browser) checkNarrow(name string, v *view) {
	b.t.Helper()
	for _, size := range [][2]int64{{320, 640}, {640, 450}} {
		b.resize(size[0], size[1])
		if settled, err := browsertest.Eval[bool](v.ctx, settleScript); err != nil || !settled {
			b.t.Errorf("%s does not settle: %v", name, err)
		}
		b.d.Must(os.WriteFile(filepath.Join(b.shots, fmt.Sprintf("%s-%d.png", name, size[0])), b.root.picture(), 0o600))
		if out, _ := browsertest.Eval[string](v.ctx, overflowing); out != "" {
			b.t.Errorf("%s at %d overflows: %s", name, size[0], out)
		}
	}
	b.resize(1280, 900)
}

// TestPagesSpeakSpanishInABrowser walks through the pages as a user whose locale
// is Spanish.
func TestPagesSpeakSpanishInABrowser(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	b.d.RaiseLimits(b.d.Connect())
	b.d.CRMSandbox.SetUserLocale("acme", "es-MX")

	popup := b.openPopup("7")
	popup.write("#message", "Hola {{Contact.firstName}}, nos vemos mañana “a las 9” 👋")
	popup.pressText("Programar")
	popup.until(`document.querySelector("#schedule [data-zone]")`)
	popup.wantSpanish("the popup")
	b.checkAppearance("es-popup", b.root, popup)
	b.checkNarrow("es-popup", popup)
	popup.pressText("No programar")
	popup.press("#test")
	popup.write("#test-number", "555")
	popup.press("[data-act=test-send]")
	popup.waitText("Un número corto no puede recibir mensajes")
	b.checkAppearance("es-popup-test", b.root, popup)
	b.checkNarrow("es-popup-test", popup)
	popup.press("#send")
	popup.waitState("delivered")
	popup.wantSpanish("what became of a text")

	b.openCRM("acme", "/contacts")
	b.root.press("[data-page-all]")
	b.root.press("[data-text]")
	bulk := b.frame("/embed/popup")
	bulk.waitText("lo recibirán")
	bulk.write("#message", "Hola {{Contact.firstName}}")
	bulk.press("[data-act=left-out]")
	bulk.wantSpanish("the bulk popup")
	b.checkAppearance("es-bulk", b.root, bulk)
	b.checkNarrow("es-bulk", bulk)

	b.openCRM("acme", "/texts")
	f := b.frame("/texts")
	f.waitText("Bob Tanaka")
	f.wantSpanish("the outbox")
	b.checkAppearance("es-outbox", b.root, f)
	b.checkNarrow("es-outbox", f)
	f.press("#batches a")
	f.press("[data-act^=receipt-]")
	f.waitText("Dialpad aceptó el mensaje")
	f.wantSpanish("a receipt")
	b.checkAppearance("es-receipt", b.root, f)
	b.checkNarrow("es-receipt", f)

	b.openCRM("acme", "/apps")
	b.root.pressText("Dialpad")
	f = b.frame("/apps/dialpad")
	f.until(`document.querySelector("#next")?.textContent === "Configurar"`)
	f.waitText("Puede enviar")
	f.wantSpanish("the app page")
	b.checkAppearance("es-app", b.root, f)
	b.checkNarrow("es-app", f)
	f.press("#next")
	f.write("#set-rate", "0")
	f.press("#settings .primary")
	f.waitText("Algunos ajustes no son válidos.")
	b.checkAppearance("es-settings", b.root, f)
	b.checkNarrow("es-settings", f)
	b.wantCleanConsole()
}
