package outlaytest

import (
	"bufio"
	"net"
	"net/url"
	"os"
	"os/exec"
	"testing"
	"time"
)

// TestMain is also the program that TestPostgresEndsWithUs kills.
func TestMain(m *testing.M) {
	if os.Getenv("OUTLAY_TEST_HOLD_POSTGRES") == "" {
		m.Run()
		return
	}
	address, _, err := StartPostgres()
	if err != nil {
		panic(err)
	}
	if _, err := os.Stdout.WriteString(address + "\n"); err != nil {
		panic(err)
	}
	select {}
}

// TestPostgresEndsWithUs kills a program that has started a cluster, and waits for the cluster to end.
func TestPostgresEndsWithUs(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command(self)
	child.Env = append(os.Environ(), "OUTLAY_TEST_HOLD_POSTGRES=1")
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = child.Process.Kill() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	address, err := url.Parse(line[:len(line)-1])
	if err != nil {
		t.Fatal(err)
	}
	if !answers(address.Host) {
		t.Fatalf("nothing answers at %s", address)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // it was killed
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for answers(address.Host) {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatal("the cluster outlives the program that started it")
		}
	}
}

func answers(host string) bool {
	c, err := net.DialTimeout("tcp", host, time.Second)
	if err != nil {
		return false
	}
	return c.Close() == nil
}
