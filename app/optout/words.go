package optout

import (
	_ "embed"
	"encoding/json"
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// What an inbound text asks for, as stored with its event.
const (
	WordStop  = "stop"
	WordStart = "start"
	WordMaybe = "maybe" // it may mean STOP: a person decides
)

// wordList is the format of words.json. The file names the source of
// each language's words.
type wordList struct {
	Short     int `json:"short"` // words of a short text
	Languages []struct {
		Stop     []string `json:"stop"`
		Start    []string `json:"start"`
		Strong   []string `json:"strong"`
		Weak     []string `json:"weak"`
		Harmless []string `json:"harmless"`
		Texts    []string `json:"texts"`
	} `json:"languages"`
}

//go:embed words.json
var wordsJSON []byte

var words = parseWords(wordsJSON)

// vocabulary holds the words of all languages, normalized. A person may
// answer in any of them.
type vocabulary struct {
	short                                      int
	stop, start, strong, weak, harmless, texts map[string]bool
}

func parseWords(data []byte) vocabulary {
	var list wordList
	if err := json.Unmarshal(data, &list); err != nil {
		panic("optout: words.json: " + err.Error())
	}
	v := vocabulary{short: list.Short, stop: map[string]bool{}, start: map[string]bool{}, strong: map[string]bool{},
		weak: map[string]bool{}, harmless: map[string]bool{}, texts: map[string]bool{}}
	for _, l := range list.Languages {
		for set, words := range map[*map[string]bool][]string{&v.stop: l.Stop, &v.start: l.Start, &v.strong: l.Strong,
			&v.weak: l.Weak, &v.harmless: l.Harmless, &v.texts: l.Texts} {
			for _, w := range words {
				(*set)[normalize(w)] = true
			}
		}
	}
	return v
}

// Word returns what an inbound text asks for: WordStop or WordStart if
// the whole text is a word of the list, WordMaybe if a longer text may
// mean an opt-out, else "". "YES" is no opt-in.
func Word(text string) string {
	text = normalize(text)
	switch {
	case text == "":
		return ""
	case words.stop[text]:
		return WordStop
	case words.start[text]:
		return WordStart
	case words.mayMeanStop(text):
		return WordMaybe
	}
	return ""
}

// mayMeanStop reports whether a normalized text contains a strong word,
// or a weak one and is short or about texts.
func (v vocabulary) mayMeanStop(text string) bool {
	tokens := strings.Fields(text)
	isShort := len(tokens) <= v.short
	tokens = without(tokens, v.harmless)
	return contains(tokens, v.strong) || contains(tokens, v.weak) && (isShort || contains(tokens, v.texts))
}

// maxPhrase is the number of words in the longest phrase of the list.
const maxPhrase = 4

// phraseAt returns how many tokens at i form a phrase of the set.
func phraseAt(tokens []string, i int, set map[string]bool) int {
	for n := min(maxPhrase, len(tokens)-i); n > 0; n-- {
		if set[strings.Join(tokens[i:i+n], " ")] {
			return n
		}
	}
	return 0
}

func contains(tokens []string, set map[string]bool) bool {
	for i := range tokens {
		if phraseAt(tokens, i, set) > 0 {
			return true
		}
	}
	return false
}

// without replaces the phrases of the set by a token that is in no list,
// so that the words around them do not meet.
func without(tokens []string, set map[string]bool) []string {
	var out []string
	for i := 0; i < len(tokens); {
		if n := phraseAt(tokens, i, set); n > 0 {
			out, i = append(out, "\u2026"), i+n
			continue
		}
		out, i = append(out, tokens[i]), i+1
	}
	return out
}

// maxWordRunes bounds what is read of a text: an SMS has 1,600
// characters at most.
const maxWordRunes = 2000

// normalize makes texts comparable: compatibility forms (full width,
// mathematical letters), case, accents, invisible characters, quotes,
// punctuation and emoji make no difference. Apostrophes are dropped;
// every other separator is one space.
func normalize(text string) string {
	if runes := []rune(strings.ToValidUTF8(text, "")); len(runes) > maxWordRunes {
		text = string(runes[:maxWordRunes])
	}
	text = norm.NFKD.String(cases.Fold().String(norm.NFKC.String(text)))
	text = strings.Map(wordRune, text)
	return norm.NFC.String(strings.Join(strings.Fields(text), " "))
}

// wordRune drops runes that do not matter (-1) and turns those
// between words into spaces.
func wordRune(r rune) rune {
	switch {
	case r == '\u0131': // dotless i: a Turkish keyboard writes it for i
		return 'i'
	case r == '\'', r == '’', r == '‘', r == 'ʼ', r == '`', r == '´':
		return -1
	case unicode.In(r, unicode.M, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector):
		return -1
	case unicode.IsLetter(r), unicode.IsNumber(r):
		return r
	}
	return ' '
}
