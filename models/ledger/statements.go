package ledger

import (
	"dialpad-texting/models/database"
	"embed"
	"strings"
	"text/template"
)

// sqlFiles holds statements with named parameters (@name). They are
// templates: database.Dialect writes what Postgres and SQLite spell
// differently.
//
//go:embed sql
var sqlFiles embed.FS

// statements maps a file's name without ".sql" to its statement.
type statements map[string]string

var postgresStatements, sqliteStatements = load("postgres", database.Postgres), load("sqlite", database.SQLite)

func statementsFor(embedded bool) statements {
	if embedded {
		return sqliteStatements
	}
	return postgresStatements
}

// load reads the statements of a dialect: its own and the shared ones.
func load(name string, d database.Dialect) statements {
	functions := template.FuncMap{"list": d.StringList, "rows": d.Rows, "timestamp": d.Timestamp, "skipLocked": d.SkipLocked,
		"leaseNow": func() string { return leaseTimes[d].now }, "leaseEnd": func() string { return leaseTimes[d].end }}
	files := template.Must(template.New(name).Funcs(functions).ParseFS(sqlFiles, "sql/parts/*.sql", "sql/shared/*.sql", "sql/"+name+"/*.sql"))
	out := statements{}
	for _, file := range files.Templates() {
		var text strings.Builder
		if err := file.Execute(&text, nil); err != nil {
			panic(err)
		}
		out[strings.TrimSuffix(file.Name(), ".sql")] = withoutComments(text.String())
	}
	if claim, ok := out["claim"]; ok {
		out["claim_waiting"] = waitingClaim.Replace(claim)
	}
	return out
}

// leaseTimes are now and a new lease's end: by Postgres's clock, unless
// the caller gives its own.
var leaseTimes = map[database.Dialect]struct{ now, end string }{
	database.Postgres: {postgresNow, postgresNow + " + @seconds * interval '1 second'"},
	database.SQLite:   {"@lease_now", "@until"},
}

const postgresNow = "coalesce(CAST(@lease_now AS timestamptz), statement_timestamp())"

// waitingClaim changes claim.sql to wait for locks instead of skipping
// the rows. That is for the claim of one lane: such locks are short.
var waitingClaim = strings.NewReplacer("FOR UPDATE OF m SKIP LOCKED", "", "FOR UPDATE OF l SKIP LOCKED", "FOR UPDATE OF l")

// text returns a statement, and panics if there is none.
func (s statements) text(name string) string {
	text, ok := s[name]
	if !ok {
		panic("ledger: no statement " + name)
	}
	return text
}

// withoutComments removes comment lines, in which gorm would look for
// parameters.
func withoutComments(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(strings.TrimSpace(line), "--") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}
