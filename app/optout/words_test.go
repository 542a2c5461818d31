package optout_test

import (
	"testing"

	"dialpad-texting/app/optout"
)

func TestWord(t *testing.T) {
	for text, want := range map[string]string{
		"STOP": "stop", " stop\n": "stop", "StopAll": "stop", "unsubscribe": "stop", "CANCEL": "stop", "End": "stop", "quit": "stop",
		"START": "start", "unstop": "start", "Yes": "start", "stop it": "", "please don't STOP": "", "": "", "no": "",
	} {
		if got := optout.Word(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}
