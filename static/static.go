// Package static holds everything a browser is sent (pages, styles, modules,
// pictures, the words on the screens) and hands it out rendered or cached.
package static

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"sync"
)

//go:embed html css js img sdk
var files embed.FS

// hash names this build's assets: a change in any embedded file changes every
// address, so browsers may keep what they have for ever.
var hash = sync.OnceValue(func() string {
	sum := sha256.New()
	err := fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := files.ReadFile(path)
		if err != nil {
			return err
		}
		sum.Write([]byte(path))
		sum.Write([]byte{0})
		sum.Write(content)
		return nil
	})
	if err != nil {
		panic("static: embedded files are unreadable: " + err.Error())
	}
	return hex.EncodeToString(sum.Sum(nil))[:16]
})

// AssetPath gives the address under which Assets serves a file of css, js or
// img: AssetPath("css/app.css") is "/static/{hash}/css/app.css".
func AssetPath(name string) string {
	return "/static/" + hash() + "/" + name
}
