package static_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"dialpad-texting/static"
)

// readWords returns the words of a language.
func readWords(t *testing.T, language string) map[string]string {
	t.Helper()
	source, err := os.ReadFile("words/" + language + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]string
	if err := json.Unmarshal(source, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

var (
	literalKey   = regexp.MustCompile(`['"]([a-z_0-9]+(?:\.[a-z_0-9]+)+)['"]`)
	composedKey  = regexp.MustCompile("`([a-z_0-9.]+\\.?\\$\\{[^`]*)`")
	insertion    = regexp.MustCompile(`\$\{[^}]*\}`)
	countedWords = regexp.MustCompile(`\.(?:one|other)$`)
	calledKey    = regexp.MustCompile(`\b(tn?)\(\s*'([a-z_0-9.]+)'[,)]`)
)

// usesOf returns the keys in a source, and expressions of those that it
// composes: `batch.state.${state}`.
func usesOf(source string) (keys map[string]bool, composed []*regexp.Regexp) {
	keys = map[string]bool{}
	for _, found := range literalKey.FindAllStringSubmatch(source, -1) {
		keys[found[1]] = true
	}
	for _, found := range composedKey.FindAllStringSubmatch(source, -1) {
		parts := insertion.Split(found[1], -1)
		if parts[0] == "" || regexp.MustCompile(`[^a-z_0-9.]`).MatchString(strings.Join(parts, "")) {
			continue
		}
		composed = append(composed, regexp.MustCompile(`^`+strings.Join(parts, `[a-z_0-9.]+`)+`$`))
	}
	return keys, composed
}

func TestEveryKeyIsUsed(t *testing.T) {
	var all strings.Builder
	for _, pattern := range []string{"js/*.js", "html/*.html", "sdk/*.js"} {
		for _, name := range glob(t, pattern) {
			source, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			all.Write(source)
		}
	}
	keys, composed := usesOf(all.String())
	for key := range readWords(t, "en") {
		if strings.HasPrefix(key, "server.") {
			continue // internal/conventions compares these with the server's code
		}
		base := countedWords.ReplaceAllString(key, "")
		isComposed := func(e *regexp.Regexp) bool { return e.MatchString(key) || e.MatchString(base) }
		if !keys[key] && !keys[base] && !slices.ContainsFunc(composed, isComposed) {
			t.Errorf("nothing uses the words of %q", key)
		}
	}
}

// A script reads its words in the browser; this finds a missing key before.
func TestEveryKeyInTheScriptsHasWords(t *testing.T) {
	catalogue := readWords(t, "en")
	checked := 0
	for name, source := range scripts(t) {
		for _, key := range calledKeys(source) {
			checked++
			if catalogue[key] == "" {
				t.Errorf("%s uses the key %q, which has no words", name, key)
			}
		}
	}
	if checked < 100 {
		t.Errorf("only %d keys were found in the scripts: the search no longer fits their code", checked)
	}
}

func calledKeys(source string) []string {
	var keys []string
	for _, found := range calledKey.FindAllStringSubmatch(source, -1) {
		if found[1] == "tn" {
			keys = append(keys, found[2]+".one", found[2]+".other")
		} else {
			keys = append(keys, found[2])
		}
	}
	return keys
}

// The popup loads only the words that it can need.
func TestThePopupHasItsWords(t *testing.T) {
	sources := scripts(t)
	imported := regexp.MustCompile(`'\./([a-z_]+\.js)'`)
	seen := map[string]bool{}
	var read func(name string)
	read = func(name string) {
		if seen[name] {
			return
		}
		seen[name] = true
		for _, found := range imported.FindAllStringSubmatch(sources[name], -1) {
			read(found[1])
		}
	}
	read("popup.js")
	if !seen["follow_one.js"] || !seen["schedule.js"] {
		t.Fatalf("the parts that are loaded later were not found: %v", slices.Sorted(maps.Keys(seen)))
	}
	script := body(t, get(t, "GET", static.AssetPath("words/popup.en.js"), "").Body)
	every := readWords(t, "en")
	for name := range seen {
		keys, _ := usesOf(sources[name])
		for key := range keys {
			for _, form := range []string{key, key + ".one"} {
				if every[form] != "" && !strings.Contains(script, `"`+form+`":`) {
					t.Errorf("%s uses the key %q, which the popup does not load", name, form)
				}
			}
		}
	}
}

// A translation says the same: it has the same keys, and the same places for
// what is filled in.
func TestLanguagesHaveTheSameKeysAndPlaces(t *testing.T) {
	english := readWords(t, "en")
	place := regexp.MustCompile(`\{\w+\}`)
	for _, file := range glob(t, "words/*.json") {
		language := strings.TrimSuffix(filepath.Base(file), ".json")
		other := readWords(t, language)
		for key, words := range english {
			if other[key] == "" {
				t.Errorf("%s: no words under the key %q", file, key)
				continue
			}
			want, got := place.FindAllString(words, -1), place.FindAllString(other[key], -1)
			slices.Sort(want)
			slices.Sort(got)
			if !slices.Equal(slices.Compact(want), slices.Compact(got)) {
				t.Errorf("%s: %q has the places %v, in English %v", file, key, got, want)
			}
		}
		for key := range other {
			if english[key] == "" {
				t.Errorf("%s: %q has no words in English", file, key)
			}
		}
	}
}

// Who speaks to a computer says what is on a button: what a screen reader says of
// it holds those words (WCAG 2.5.3).
func TestNamesOfButtonsHoldTheirWords(t *testing.T) {
	for _, file := range glob(t, "words/*.json") {
		words := readWords(t, strings.TrimSuffix(filepath.Base(file), ".json"))
		for key, seen := range words {
			if said := words[key+"_of"]; said != "" && strings.Contains(said, "{") && !strings.Contains(said, seen) && !strings.HasPrefix(key, "health.") {
				t.Errorf("%s: %q is %q, which does not hold %q", file, key+"_of", said, seen)
			}
		}
	}
}

// What people read stands in the catalogue, not in a page or a script.
func TestNoSentenceIsOutsideTheCatalogue(t *testing.T) {
	action := regexp.MustCompile(`\{\{[^}]*\}\}`)
	shown := regexp.MustCompile(`>([^<>]*\pL[^<>]*)<|(?:aria-label|title|placeholder|alt)="([^"]*\pL[^"]*)"`)
	script := regexp.MustCompile(`(?s)<script.*?</script>|<!doctype html>`)
	for _, name := range glob(t, "html/*.html") {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		html := script.ReplaceAllString(action.ReplaceAllString(string(source), ""), "")
		for _, found := range shown.FindAllStringSubmatch(html, -1) {
			text := strings.TrimSpace(found[1] + found[2])
			if !slices.Contains([]string{"Dialpad", "&nbsp;", ""}, text) {
				t.Errorf("%s says %q", name, text)
			}
		}
	}
	comment := regexp.MustCompile(`(?m)^\s*(?://|/?\*).*$`)
	sentence := regexp.MustCompile(`'([A-Z][a-z]+ [^'\n]*|[A-Z][a-z]+(?: [a-z]+)*[.!?:…])'`)
	for name, source := range scripts(t) {
		if name == "segments.js" || name == "zone_list.js" { // names of characters, and a table
			continue
		}
		for _, found := range sentence.FindAllStringSubmatch(comment.ReplaceAllString(source, ""), -1) {
			if found[1] != "Ctrl ↵" {
				t.Errorf("%s says %q", name, found[1])
			}
		}
	}
}

// The popup makes these words of the sentence a link, and compares that title
// with a reason of the server's.
func TestTheServersSentencesFitThePagesWords(t *testing.T) {
	for _, file := range glob(t, "words/*.json") {
		words := readWords(t, strings.TrimSuffix(filepath.Base(file), ".json"))
		if link := words["state.click_here"]; words["server.click_here"] != link || !strings.Contains(words["server.connect"], link) {
			t.Errorf("%s: %q is no part of %q", file, link, words["server.connect"])
		}
		if words["server.no_account"] != words["state.no_account.title"] || words["server.opted_out"] != words["state.opted_out.title"] {
			t.Errorf("%s: the server's sentences differ from the titles of the same obstacles", file)
		}
	}
}
