// Package static holds what a browser gets: pages, styles, scripts, pictures
// and the words on the screens.
package static

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"sync"
)

//go:embed html css js img sdk words
var files embed.FS

// buildHash names this build's assets. A change in any embedded file changes
// every address, so that browsers may keep what they have for ever.
var buildHash = sync.OnceValue(func() string {
	sum := sha256.New()
	eachFile(".", func(name string, content []byte) {
		sum.Write([]byte(name))
		sum.Write([]byte{0})
		sum.Write(content)
	})
	return hex.EncodeToString(sum.Sum(nil))[:16]
})

// AssetPath returns the address under which Assets serves a file of css, js, img
// or words: AssetPath("css/app.css") is "/static/{hash}/css/app.css".
func AssetPath(name string) string {
	return "/static/" + buildHash() + "/" + name
}

// eachFile calls fn for every embedded file under dir, in lexical order.
func eachFile(dir string, fn func(name string, content []byte)) {
	err := fs.WalkDir(files, dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		fn(name, content)
		return nil
	})
	if err != nil {
		panic("static: read embedded files: " + err.Error())
	}
}
