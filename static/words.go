package static

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"sync"
)

// words maps a key ("popup.send") to what a person reads.
type words map[string]string

// say answers an unknown key with an error, so that a misspelt one fails the
// rendering of the page, and with it the tests.
func (w words) say(key string) (string, error) {
	text, ok := w[key]
	if !ok {
		return "", fmt.Errorf("no words under the key %q", key)
	}
	return text, nil
}

// catalogue reads js/words.js, the one place of all words on the screens. It is
// a module whose default export is written as plain JSON, so that pages and
// scripts share it.
func catalogue() (words, error) {
	source, err := files.ReadFile("js/words.js")
	if err != nil {
		return nil, fmt.Errorf("read the catalogue: %w", err)
	}
	from, to := bytes.IndexByte(source, '{'), bytes.LastIndexByte(source, '}')
	if from < 0 || to < from {
		return nil, fmt.Errorf("js/words.js holds no object")
	}
	var all words
	if err := json.Unmarshal(source[from:to+1], &all); err != nil {
		return nil, fmt.Errorf("js/words.js is not JSON inside: %w", err)
	}
	return all, nil
}

// sdkWords is the place in sdk/sdk.js that takes its words from the catalogue.
const sdkWords = `{/* words */}`

var sdk = sync.OnceValue(func() []byte {
	source, err := files.ReadFile("sdk/sdk.js")
	if err != nil {
		panic("static: sdk.js is not embedded: " + err.Error())
	}
	all, err := catalogue()
	if err != nil {
		panic("static: " + err.Error())
	}
	maps.DeleteFunc(all, func(key, _ string) bool { return !strings.HasPrefix(key, "sdk.") })
	own, err := json.Marshal(all)
	if err != nil {
		panic("static: " + err.Error())
	}
	return bytes.Replace(source, []byte(sdkWords), own, 1)
})

// SDK is the script of GET /embed/sdk.js that a CRM page includes; the caller
// must not change it.
func SDK() []byte { return sdk() }
