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

// templates holds one migrated database per kind and migrate function. A
// function is known by its code, so pass a plain function, not a closure over a
// test's values.
var templates struct {
	sync.Mutex
	made map[templateKey]*template
}

type templateKey struct {
	kind    string
	migrate uintptr
}

// template is made once; name is a database's name or a file's path.
type template struct {
	once sync.Once
	name string
	err  error
}

func templateFor(kind string, migrate Migrate, make func() (string, error)) (string, error) {
	key := templateKey{kind, reflect.ValueOf(migrate).Pointer()}
	templates.Lock()
	if templates.made == nil {
		templates.made = map[templateKey]*template{}
	}
	t, ok := templates.made[key]
	if !ok {
		t = &template{}
		templates.made[key] = t
	}
	templates.Unlock()
	t.once.Do(func() { t.name, t.err = make() })
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
		// A connection that migrate left open would make every copy fail.
		const closeAll = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '%s'"
		return name, execute(admin, fmt.Sprintf(closeAll, name))
	})
}

// createDatabase copies template under a new name. Names hold the process's
// random part: with DATABASE_URL_TEST several test processes share a server.
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

// withDatabase is dsn with another database's name.
func withDatabase(dsn, name string) string {
	u, err := url.Parse(dsn)
	if err != nil {
		return dsn // theServer has connected with it already
	}
	u.Path = "/" + name
	return u.String()
}
