package modeltest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"sync"

	_ "github.com/jackc/pgx/v5/stdlib" // the "pgx" driver
)

// templates holds one migrated database per kind and migrate function.
// Functions are compared by their code pointer, so pass a plain
// function, not a closure over a test's values.
var templates struct {
	sync.Mutex
	byKey map[templateKey]*template
}

type templateKey struct {
	kind    string
	migrate uintptr
}

// template is a migrated database: its name, or the path of its file.
type template struct {
	once sync.Once
	name string
	err  error
}

// templateFor returns the name of a template. The first call for a
// kind and migrate function creates it.
func templateFor(kind string, migrate Migrate, create func() (string, error)) (string, error) {
	key := templateKey{kind, reflect.ValueOf(migrate).Pointer()}
	templates.Lock()
	if templates.byKey == nil {
		templates.byKey = map[templateKey]*template{}
	}
	t, ok := templates.byKey[key]
	if !ok {
		t = &template{}
		templates.byKey[key] = t
	}
	templates.Unlock()
	t.once.Do(func() { t.name, t.err = create() })
	return t.name, t.err
}

func migratedPostgres(admin string, migrate Migrate) (string, error) {
	if migrate == nil {
		return "template0", nil
	}
	return templateFor("postgres", migrate, func() (string, error) {
		name, err := createDatabase(admin, "template0")
		if err != nil {
			return "", err
		}
		if err := migrate(withDatabase(admin, name)); err != nil {
			return "", err
		}
		// An open connection from migrate would make each copy fail.
		const closeAll = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '%s'"
		return name, execute(admin, fmt.Sprintf(closeAll, name))
	})
}

// createDatabase copies a template to a new database and returns its
// name, which is random because test processes may share a server.
func createDatabase(admin, template string) (string, error) {
	name := "test_" + strings.ToLower(rand.Text()[:16])
	return name, execute(admin, fmt.Sprintf("CREATE DATABASE %s TEMPLATE %s", name, template))
}

func dropDatabase(admin, name string) error {
	return execute(admin, fmt.Sprintf("DROP DATABASE IF EXISTS %s WITH (FORCE)", name))
}

func execute(dsn, statement string) error {
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.ExecContext(context.Background(), statement)
	return err
}

// withDatabase returns dsn with another database's name.
func withDatabase(dsn, name string) string {
	u, err := url.Parse(dsn)
	if err != nil {
		return dsn // can't happen: serverDSN has connected with it
	}
	u.Path = "/" + name
	return u.String()
}
