package main

import (
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// anyPort has the system choose.
const anyPort = "127.0.0.1:0"

// lastAddress is where a kept demo's cloud was served before: what it made, and keys that it gave out, name that address.
// A cloud that is new, or whose address somebody else has now, takes another.
func lastAddress(dir string) string {
	b, err := os.ReadFile(filepath.Join(dir, "address"))
	if err != nil {
		return anyPort
	}
	address := strings.TrimSpace(string(b))
	l, err := net.Listen("tcp", address)
	if err != nil {
		return anyPort
	}
	_ = l.Close()
	return address
}

// keepAddress writes down where a cloud is served.
func keepAddress(dir, served string) error {
	u, err := url.Parse(served)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "address"), []byte(u.Host+"\n"), 0o600)
}
