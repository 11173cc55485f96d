package duckdb

import (
	"context"
	"sync"
)

// flights lets callers that want the same thing at the same time share one making of it.
type flights struct {
	mu  sync.Mutex
	now map[string]*flight
}

type flight struct {
	done  chan struct{}
	value any
	err   error
}

// do returns what call gives for key; callers that come while it runs get the same. The making goes on when its
// first caller leaves, because others may wait for it.
func (f *flights) do(ctx context.Context, key string, call func(context.Context) (any, error)) (any, error) {
	f.mu.Lock()
	if f.now == nil {
		f.now = map[string]*flight{}
	}
	running, joined := f.now[key]
	if !joined {
		running = &flight{done: make(chan struct{})}
		f.now[key] = running
	}
	f.mu.Unlock()
	if !joined {
		go func() {
			running.value, running.err = call(context.WithoutCancel(ctx))
			f.mu.Lock()
			delete(f.now, key)
			f.mu.Unlock()
			close(running.done)
		}()
	}
	select {
	case <-running.done:
		return running.value, running.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
