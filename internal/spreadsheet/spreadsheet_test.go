package spreadsheet

import (
	"regexp"
	"strings"
	"testing"
)

func TestEscape(t *testing.T) {
	for cell, want := range map[string]string{
		"": "", "Bob": "Bob", "a=b": "a=b", "1-2": "1-2", "Hi, =1": "Hi, =1", "ana@acme.com": "ana@acme.com",
		"=1+cmd|' /C calc'!A0": "'=1+cmd|' /C calc'!A0", "+14155550142": "+14155550142", "+1415555": "+1415555", "+1": "'+1", "+14155550142+1": "'+14155550142+1", "+1415555014200000": "'+1415555014200000", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)",
		" =1": "' =1", "\u00a0=1": "'\u00a0=1", "\u200b=1": "'\u200b=1", "\ufeff=1": "'\ufeff=1", "\u3164\u2060 =1": "'\u3164\u2060 =1",
		"\t=1": "'\t'=1", "\r\n=1": "'\r\n'=1", "\tx": "'\tx", "\u3000＝1": "'\u3000＝1", "\x00=1": "'\x00=1",
		"x;=1+cmd": "x;'=1+cmd", "x; \u200b=1": "x;' \u200b=1", "x\t@y": "x\t'@y", "Hi\n-50%": "Hi\n'-50%", "a;b;+c": "a;b;'+c",
		`x";"=1`: `x";'"=1`, "a\u2028=1": "a\u2028'=1", "=a;=b": "'=a;'=b", ";;": ";;", "\xff=1": "\xff=1",
	} {
		if got := Escape(cell); got != want {
			t.Errorf("Escape(%q) = %q, want %q", cell, got, want)
		}
	}
}

var formula = regexp.MustCompile(`(?:^|[;\t\n\r\v\f\x{85}\x{2028}\x{2029}])["\s\x{a0}\x{3000}\p{Cf}]*[=+\-@＝＋－＠]`)

func FuzzEscape(f *testing.F) {
	f.Add("x;=1")
	f.Add("\u200b\t\"=1\n@")
	f.Fuzz(func(t *testing.T, cell string) {
		got := Escape(cell)
		if phoneNumber.MatchString(cell) {
			if got != cell {
				t.Fatalf("the number %q became %q", cell, got)
			}
			return
		}
		if formula.MatchString(got) {
			t.Fatalf("%q is a formula", got)
		}
		if strings.ReplaceAll(got, "'", "") != strings.ReplaceAll(cell, "'", "") {
			t.Fatalf("%q became %q", cell, got)
		}
	})
}
