package duckdb

import (
	"container/list"
	"sync"
)

// maxCachedRows bounds the answers kept: about 100 MB when they are all rows of four amounts.
const maxCachedRows = 200_000

// results keeps recent answers, least recently used out first. An answer is of one generation of heads and one query,
// so it never goes out of date: it is only no longer asked for.
type results struct {
	mu    sync.Mutex
	byKey map[string]*list.Element
	order list.List // front is the most recent
	rows  int
}

type result struct {
	key   string
	value any
	rows  int
}

// get is the answer kept for a key.
func (r *results) get(key string) (any, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, ok := r.byKey[key]
	if !ok {
		return nil, false
	}
	r.order.MoveToFront(e)
	return e.Value.(*result).value, true
}

// put keeps an answer that counts as so many rows.
func (r *results) put(key string, value any, rows int) {
	if rows > maxCachedRows/4 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byKey == nil {
		r.byKey = map[string]*list.Element{}
	}
	if _, ok := r.byKey[key]; ok {
		return
	}
	r.byKey[key] = r.order.PushFront(&result{key, value, rows + 1})
	for r.rows += rows + 1; r.rows > maxCachedRows; {
		last := r.order.Remove(r.order.Back()).(*result)
		delete(r.byKey, last.key)
		r.rows -= last.rows
	}
}
