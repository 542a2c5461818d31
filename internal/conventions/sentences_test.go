package conventions

import (
	"encoding/json"
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// sentenceFolders say what people read on the pages.
var sentenceFolders = []string{
	"app/activity", "app/apierror", "app/audience", "app/batch", "app/compose", "app/delivery", "app/eligibility", "app/install", "app/jobs", "app/optout",
	"app/outbox", "app/walltime",
}

// withoutTranslation are sentences that no page shows: they are for programs,
// for logs, or parts of other sentences; pages have words of their own for some.
var withoutTranslation = []string{
	"There is no such page.", "There is no such state.", "That page of the preview does not exist.",
	"A late text can be held, dropped or sent.", "Late begins between one minute and seven days after the time.",
	"Name the states whose people should be texted again.", "A bulk can wait up to a minute to be undone.",
	"The time must look like {x}.", "That offset does not fit the time zone then.", "A day must look like {x}.",
	"There is no such action: opt_out, opt_in or keep.", "The Dialpad account", "The Dialpad invitation", "Dialpad said: ", "Asked for by ",
	"Same number as ", "Checked: ", "Created by ", "Made ready", "Send a message", "Cancelled by ",
	"Paused by ", "It is ", "Send now", "Send at ", "Chinese character", "Since (UTC)", "Recorded by", "Sent at (UTC)", "Message id", "At (UTC)", "User id",
}

// TestSentencesOfTheServerAreInTheCatalogue looks for sentences that a page in
// another language could not replace.
func TestSentencesOfTheServerAreInTheCatalogue(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile(filepath.Join(root, "static/words/en.json"))
	if err != nil {
		t.Fatal(err)
	}
	var words map[string]string
	if err := json.Unmarshal(source, &words); err != nil {
		t.Fatal(err)
	}
	known := withoutTranslation
	for key, sentence := range words {
		if strings.HasPrefix(key, "server.") {
			known = append(known, place.ReplaceAllString(sentence, "{x}"))
		}
	}
	checked := 0
	for _, s := range code(t) {
		if !slices.Contains(sentenceFolders, s.folder) {
			continue
		}
		for _, sentence := range sentencesOf(s.file) {
			checked++
			if !slices.Contains(known, sentence) {
				t.Errorf("%s says %q, which has no words in static/words/en.json under server.", s.path, sentence)
			}
		}
	}
	if checked < 80 {
		t.Errorf("only %d sentences were found: the search no longer fits the code", checked)
	}
}

var (
	// A merge field's braces are part of the value: "There is no field {{%s}}."
	verb     = regexp.MustCompile(`\{\{%s\}\}|\{\{$|%[dsq]|2026-11-24(?:T09:00)?`)
	place    = regexp.MustCompile(`\{\w+\}`)
	sentence = regexp.MustCompile(`^[A-Z{][^\n]* [^\n]*$`)
)

// sentencesOf returns the literals of a file that read as sentences. Arguments of
// functions that log, wrap or panic are not for people.
func sentencesOf(file *ast.File) (found []string) {
	ast.Inspect(file, func(n ast.Node) bool {
		switch node := n.(type) {
		case *ast.ImportSpec:
			return false
		case *ast.CallExpr:
			if f, ok := node.Fun.(*ast.SelectorExpr); ok && slices.Contains([]string{"Errorf", "Warn", "Info", "Error", "Debug", "Format", "MustCompile"}, f.Sel.Name) {
				return false
			}
		case *ast.BasicLit:
			text, err := strconv.Unquote(node.Value)
			if text = verb.ReplaceAllString(text, "{x}"); node.Kind == token.STRING && err == nil && sentence.MatchString(text) {
				found = append(found, text)
			}
		}
		return true
	})
	return found
}
