// Package migrations holds the schema's versions, one folder per database.
package migrations

import "embed"

// FS holds postgres/*.sql and sqlite/*.sql for goose.
//
//go:embed postgres/*.sql sqlite/*.sql
var FS embed.FS
