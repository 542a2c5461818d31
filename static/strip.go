package static

import (
	"bytes"
	"path"
)

// strip removes what only readers of the source need: comments on lines
// of their own, indentation and empty lines. A fifth of the bytes of our
// scripts and styles are that. Anything else, such as a comment behind
// code, stays. TestStrippingChangesNoCode says what this relies on.
func strip(name string, source []byte) []byte {
	ext := path.Ext(name)
	if ext != ".js" && ext != ".css" {
		return source
	}
	out := make([]byte, 0, len(source))
	inComment := false
	for line := range bytes.Lines(source) {
		line = bytes.TrimSpace(line)
		switch {
		case inComment:
			inComment = !bytes.HasSuffix(line, []byte("*/"))
		case bytes.HasPrefix(line, []byte("/*")) && bytes.HasSuffix(line, []byte("*/")), len(line) == 0:
		case bytes.HasPrefix(line, []byte("/*")) && !bytes.Contains(line, []byte("*/")):
			inComment = true
		case ext == ".js" && bytes.HasPrefix(line, []byte("//")):
		default:
			out = append(append(out, line...), '\n')
		}
	}
	return out
}
