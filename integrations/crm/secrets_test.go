package crm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

const aSecret = "whsec_c2FuZGJveC1zZWNyZXQtb25lLTI0Ynl0" // 24 readable bytes

func TestParseSecretsNamesPositionsNotValues(t *testing.T) {
	for name, tc := range map[string]struct{ csv, want string }{
		"empty list":    {"", "secret 1 is empty"},
		"empty entry":   {aSecret + ", ", "secret 2 is empty"},
		"no prefix":     {"c2FuZGJveC1zZWNyZXQtb25lLTI0Ynl0", "secret 1 does not begin with whsec_"},
		"not base64":    {"whsec_***", "secret 1 is not base64"},
		"too short":     {"whsec_c2hvcnQ=", "secret 1 has 5 bytes, needs at least 24"},
		"both reported": {"whsec_c2hvcnQ=,nope", "secret 2 does not begin"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseSecrets(tc.csv)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("got %v, want %q", err, tc.want)
			}
			for _, leak := range []string{"c2hvcnQ", "c2FuZGJveC1z", "***", "nope"} {
				if strings.Contains(err.Error(), leak) {
					t.Errorf("the error shows the value: %v", err)
				}
			}
		})
	}
}

func TestSecretsAreHiddenFromAllFormats(t *testing.T) {
	s := secrets(t, aSecret)
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "s", s)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "s", struct{ S Secrets }{s})
	encoded, err := json.Marshal(struct{ S Secrets }{s})
	if err != nil {
		t.Fatal(err)
	}
	all := fmt.Sprintf("%v %+v %#v %s %q %x %d", s, s, s, s, s, s, s) +
		fmt.Sprintf("%v %+v", LaunchVerifier{Secrets: s}, &LaunchVerifier{Secrets: s}) + log.String() + string(encoded)
	for _, leak := range []string{"sandbox", "73616e64", "115 97 110", "c2FuZ"} {
		if strings.Contains(all, leak) {
			t.Errorf("%q shows in %s", leak, all)
		}
	}
	if got := strings.Count(all, hidden); got < 9 {
		t.Errorf("only %d times %s in %s", got, hidden, all)
	}
}
