//go:build !race

package browser

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/chromedp/cdproto/emulation"

	"dialpad-texting/internal/browsertest"
)

// checkAppearance takes pictures of a state, light and dark, wide and on a small
// phone, and checks that nothing overflows and that it is accessible. tab is
// what is on the screen, part what is checked in it: the tab itself, or the
// app's frame.
func (b *browser) checkAppearance(name string, tab, part *view) {
	b.t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		for _, v := range []*view{tab, part} { // a frame of another site has its own
			call(v, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
				{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
		}
		for _, width := range []int64{1280, 360} {
			call(tab, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: 900, DeviceScaleFactor: 1})
			tab.until(fmt.Sprintf("innerWidth === %d", width))
			settled, err := browsertest.Eval[bool](part.ctx, settleScript)
			if err != nil || !settled {
				b.t.Errorf("%s does not settle: %v", name, err)
			}
			file := fmt.Sprintf("%s-%s-%d.png", name, scheme, width)
			b.d.Must(os.WriteFile(filepath.Join(b.shots, file), tab.picture(), 0o600))
			if out, _ := browsertest.Eval[string](part.ctx, overflowing); out != "" {
				b.t.Errorf("%s at %d overflows: %s", name, width, out)
			}
		}
		part.checkAccessible(name + ", " + scheme)
	}
	call(tab, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: 1280, Height: 900, DeviceScaleFactor: 1})
	for _, v := range []*view{tab, part} {
		call(v, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{})
	}
}

// settleScript waits for fonts, for what moves, and for two pictures drawn.
const settleScript = `(async () => {
	await document.fonts.ready;
	const moving = () => document.getAnimations().filter((one) => one.effect.getComputedTiming().iterations !== Infinity);
	await Promise.all(moving().map((one) => one.finished.catch(() => {})));
	await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
	return true;
})()`

// overflowing names what is wider than its window, so that one has to scroll
// sideways.
const overflowing = `(() => {
	const root = document.documentElement;
	if (root.scrollWidth <= root.clientWidth) return "";
	const wide = [...document.querySelectorAll("body *")].filter((one) => one.getBoundingClientRect().right > root.clientWidth + 1);
	return wide.slice(-3).map((one) => one.outerHTML.slice(0, 120)).join(" … ") || "something unseen";
})()`

// checkAccessible runs axe-core: WCAG 2.2 AA and its best practices.
func (v *view) checkAccessible(name string) {
	v.b.t.Helper()
	if v.b.axe == "" {
		return
	}
	if _, err := browsertest.Eval[bool](v.ctx, v.b.axe+"; true"); err != nil {
		v.b.t.Fatalf("axe-core: %v", err)
	}
	found, err := browsertest.Eval[[]string](v.ctx, `axe.run(document, { iframes: false, resultTypes: ["violations"] }).then(({ violations }) =>
		violations.flatMap((one) => one.nodes.map((node) => one.id + ": " + node.target.join(" ") + ": " + node.failureSummary.replaceAll("\n", " "))))`)
	v.b.d.Must(err)
	if len(found) > 0 {
		v.b.t.Errorf("%s is not accessible:\n  %s", name, strings.Join(found, "\n  "))
	}
}
