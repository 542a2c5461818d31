package ledger

import (
	"embed"
	"io/fs"
	"path"
	"strings"
)

// Statements with named parameters (@name). Comments are left out when they are
// read: the query builder would look for parameters in them.
//
//go:embed sql
var sqlFiles embed.FS

// statements are the texts of sql/ by name, without ".sql".
type statements map[string]string

// read once: the texts are constant.
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

// waitingClaim makes claim.sql wait for the lane's row instead of skipping it.
// For a lane that is claimed alone: whoever has its row has it for a moment.
var waitingClaim = strings.NewReplacer("FOR UPDATE OF m SKIP LOCKED", "", "FOR UPDATE OF l SKIP LOCKED", "FOR UPDATE OF l")

// text returns a statement. A name without a file is a mistake of ours.
func (s statements) text(name string) string {
	text, ok := s[name]
	if !ok {
		panic("ledger: no statement " + name)
	}
	return text
}

func withoutComments(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(strings.TrimSpace(line), "--") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}
