package ledger

import (
	"embed"
	"strings"
	"text/template"
)

// sqlFiles holds statements with named parameters (@name). They are
// templates: the functions of a dialect write what Postgres and SQLite
// spell differently.
//
//go:embed sql
var sqlFiles embed.FS

// statements maps a file's name without ".sql" to its statement.
type statements map[string]string

var postgresStatements, sqliteStatements = load("postgres", postgresDialect), load("sqlite", sqliteDialect)

func statementsFor(embedded bool) statements {
	if embedded {
		return sqliteStatements
	}
	return postgresStatements
}

// load reads the statements of a dialect: its own and the shared ones.
func load(name string, dialect template.FuncMap) statements {
	files := template.Must(template.New(name).Funcs(dialect).ParseFS(sqlFiles, "sql/parts/*.sql", "sql/shared/*.sql", "sql/"+name+"/*.sql"))
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
