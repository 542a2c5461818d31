package text

import (
	"html"
	"regexp"
)

// entity needs its semicolon: HTML's old names without one are in many
// addresses ("?a=1&copy=2").
var entity = regexp.MustCompile(`&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});`)

// Unescape decodes HTML entities once: "&amp;lt;" is "&lt;".
func Unescape(s string) string { return entity.ReplaceAllStringFunc(s, html.UnescapeString) }
