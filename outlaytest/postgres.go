package outlaytest

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"outlay"
)

// postgresVariable names the environment variable with the address of a running cluster, 'postgres://…', that tests make
// their databases in. RunWithPostgres sets it; so may whoever starts many test programs and wants one cluster for all.
const postgresVariable = "OUTLAY_TEST_POSTGRES"

// postgresMissing is the line that installs what is missing.
const postgresMissing = "PostgreSQL is missing: apt-get install -y --no-install-recommends postgresql"

// RunWithPostgres runs the tests of a package with one PostgreSQL cluster for all of them. Call it as the only line of
// TestMain.
func RunWithPostgres(m *testing.M) {
	if os.Getenv(postgresVariable) == "" {
		url, stop, err := StartPostgres()
		if err != nil {
			panic(err) // the test program ends with a failure
		}
		defer stop()
		if err := os.Setenv(postgresVariable, url); err != nil {
			panic(err)
		}
	}
	m.Run()
}

// Postgres returns the address of a new, empty database for one test. It is in the cluster of RunWithPostgres, or else in
// one that is started for this test alone (about one second).
func Postgres(t testing.TB) string {
	t.Helper()
	cluster := os.Getenv(postgresVariable)
	if cluster == "" {
		url, stop, err := StartPostgres()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(stop)
		cluster = url
	}
	name := strings.ReplaceAll(outlay.NewID("test"), "-", "_")
	bin, err := postgresBin()
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(filepath.Join(bin, "psql"), "-q", "-d", cluster, "-c", "CREATE DATABASE "+name).CombinedOutput(); err != nil {
		t.Fatalf("making a database: %v\n%s", err, out)
	}
	return cluster[:strings.LastIndex(cluster, "/")+1] + name + "?sslmode=disable"
}

// StartPostgres starts a cluster on a free loopback port, as the user postgres when we are root. stop ends it and removes
// its files. When this process dies without calling stop, however it dies, the cluster ends too: its keeper waits for the
// end of a pipe that we hold.
func StartPostgres() (url string, stop func(), err error) {
	bin, err := postgresBin()
	if err != nil {
		return "", nil, err
	}
	for range 3 { // somebody else may take the port in between
		if url, stop, err = startPostgres(bin); err == nil {
			return url, stop, nil
		}
	}
	return "", nil, err
}

// postgresBin is the folder of the newest PostgreSQL that Debian installed.
func postgresBin() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", errors.New(postgresMissing)
	}
	return filepath.Dir(slices.Max(found)), nil
}

// keeper makes, starts, keeps and removes a cluster. $1 is the folder of the programs, $2 the port. It says ready, then
// waits for the end of its input. Without fsync a crash of the machine would lose data: tests need none of it.
const keeper = `
trap '' INT TERM HUP
unset TMPDIR
dir=$(mktemp -d -t outlay-postgres.XXXXXX) || exit 1
trap 'rm -rf "$dir"' EXIT
"$1/initdb" -D "$dir/data" -A trust -U outlay --no-sync -E UTF8 --locale=C.UTF-8 >"$dir/log" 2>&1 || { cat "$dir/log" >&2; exit 1; }
"$1/pg_ctl" -D "$dir/data" -w -l "$dir/log" -o "-p $2 -c listen_addresses=127.0.0.1 -c unix_socket_directories=$dir -c max_connections=300
	-c fsync=off -c synchronous_commit=off -c full_page_writes=off" start >/dev/null </dev/null || { cat "$dir/log" >&2; exit 1; }
echo ready
read -r _
"$1/pg_ctl" -D "$dir/data" -m immediate stop >/dev/null
`

func startPostgres(bin string) (string, func(), error) {
	port, err := freePort()
	if err != nil {
		return "", nil, err
	}
	var log bytes.Buffer
	cmd := exec.Command("sh", "-c", keeper, "keeper", bin, port)
	if os.Geteuid() == 0 { // initdb refuses root
		if _, err := user.Lookup("postgres"); err != nil {
			return "", nil, errors.New(postgresMissing)
		}
		cmd = exec.Command("su", "postgres", "-s", "/bin/sh", "-c", keeper, "keeper", bin, port)
	}
	cmd.Dir, cmd.Stderr = "/", &log
	hold, err := cmd.StdinPipe()
	if err != nil {
		return "", nil, fmt.Errorf("starting PostgreSQL: %w", err)
	}
	said, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return "", nil, fmt.Errorf("starting PostgreSQL: %w", err)
	}
	stop := func() {
		_ = hold.Close()                 // the keeper sees the end of its input
		_, _ = io.Copy(io.Discard, said) // until it has ended
		_ = cmd.Wait()                   // how it ended does not matter any more
	}
	if line, _ := bufio.NewReader(said).ReadString('\n'); line != "ready\n" {
		stop()
		return "", nil, fmt.Errorf("starting PostgreSQL: %s", log.String())
	}
	return "postgres://outlay@127.0.0.1:" + port + "/postgres", stop, nil
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("looking for a free port: %w", err)
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, errors.Join(err, l.Close())
}
