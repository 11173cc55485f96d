package azure

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// periodFolder is the folder of a delivered month: {YYYYMMDD}-{YYYYMMDD}.
var periodFolder = regexp.MustCompile(`/([0-9]{6})[0-9]{2}-[0-9]{8}/`)

// text is an optional text or enumeration of the SDK, "" for none.
func text[T ~string](p *T) string {
	if p == nil {
		return ""
	}
	return string(*p)
}

// texts are tags or metadata without the pointers.
func texts(m map[string]*string) map[string]string {
	out := make(map[string]string, len(m))
	for k, v := range m {
		out[k] = text(v)
	}
	return out
}

// pointers are tags or metadata as the SDK takes them.
func pointers(m map[string]string) map[string]*string {
	out := make(map[string]*string, len(m))
	for k, v := range m {
		out[k] = &v
	}
	return out
}

// to is an optional value as the SDK takes it.
func to[T any](v T) *T { return &v }

// region is a region's short name; some answers spell it out: 'West Europe'.
func region(s string) string { return strings.ToLower(strings.ReplaceAll(s, " ", "")) }

// onOff is a switch as text; absent is what Azure takes when the answer does not name it.
func onOff(p *bool, absent bool) string {
	v := absent
	if p != nil {
		v = *p
	}
	if v {
		return on
	}
	return off
}

// when is an optional time, zero for none.
func when(p *time.Time) time.Time {
	if p == nil {
		return time.Time{}
	}
	return p.UTC()
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
