package duckdb

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"outlay"
)

// Child parses in a process of its own, so that a crafted or damaged file can end that process and nothing else. It
// implements outlay.Parser.
type Child struct {
	// Command is the program, by absolute path, and its arguments that run ParseMain, such as the server's own binary
	// with 'parse'.
	Command []string
	// Wall limits how long one job may take; zero means an hour.
	Wall time.Duration
	// Log receives the child's phases with their times, at level debug; nil for none.
	Log *slog.Logger
}

// Parse runs the job in a child with an empty environment, at low priority, and kills it when ctx ends.
func (c Child) Parse(ctx context.Context, job outlay.ParseJob) ([]outlay.ParsedPeriod, error) {
	if len(c.Command) == 0 {
		return nil, outlay.Errorf(outlay.CodeInternal, "", "no command for parsing is configured")
	}
	wall := c.Wall
	if wall == 0 {
		wall = time.Hour
	}
	ctx, cancel := context.WithTimeout(ctx, wall)
	defer cancel()
	input, err := inputOf(job)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, c.Command[0], c.Command[1:]...)
	cmd.Env = []string{"LANG=C.UTF-8"} // no secret of ours, no setting of the machine
	cmd.Dir = job.OutDir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	stdout, stderr := bounded{left: maxAnswer}, bounded{left: maxWords}
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("starting the parser: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the parser: %w", err)
	}
	// The job is sent only after the priority is set: threads that the child starts for it inherit the priority.
	// Nice 10 keeps dashboard queries at their speed while a bill loads (performance.md §5, concurrency).
	_ = syscall.Setpriority(syscall.PRIO_PGRP, cmd.Process.Pid, 10)
	_, _ = stdin.Write(input) // a child that died early is told by Wait
	_ = stdin.Close()
	waitErr := cmd.Wait()
	c.report(stderr.kept.Bytes(), cmd)
	return answerOf(ctx, job, stdout.kept.Bytes(), stderr.kept.Bytes(), waitErr)
}

// What is kept of a child's words: a crafted file may have made it its own, and must not fill this process's memory.
const (
	maxAnswer = 64 << 20 // a month of 100,000 sub accounts is a third of it
	maxWords  = 1 << 20
)

// bounded keeps the first bytes that are written to it and passes over the rest.
type bounded struct {
	kept bytes.Buffer // not embedded: io.Copy would find its ReadFrom and go past the bound
	left int
}

func (b *bounded) Write(p []byte) (int, error) {
	n := min(len(p), b.left)
	b.left -= n
	_, _ = b.kept.Write(p[:n]) // never fails
	return len(p), nil
}

// inputOf is the job as the child reads it: the child works in another folder, so its files go by absolute paths.
func inputOf(job outlay.ParseJob) ([]byte, error) {
	files := make([]string, len(job.Files))
	for i, f := range job.Files {
		abs, err := filepath.Abs(f)
		if err != nil {
			return nil, fmt.Errorf("finding %s: %w", f, err)
		}
		files[i] = abs
	}
	job.Files = files
	b, err := json.Marshal(job)
	if err != nil {
		return nil, fmt.Errorf("writing the parse job: %w", err)
	}
	return b, nil
}

// answerOf makes the child's end into the parser's answer.
func answerOf(ctx context.Context, job outlay.ParseJob, stdout, stderr []byte, ended error) ([]outlay.ParsedPeriod, error) {
	if ended == nil {
		var periods []outlay.ParsedPeriod
		if err := json.Unmarshal(stdout, &periods); err != nil {
			return nil, fmt.Errorf("reading the parser's answer: %w", err)
		}
		return periods, nil
	}
	var reply failure
	if json.Unmarshal(stdout, &reply) == nil && reply.Code != "" {
		return nil, &outlay.Error{Code: reply.Code, Message: reply.Message, Fix: reply.Fix, Field: reply.Field}
	}
	names := fileNames(job.Files)
	if err := ctx.Err(); err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			return nil, outlay.Errorf(outlay.CodeInvalid, "Deliver the month in smaller files.", "%s took too long to read: %w", names, err).InField(names)
		}
		return nil, err
	}
	exit, ok := errors.AsType[*exec.ExitError](ended)
	if !ok {
		return nil, fmt.Errorf("running the parser: %w", ended)
	}
	why := exit.String()
	if tail := lastLine(stderr); tail != "" {
		why += ": " + tail
	}
	return nil, outlay.Errorf(outlay.CodeInvalid, "Look whether the file is damaged, and deliver it again.", "%s could not be read: %w", names,
		fmt.Errorf("the parser ended: %s", why)).InField(names)
}

// fileNames lists the job's files for people: base names, the first three.
func fileNames(files []string) string {
	var names []string
	for _, f := range files {
		if len(names) == 3 {
			return strings.Join(names, ", ") + fmt.Sprintf(" and %d more", len(files)-3)
		}
		names = append(names, filepath.Base(f))
	}
	return strings.Join(names, ", ")
}

// lastLine is the last line of a dying child's words that says why: the Go runtime puts the reason first.
func lastLine(b []byte) string {
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "fatal error:") || strings.HasPrefix(line, "panic:") || strings.HasPrefix(line, "SIG") {
			return line
		}
	}
	return ""
}
