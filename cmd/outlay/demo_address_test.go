package main

import (
	"net"
	"testing"
)

// TestKeptAddress: a kept demo's clouds come back where they were, unless somebody else is there now.
func TestKeptAddress(t *testing.T) {
	dir := t.TempDir()
	if got := lastAddress(dir); got != anyPort {
		t.Errorf("a new cloud is served at %s", got)
	}
	l, err := net.Listen("tcp", anyPort)
	if err != nil {
		t.Fatal(err)
	}
	if err := keepAddress(dir, "https://"+l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if got := lastAddress(dir); got != anyPort {
		t.Errorf("an address that is taken is used again: %s", got)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if got := lastAddress(dir); got != l.Addr().String() {
		t.Errorf("it comes back at %s", got)
	}
}
