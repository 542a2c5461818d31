package optout_test

import (
	"strings"
	"testing"

	"dialpad-texting/app/optout"
)

func TestWordsThatOptOut(t *testing.T) {
	plain := []string{"stop", "stopall", "stop all", "stop texting", "stop texts", "quit", "end", "revoke", "opt out", "opt-out", "optout",
		"cancel", "unsubscribe", "unsubscribe me", "remove me", "arret", "arrêt", "parar", "baja", "стоп"}
	forms := map[string]func(string) string{
		"plain":        func(w string) string { return w },
		"upper case":   strings.ToUpper,
		"title":        func(w string) string { return strings.ToUpper(w[:1]) + w[1:] },
		"period":       func(w string) string { return w + "." },
		"exclamation":  func(w string) string { return " " + strings.ToUpper(w) + "!!! " },
		"quotes":       func(w string) string { return `"` + w + `"` },
		"curly quotes": func(w string) string { return "“" + w + "”" },
		"guillemets":   func(w string) string { return "« " + w + " »" },
		"apostrophes":  func(w string) string { return "'" + w + "'" },
		"parentheses":  func(w string) string { return "(" + w + ")" },
		"emoji":        func(w string) string { return "🛑 " + w + "🙅🏽‍♀️" },
		"emoji glued":  func(w string) string { return w + "❗️" },
		"lines":        func(w string) string { return "\n" + w + "\r\n" },
		"no-break":     func(w string) string { return "\u00a0" + strings.ReplaceAll(w, " ", "\u00a0 ") },
		"invisible":    func(w string) string { return "\u200b" + w[:1] + "\u2060" + w[1:] + "\ufeff\u3164" },
		"bidi":         func(w string) string { return "\u202a" + w + "\u202c" },
		"NUL":          func(w string) string { return w + "\x00" },
	}
	for name, form := range forms {
		for _, w := range plain {
			if name == "title" || name == "invisible" {
				if w[0] >= 0x80 {
					continue
				}
			}
			if got := optout.Word(form(w)); got != optout.WordStop {
				t.Errorf("%s: %q is %q, want stop", name, form(w), got)
			}
		}
	}
}

func TestWord(t *testing.T) {
	for want, texts := range map[string][]string{
		"stop": {"Stop.", "STOP ALL", "REVOKE", `"STOP"`, "STOP ", "ＳＴＯＰ", "𝗦𝗧𝗢𝗣", "S\u0301TOP", "UNSUBSCRİBE", "unsubscrıbe", "OPT—OUT", "opt\u2011out",
			"StopAll", "ARRÊT", "arre\u0302t", "Parar!", "СТОП", "stopp", "*STOP*", "> STOP", "- end -", "END."},
		"start": {"START", "unstop", " Start! ", "“UNSTOP”", "ＳＴＡＲＴ"},
		"maybe": {"please stop texting me", "Take me off your list", "please don't STOP texting me wrong: stop", "stop it", "Stop at once", "Please stop", "STOP please", "STOP STOP",
			"I'd like to opt out", "can you unsubscribe me from this", "do not text me again", "Don’t text me", "remove me from your list", "cancel these messages",
			"please cancel my texts", "quit it", "Por favor, quiero darme de baja", "I REVOKE my consent", "leave me alone!!", "who is this? wrong number", "STOP\nSent from my iPhone",
			"no more texts please", "s'il vous plaît, arrêtez", "hör auf, keine SMS mehr", "START and then stop", "S T O P", "s.t.o.p.", "unsub", "opt me out", "Cancelar", "PARE", "sair", "abbestellen"},
		"": {"", " ", "\u200b", "👍", "yes", "YES", "y", "no", "don't stop", "Don’t stop!", "stop by anytime", "Can I stop by at 5?", "at the end of the month it is", "the bus stop is closed",
			"please cancel my appointment on friday", "startup", "nonstop fun", "we start at nine", "weekend", "that is a baja california trip we take", "stopwatch", "help"},
	} {
		for _, text := range texts {
			if got := optout.Word(text); got != want {
				t.Errorf("%q is %q, want %q", text, got, want)
			}
		}
	}
}

func FuzzWord(f *testing.F) {
	for _, s := range []string{"stop", "please stop", "\xff", "ＳＴＯＰ", strings.Repeat("stop by ", 100)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1500 {
			t.Skip("longer than what is read")
		}
		got := optout.Word(text)
		if same := optout.Word(" \u200b" + text + "!\n"); same != got {
			t.Errorf("%q is %q, within punctuation %q", text, got, same)
		}
	})
}
