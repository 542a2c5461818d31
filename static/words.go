package static

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// words maps a key ("popup.send") to what a person reads.
type words map[string]string

// find returns the words of a key. A misspelt key is an error, so that the
// page does not render and its test fails.
func (w words) find(key string) (string, error) {
	text, ok := w[key]
	if !ok {
		return "", fmt.Errorf("no words under the key %q", key)
	}
	return text, nil
}

// readWords reads js/words.js, which holds all words on the screens. Its
// default export is plain JSON, so that pages and scripts share it.
func readWords() (words, error) {
	source, err := files.ReadFile("js/words.js")
	if err != nil {
		return nil, fmt.Errorf("read the words: %w", err)
	}
	from, to := bytes.IndexByte(source, '{'), bytes.LastIndexByte(source, '}')
	if from < 0 || to < from {
		return nil, errors.New("js/words.js holds no object")
	}
	var all words
	if err := json.Unmarshal(source[from:to+1], &all); err != nil {
		return nil, fmt.Errorf("decode js/words.js: %w", err)
	}
	return all, nil
}
