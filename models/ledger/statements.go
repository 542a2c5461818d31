package ledger

import (
	"embed"
	"io/fs"
	"path"
	"strings"
)

// sqlFiles holds statements with named parameters (@name).
//
//go:embed sql
var sqlFiles embed.FS

// statements maps a file's name without ".sql" to its statement.
type statements map[string]string

var postgresStatements, sqliteStatements = load("postgres"), load("sqlite")

func statementsFor(embedded bool) statements {
	if embedded {
		return sqliteStatements
	}
	return postgresStatements
}

func load(dialect string) statements {
	out := statements{}
	for _, dir := range []string{"shared", dialect} {
		files, err := fs.Glob(sqlFiles, path.Join("sql", dir, "*.sql"))
		if err != nil {
			panic(err)
		}
		for _, file := range files {
			text, err := sqlFiles.ReadFile(file)
			if err != nil {
				panic(err)
			}
			out[strings.TrimSuffix(path.Base(file), ".sql")] = withoutComments(string(text))
		}
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
