package modeltest

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// serverDSN starts this process's Postgres, once, and returns the DSN
// of its "postgres" database.
var serverDSN = sync.OnceValues(func() (string, error) {
	if dsn := os.Getenv("DATABASE_URL_TEST"); dsn != "" {
		return dsn, ping(dsn)
	}
	bin, err := findPostgres()
	if err != nil {
		return "", err
	}
	return startServer(bin)
})

// findPostgres returns the folder of initdb and postgres: that in
// PATH, or a usual one outside PATH.
func findPostgres() (string, error) {
	candidates, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	for _, pattern := range []string{"/opt/homebrew/opt/postgresql*/bin", "/usr/local/opt/postgresql*/bin", "/usr/pgsql-*/bin"} {
		more, _ := filepath.Glob(pattern)
		candidates = append(candidates, more...)
	}
	if link, err := exec.LookPath("initdb"); err == nil {
		if path, err := filepath.EvalSymlinks(link); err == nil {
			candidates = append([]string{filepath.Dir(path)}, candidates...)
		}
	}
	for _, bin := range candidates {
		if isFile(filepath.Join(bin, "initdb")) && isFile(filepath.Join(bin, "postgres")) {
			return bin, nil
		}
	}
	return "", errors.New("initdb and postgres are neither in PATH nor under /usr/lib/postgresql")
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// startServer creates a cluster in a temporary folder and serves it on
// a free port of 127.0.0.1. It does not sync to disk, as the cluster
// ends with the process, unless DURABLE_POSTGRES=1, which is for
// benchmarks.
func startServer(bin string) (string, error) {
	owner, err := unprivileged()
	if err != nil {
		return "", err
	}
	dir, err := processFolder()
	if err != nil {
		return "", err
	}
	if owner != nil {
		if err := os.Chown(dir, int(owner.Uid), int(owner.Gid)); err != nil {
			return "", err
		}
	}
	data := filepath.Join(dir, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres",
		"--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions")
	initdb.Dir = dir
	initdb.SysProcAttr = attributes(owner)
	if out, err := initdb.CombinedOutput(); err != nil {
		return "", fmt.Errorf("initdb: %w: %s", err, out)
	}
	// Another process may use the port first: retry with another one.
	for range 3 {
		var dsn string
		if dsn, err = serve(bin, dir, owner); err == nil {
			return dsn, nil
		}
	}
	return "", err
}

// serve starts Postgres on a free port and returns its DSN once it
// accepts connections.
func serve(bin, dir string, owner *syscall.Credential) (string, error) {
	port, err := freePort()
	if err != nil {
		return "", err
	}
	var output bytes.Buffer
	settings := []string{"-D", filepath.Join(dir, "data"), "-p", port,
		"-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "max_connections=200", "-c", "timezone=UTC"}
	if os.Getenv("PROF_DIR") != "" {
		settings = append(settings, "-c", "shared_preload_libraries=pg_stat_statements", "-c", "pg_stat_statements.track_planning=on")
	}
	if os.Getenv("DURABLE_POSTGRES") != "1" {
		settings = append(settings, "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "autovacuum=off")
	}
	server := exec.Command(filepath.Join(bin, "postgres"), settings...)
	server.Dir, server.Stdout, server.Stderr = dir, &output, &output
	server.SysProcAttr = attributes(owner)
	exited := make(chan error, 1)
	started := make(chan error, 1)
	go func() {
		// Pdeathsig is sent when the thread that started the child
		// ends, so this thread is locked to a goroutine that waits for
		// the server.
		runtime.LockOSThread()
		err := server.Start()
		started <- err
		if err == nil {
			exited <- server.Wait()
		}
	}()
	if err := <-started; err != nil {
		return "", err
	}
	dsn := "postgres://postgres@127.0.0.1:" + port + "/postgres?sslmode=disable"
	return dsn, waitUntilUp(dsn, exited, &output)
}

func waitUntilUp(dsn string, exited <-chan error, output *bytes.Buffer) error {
	deadline := time.After(30 * time.Second)
	for {
		err := ping(dsn)
		if err == nil {
			return nil
		}
		select {
		case exit := <-exited:
			return fmt.Errorf("postgres ended: %w: %s", exit, output)
		case <-deadline:
			return fmt.Errorf("postgres did not come up in 30 s: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func ping(dsn string) error {
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return db.PingContext(ctx)
}

func freePort() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	return strconv.Itoa(listener.Addr().(*net.TCPAddr).Port), nil
}
