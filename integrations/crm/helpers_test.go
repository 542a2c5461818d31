package crm

import (
	"encoding/json"
	"os"
	"testing"
	"time"
)

// vectors were computed by other code: see made_by.
type vectors struct {
	Secrets []string          `json:"secrets"`
	Now     int64             `json:"now"`
	Launch  map[string]string `json:"launch"`
	Webhook struct {
		ID, Timestamp, Body, Signature string
		OlderSignature                 string `json:"older_signature"`
	} `json:"webhook"`
}

func readVectors(t *testing.T) vectors {
	t.Helper()
	raw, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func secrets(t *testing.T, csv string) Secrets {
	t.Helper()
	s, err := ParseSecrets(csv)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// noon is the time in these tests.
var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return noon }
