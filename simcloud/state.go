package simcloud

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

// Load reads what Save wrote into a folder. Where nothing was saved, state stays as it is.
func Load(dir string, state any) error {
	b, err := os.ReadFile(filepath.Join(dir, "state.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(b, state)
	}
	if err != nil {
		return fmt.Errorf("reading the simulated cloud: %w", err)
	}
	return nil
}

// Save writes the state beside the old one and renames it over: a killed process leaves one or the other.
func Save(dir string, state any) error {
	b, err := json.Marshal(state)
	if err != nil {
		return err
	}
	next := filepath.Join(dir, "state.json.next")
	if err := os.WriteFile(next, b, 0o600); err != nil {
		return err
	}
	return os.Rename(next, filepath.Join(dir, "state.json"))
}

// MustSave saves a change that a test or the demo made itself. Losing it would only surprise, so it panics.
func MustSave(dir string, state any) {
	if err := Save(dir, state); err != nil {
		panic("simulated cloud: " + err.Error())
	}
}

// Counter makes identifiers; it is part of the state that is saved.
type Counter struct {
	Count int64 `json:"count"`
}

// sum is a hash that no other call of the counter's gave.
func (c *Counter) sum(kind string) [sha256.Size]byte {
	c.Count++
	return sha256.Sum256([]byte(kind + " " + strconv.FormatInt(c.Count, 10)))
}

// ID makes a hex text of n characters, at most 64, that no other call made.
func (c *Counter) ID(n int) string {
	sum := c.sum("id")
	return hex.EncodeToString(sum[:])[:n]
}

// UUID makes an identifier in the shape that clouds give everything.
func (c *Counter) UUID() string {
	h := c.ID(32)
	return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-a" + h[17:20] + "-" + h[20:32]
}

// Number makes n digits, the first of them not 0.
func (c *Counter) Number(n int) string {
	sum := c.sum("number")
	digits := make([]byte, n)
	for i := range digits {
		digits[i] = '0' + sum[i%len(sum)]%10
	}
	digits[0] = '1' + sum[0]%9
	return string(digits)
}

// JSON is a value of the cloud's own as JSON; such values always marshal.
func JSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// XML is a value of the cloud's own as an XML document; such values always marshal.
func XML(v any) []byte {
	b, err := xml.Marshal(v)
	if err != nil {
		panic(err)
	}
	return append([]byte(xml.Header), b...)
}

// OrDefault is n, or its default for 0; a negative n stays and means never.
func OrDefault(n, def int) int {
	if n == 0 {
		return def
	}
	return n
}
