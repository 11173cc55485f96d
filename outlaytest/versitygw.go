package outlaytest

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// S3Server is an S3 endpoint with a credential that may do everything on it.
type S3Server struct{ Endpoint, Region, AccessKeyID, Secret string }

// Versitygw builds versitygw (once for all programs: about two minutes cold, nothing warm) and starts it for one test:
// an S3 server by others, with real signatures and checksums (test-infrastructure.md §3.1).
func Versitygw(t testing.TB) S3Server {
	t.Helper()
	program, err := buildVersitygw()
	if err != nil {
		t.Fatalf("versitygw is missing (cd tools/versitygw && go build github.com/versity/versitygw/cmd/versitygw): %v", err)
	}
	dir := t.TempDir()
	for _, d := range []string{"buckets", "versions", "meta"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	s := S3Server{Region: "us-east-1", AccessKeyID: "test", Secret: "testtesttest"}
	address, err := freeAddress()
	if err != nil {
		t.Fatal(err)
	}
	s.Endpoint = "http://" + address
	// Object attributes go into files of their own: not every file system has extended attributes.
	cmd := exec.Command(program, "--port", address, "--access", s.AccessKeyID, "--secret", s.Secret, "--region", s.Region, "--quiet",
		"posix", "--sidecar", filepath.Join(dir, "meta"), "--versioning-dir", filepath.Join(dir, "versions"), filepath.Join(dir, "buckets"))
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting versitygw: %v", err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // killed at the end of the test
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
	})
	if err := awaitAddress(address, ended); err != nil {
		_ = cmd.Process.Kill()
		<-ended
		t.Fatalf("versitygw did not come up: %v\n%s", err, said.String())
	}
	return s
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String(), nil
}

// awaitAddress waits until something listens, at most ten seconds.
func awaitAddress(address string, ended <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if conn, err := net.Dial("tcp", address); err == nil {
			return conn.Close()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ended:
			return fmt.Errorf("it ended")
		case <-tick.C:
		}
	}
}

// buildVersitygw keeps the program in the user's cache under the version that tools/versitygw pins.
func buildVersitygw() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	_, file, _, _ := runtime.Caller(0)
	dir := filepath.Join(filepath.Dir(file), "..", "tools", "versitygw")
	list := exec.Command("go", "list", "-m", "-f", "{{.Version}}", "github.com/versity/versitygw")
	list.Dir = dir
	version, err := list.Output()
	if err != nil {
		return "", fmt.Errorf("go list: %w", err)
	}
	program := filepath.Join(cache, "outlay-tools", "versitygw-"+strings.TrimSpace(string(version)))
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	if err := os.MkdirAll(filepath.Dir(program), 0o755); err != nil {
		return "", err
	}
	// Built beside and renamed: two programs may do this at once.
	next := fmt.Sprintf("%s.%d", program, os.Getpid())
	build := exec.Command("go", "build", "-o", next, "github.com/versity/versitygw/cmd/versitygw")
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return program, os.Rename(next, program)
}
