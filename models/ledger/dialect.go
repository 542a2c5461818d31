package ledger

import (
	"fmt"
	"strings"
	"text/template"
)

// What the statements in sql/ call where the databases differ:
//
//   - list: the strings of a JSON array, for IN
//   - rows: the objects of a JSON array as a table o, with columns given
//     as "name type, name type"; SQLite has no use for the types
//   - timestamp: an expression as a time
//   - skipLocked: locks rows, and passes over locked ones; SQLite has
//     one writer at a time
//   - leaseNow, leaseEnd: now and a new lease's end, by the clock of
//     the database where it has one
var (
	postgresDialect = template.FuncMap{
		"list": func(param string) string {
			return fmt.Sprintf("SELECT json_array_elements_text(CAST(%s AS json))", param)
		},
		"rows": func(param, columns string) string {
			return fmt.Sprintf("json_to_recordset(CAST(%s AS json)) AS o(%s)", param, columns)
		},
		"timestamp":  func(expr string) string { return "CAST(" + expr + " AS timestamptz)" },
		"skipLocked": func() string { return "FOR UPDATE SKIP LOCKED" },
		"leaseNow":   func() string { return postgresLeaseNow },
		"leaseEnd":   func() string { return postgresLeaseNow + " + @seconds * interval '1 second'" },
	}
	sqliteDialect = template.FuncMap{
		"list": func(param string) string { return fmt.Sprintf("SELECT value FROM json_each(%s)", param) },
		"rows": func(param, columns string) string {
			return fmt.Sprintf("(SELECT %s FROM json_each(%s)) AS o", sqliteColumns(columns), param)
		},
		"timestamp":  func(expr string) string { return expr },
		"skipLocked": func() string { return "" },
		"leaseNow":   func() string { return "@lease_now" },
		"leaseEnd":   func() string { return "@until" },
	}
)

const postgresLeaseNow = "coalesce(CAST(@lease_now AS timestamptz), statement_timestamp())"

// sqliteColumns reads columns given as "name type, name type" from the
// JSON object in value.
func sqliteColumns(columns string) string {
	var out []string
	for column := range strings.SplitSeq(columns, ",") {
		name, _, _ := strings.Cut(strings.TrimSpace(column), " ")
		out = append(out, fmt.Sprintf("json_extract(value, '$.%[1]s') AS %[1]s", name))
	}
	return strings.Join(out, ", ")
}
