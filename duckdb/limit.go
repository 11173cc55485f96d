package duckdb

import (
	"fmt"
	"syscall"

	"outlay"
)

// defaultMemory is the engine's own limit when a job or the server names none.
const defaultMemory = int64(1) << 30

// cpuLimit ends a parser that computes for longer than any bill needs (10 million rows take about a minute).
const cpuLimit = 4 * 3600

func memoryOf(job outlay.ParseJob) int64 {
	if job.MemoryLimit > 0 {
		return job.MemoryLimit
	}
	return defaultMemory
}

// limitProcess bounds the address space and CPU time of this process. What the engine holds beyond its own limit was
// measured at up to 1.7 GB (performance.md §2.3), and address space counts reserved memory too, so the bound is twice
// the limit and 2 GiB more.
func limitProcess(job outlay.ParseJob) error {
	space := uint64(2*memoryOf(job) + 2<<30)
	if err := syscall.Setrlimit(syscall.RLIMIT_AS, &syscall.Rlimit{Cur: space, Max: space}); err != nil {
		return fmt.Errorf("limiting memory: %w", err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_CPU, &syscall.Rlimit{Cur: cpuLimit, Max: cpuLimit}); err != nil {
		return fmt.Errorf("limiting CPU time: %w", err)
	}
	// No core file: it would hold a customer's bill.
	return syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{})
}
