package database

import (
	"fmt"
	"strings"
)

// Dialect writes what Postgres and SQLite spell differently. A param is
// a statement's parameter: "?" or a name such as "@ids".
type Dialect struct{ sqlite bool }

// The dialects of the two databases.
var (
	Postgres = Dialect{}
	SQLite   = Dialect{sqlite: true}
)

// Dialect returns the database's dialect.
func (d *DB) Dialect() Dialect { return Dialect{sqlite: d.Embedded()} }

// StringList returns a subquery of the strings of a JSON array.
func (d Dialect) StringList(param string) string {
	if d.sqlite {
		return "(SELECT value FROM json_each(" + param + "))"
	}
	return "(SELECT json_array_elements_text(CAST(" + param + " AS json)))"
}

// Rows returns the objects of a JSON array as a table o. columns are
// "name type, name type"; SQLite has no use for the types.
func (d Dialect) Rows(param, columns string) string {
	if !d.sqlite {
		return fmt.Sprintf("json_to_recordset(CAST(%s AS json)) AS o(%s)", param, columns)
	}
	var list []string
	for column := range strings.SplitSeq(columns, ",") {
		name, _, _ := strings.Cut(strings.TrimSpace(column), " ")
		list = append(list, fmt.Sprintf("json_extract(value, '$.%[1]s') AS %[1]s", name))
	}
	return fmt.Sprintf("(SELECT %s FROM json_each(%s)) AS o", strings.Join(list, ", "), param)
}

// Timestamp returns a value as a time, where Postgres can't infer its
// type.
func (d Dialect) Timestamp(value string) string {
	if d.sqlite {
		return value
	}
	return "CAST(" + value + " AS timestamptz)"
}

// SkipLocked ends a query that locks its rows and passes over locked
// ones. SQLite has one writer at a time.
func (d Dialect) SkipLocked() string {
	if d.sqlite {
		return ""
	}
	return "FOR UPDATE SKIP LOCKED"
}
