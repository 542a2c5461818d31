package database

import (
	"encoding/json"
	"strings"
	"time"
)

// TimeFormat is the format of times in SQLite, always UTC. Postgres
// reads it too.
const TimeFormat = "2006-01-02 15:04:05.999999999-07:00"

// JSON encodes a list as one parameter, so that a statement is the
// same, and stays prepared, for lists of every length.
func JSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // the types that are passed always marshal
	}
	return string(b)
}

// UTC returns t in UTC, nil for nil.
func UTC(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	u := t.UTC()
	return &u
}

// EscapeLike escapes the wildcards of LIKE … ESCAPE '\'.
func EscapeLike(q string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(q)
}
