package simcloud

import (
	"slices"
	"sync"
)

// maxLog bounds the log: a demo runs for days.
const maxLog = 20000

// requests is a cloud's log.
type requests[R any] struct {
	mu   sync.Mutex
	rows []R
}

// Note adds a line to the log.
func (l *requests[R]) Note(r R) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.rows) >= maxLog {
		l.rows = slices.Clone(l.rows[maxLog/2:])
	}
	l.rows = append(l.rows, r)
}

// Requests gives the log, oldest first.
func (l *requests[R]) Requests() []R {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.rows)
}

// ClearRequests forgets the log.
func (l *requests[R]) ClearRequests() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rows = nil
}
