package outlaytest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// PythonJudge starts an emulator that packaging/python-judge.sh installed under build/judges, for one test, and gives
// the address where it listens. In args, "{port}" stands for its port and "{other}" for a second one.
func PythonJudge(t testing.TB, name, program string, args ...string) (address string) {
	t.Helper()
	_, file, _, _ := runtime.Caller(0)
	dir := filepath.Join(filepath.Dir(file), "..", "build", "judges")
	path := filepath.Join(dir, name, "bin", program)
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%s is missing (bash packaging/python-judge.sh %[1]s): %v", name, err)
	}
	address, err := freeAddress()
	if err != nil {
		t.Fatal(err)
	}
	other, err := freeAddress()
	if err != nil {
		t.Fatal(err)
	}
	put := strings.NewReplacer("{port}", portOf(address), "{other}", portOf(other))
	for i := range args {
		args[i] = put.Replace(args[i])
	}
	cmd := exec.Command(path, args...)
	cmd.Dir = t.TempDir()
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "HOME=") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, "HOME="+filepath.Join(dir, "home"), "GATEWAY_PORT="+portOf(address), "AWS_EC2_METADATA_DISABLED=true")
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting %s: %v", name, err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // killed at the end of the test
	}()
	stop := func() {
		_ = cmd.Process.Kill()
		<-ended
	}
	t.Cleanup(stop)
	if err := awaitLong(address, ended); err != nil {
		stop()
		t.Fatalf("%s did not come up: %v\n%s", name, err, said.String())
	}
	return address
}

func portOf(address string) string {
	_, port, _ := net.SplitHostPort(address) // our own address
	return port
}

// awaitLong is awaitAddress for a minute: interpreters start slowly on a busy machine.
func awaitLong(address string, ended <-chan struct{}) error {
	var err error
	for range 6 {
		if err = awaitAddress(address, ended); err == nil {
			return nil
		}
		select {
		case <-ended:
			return fmt.Errorf("it ended")
		default:
		}
	}
	return err
}
