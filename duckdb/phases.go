package duckdb

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"os/exec"
	"syscall"
	"time"
)

// Phase is a stretch of a child's work and the CPU time it took.
type Phase struct {
	Name string        `json:"phase"` // "scan", "lake", "prove", "rollup"
	CPU  time.Duration `json:"cpu"`
}

// phases measures the stretches of this process and tells each to out as a line of JSON.
type phases struct {
	out  io.Writer
	last time.Duration
}

func newPhases(out io.Writer) *phases { return &phases{out: out, last: cpuTime()} }

// done ends a stretch.
func (p *phases) done(name string) {
	now := cpuTime()
	line, err := json.Marshal(Phase{Name: name, CPU: now - p.last})
	p.last = now
	if err == nil {
		_, _ = p.out.Write(append(line, '\n'))
	}
}

// cpuTime is the user and system time of this process.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// report logs what the child told about its phases, and what the kernel says about the whole.
func (c Child) report(stderr []byte, cmd *exec.Cmd) {
	if c.Log == nil {
		return
	}
	for line := range bytes.Lines(stderr) {
		var p Phase
		if json.Unmarshal(line, &p) == nil && p.Name != "" {
			c.Log.Debug("parse phase", slog.String("phase", p.Name), slog.Duration("cpu", p.CPU))
		}
	}
	if u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		c.Log.Debug("parse child", slog.Duration("cpu", cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime()), slog.Int64("peak_rss_kib", u.Maxrss))
	}
}
