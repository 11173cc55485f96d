package outlaytest

import (
	"fmt"
	"os"
)

const axeRun = `axe.run({runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}).then(r => r.violations.map(v => v.id + ": " + v.help + " " + v.nodes.map(n => n.target + " " + (n.any[0]?.message ?? "")).join("; ")).join("\n"))`

// Axe is what axe-core objects to on the page, one line per rule; "" is nothing. file is its axe.min.js.
func (b *Tab) Axe(file string) string {
	b.t.Helper()
	source, err := os.ReadFile(file)
	if err != nil {
		b.t.Fatal("axe-core is missing: make assets")
	}
	return Eval[string](b, string(source)+";"+axeRun)
}

// TooWide says by how much the page is wider than the window, and what sticks out; "" when it fits.
func (b *Tab) TooWide() string {
	b.t.Helper()
	over := Eval[int](b, `document.documentElement.scrollWidth - innerWidth`)
	if over <= 0 {
		return ""
	}
	out := Eval[string](b, `[...document.querySelectorAll("main *")].filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".tw, pre, .seg")).slice(0, 5).map(e => e.tagName + "." + e.className).join(" ")`)
	return fmt.Sprintf("%d px too wide: %s", over, out)
}
