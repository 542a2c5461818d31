package static

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
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

// defaultLanguage is that of everybody for whose language there is no
// catalogue.
const defaultLanguage = "en"

// catalogues holds the words by language: those of words/es.json under "es".
// A further language is one more file.
var catalogues = sync.OnceValues(func() (map[string]words, error) {
	entries, err := files.ReadDir("words")
	if err != nil {
		return nil, fmt.Errorf("list the words: %w", err)
	}
	all := map[string]words{}
	for _, entry := range entries {
		source, err := files.ReadFile("words/" + entry.Name())
		if err != nil {
			return nil, fmt.Errorf("read the words: %w", err)
		}
		var one words
		if err := json.Unmarshal(source, &one); err != nil {
			return nil, fmt.Errorf("decode %s: %w", entry.Name(), err)
		}
		all[strings.TrimSuffix(entry.Name(), path.Ext(entry.Name()))] = one
	}
	return all, nil
})

// languageOf returns the language of the catalogues that fits a BCP 47 tag.
func languageOf(locale string) string {
	all, err := catalogues()
	tag, _, _ := strings.Cut(strings.ReplaceAll(locale, "_", "-"), "-")
	if language := strings.ToLower(tag); err == nil && all[language] != nil {
		return language
	}
	return defaultLanguage
}

// outsidePopup lists the beginnings of keys that the popup and its parts never
// use, but for insidePopup: no page is opened more often.
var (
	outsidePopup = []string{
		"app.", "attention.", "batch.", "connect.", "csv.", "duplicate.", "edit.", "figures.", "health.", "held.", "home.", "leave.",
		"moment.", "optouts.", "people.", "queue.", "receipt.", "sdk.", "settings.", "source.", "state.tab.", "sure.resume.",
		"sure.unknown.", "texts.", "upgrade.",
	}
	insidePopup = []string{"batch.leave_out", "batch.state.", "batch.take_in"}
)

// popupUses reports whether the popup may need the words of a key.
func popupUses(key string) bool {
	begins := func(prefix string) bool { return strings.HasPrefix(key, prefix) }
	return !slices.ContainsFunc(outsidePopup, begins) || slices.ContainsFunc(insidePopup, begins)
}

// wordScripts returns the scripts that fill js/catalogue.js, by name: for the popup
// what it needs, for the large pages everything.
func wordScripts() (map[string][]byte, error) {
	all, err := catalogues()
	if err != nil {
		return nil, err
	}
	scripts := map[string][]byte{}
	for language, every := range all {
		pages := maps.Clone(every)
		maps.DeleteFunc(pages, func(key, _ string) bool { return strings.HasPrefix(key, serverSentence) })
		popup := maps.Clone(pages)
		maps.DeleteFunc(popup, func(key, _ string) bool { return !popupUses(key) })
		for part, words := range map[string]words{"popup": popup, "pages": pages} {
			encoded, err := json.Marshal(words)
			if err != nil {
				return nil, fmt.Errorf("encode the words: %w", err)
			}
			script := "import { words } from '../js/catalogue.js';\nObject.assign(words, " + string(encoded) + ");\n"
			scripts["words/"+part+"."+language+".js"] = []byte(script)
		}
		if language == defaultLanguage {
			continue
		}
		if scripts["words/server."+language+".js"], err = sentenceScript(all[defaultLanguage], every); err != nil {
			return nil, err
		}
	}
	return scripts, nil
}

// serverSentence begins the keys of the server's own sentences: answers are in
// English, and pages in another language replace what they know (js/said.js).
const serverSentence = "server."

// sentenceScript returns a script with the server's sentences in English and in
// another language. Of two that fit, the one with fewer places comes first, then
// the longer one.
func sentenceScript(english, other words) ([]byte, error) {
	var pairs [][2]string
	for key, sentence := range english {
		if strings.HasPrefix(key, serverSentence) && other[key] != "" {
			pairs = append(pairs, [2]string{sentence, other[key]})
		}
	}
	slices.SortFunc(pairs, func(a, b [2]string) int {
		return cmp.Or(cmp.Compare(strings.Count(a[0], "{"), strings.Count(b[0], "{")), cmp.Compare(len(b[0]), len(a[0])), cmp.Compare(a[0], b[0]))
	})
	encoded, err := json.Marshal(pairs)
	if err != nil {
		return nil, fmt.Errorf("encode the sentences: %w", err)
	}
	return []byte("export default " + string(encoded) + ";\n"), nil
}
