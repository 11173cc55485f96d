package duckdb

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// phase is a stretch of a child's work, the CPU time it took, and the most memory that was resident by its end.
type phase struct {
	Name string        `json:"phase"` // "scan", "lake", "prove", "rollup"
	CPU  time.Duration `json:"cpu"`
	Peak int64         `json:"peakKiB"`
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
	line, err := json.Marshal(phase{Name: name, CPU: now - p.last, Peak: PeakMemory() >> 10})
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

// PeakMemory is the most memory that was ever resident in this process, in bytes; 0 where the system does not tell.
// It reads /proc: what getrusage says of a fresh child includes its parent's memory.
func PeakMemory() int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	var kib int64
	if _, rest, found := bytes.Cut(status, []byte("VmHWM:")); found {
		_, _ = fmt.Sscan(string(rest[:min(len(rest), 40)]), &kib)
	}
	return kib << 10
}

// report logs what the child told about its phases, and what it took as a whole.
func (c Child) report(stderr []byte, cmd *exec.Cmd) {
	if c.Log == nil {
		return
	}
	var peak int64
	for line := range bytes.Lines(stderr) {
		var p phase
		if json.Unmarshal(line, &p) == nil && p.Name != "" {
			peak = max(peak, p.Peak)
			c.Log.Debug("parse phase", slog.String("phase", p.Name), slog.Duration("cpu", p.CPU))
		}
	}
	c.Log.Debug("parse child", slog.Duration("cpu", cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime()), slog.Int64("peak_kib", peak))
}
