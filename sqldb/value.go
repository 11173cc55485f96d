package sqldb

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"time"
)

// micros is a time as it is stored: microseconds since 1970 in UTC, 0 for the zero time.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// instant reads back what micros made.
func instant(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// when scans a stored time.
type when struct{ into *time.Time }

// Scan implements sql.Scanner.
func (w when) Scan(v any) error {
	us, ok := v.(int64)
	if !ok {
		return fmt.Errorf("a time is stored as %T", v)
	}
	*w.into = instant(us)
	return nil
}

// flag is a truth as it is stored: 1 or 0.
func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// truth scans a stored flag.
type truth struct{ into *bool }

// Scan implements sql.Scanner.
func (t truth) Scan(v any) error {
	n, ok := v.(int64)
	if !ok {
		return fmt.Errorf("a truth is stored as %T", v)
	}
	*t.into = n != 0
	return nil
}

// asJSON stores a value as JSON text, and nil as NULL.
type asJSON struct{ value any }

// Value implements driver.Valuer.
func (j asJSON) Value() (driver.Value, error) {
	b, err := json.Marshal(j.value)
	if err != nil || string(b) == "null" {
		return nil, err
	}
	return string(b), nil
}

// fromJSON scans JSON text; NULL leaves the value as it is.
type fromJSON struct{ into any }

// Scan implements sql.Scanner.
func (j fromJSON) Scan(v any) error {
	switch text := v.(type) {
	case nil:
		return nil
	case string:
		return json.Unmarshal([]byte(text), j.into)
	case []byte:
		return json.Unmarshal(text, j.into)
	}
	return fmt.Errorf("JSON is stored as %T", v)
}

// optional stores "" as NULL: a reference to nothing.
func optional(id string) any {
	if id == "" {
		return nil
	}
	return id
}
