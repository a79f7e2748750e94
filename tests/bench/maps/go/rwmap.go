// SPDX-License-Identifier: GPL-3.0-or-later

package main

import "sync"

// rwMap is a built-in map behind a sync.RWMutex. Loads share the lock; Range copies
// the keys under it and then loads each, as the one of Go's own benchmarks.
type rwMap struct {
	mu sync.RWMutex
	m  map[any]any
}

func (r *rwMap) Load(key any) (any, bool) {
	r.mu.RLock()
	value, ok := r.m[key]
	r.mu.RUnlock()
	return value, ok
}

func (r *rwMap) Store(key, value any) {
	r.mu.Lock()
	r.m[key] = value
	r.mu.Unlock()
}

func (r *rwMap) LoadOrStore(key, value any) (any, bool) {
	r.mu.Lock()
	actual, ok := r.m[key]
	if !ok {
		actual = value
		r.m[key] = value
	}
	r.mu.Unlock()
	return actual, ok
}

func (r *rwMap) LoadAndDelete(key any) (any, bool) {
	r.mu.Lock()
	value, ok := r.m[key]
	delete(r.m, key)
	r.mu.Unlock()
	return value, ok
}

func (r *rwMap) Delete(key any) {
	r.mu.Lock()
	delete(r.m, key)
	r.mu.Unlock()
}

func (r *rwMap) Swap(key, value any) (any, bool) {
	r.mu.Lock()
	previous, ok := r.m[key]
	r.m[key] = value
	r.mu.Unlock()
	return previous, ok
}

func (r *rwMap) CompareAndSwap(key, old, new any) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if value, ok := r.m[key]; !ok || value != old {
		return false
	}
	r.m[key] = new
	return true
}

func (r *rwMap) CompareAndDelete(key, old any) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if value, ok := r.m[key]; !ok || value != old {
		return false
	}
	delete(r.m, key)
	return true
}

func (r *rwMap) Clear() {
	r.mu.Lock()
	for key := range r.m {
		delete(r.m, key)
	}
	r.mu.Unlock()
}

func (r *rwMap) Range(f func(key, value any) bool) {
	r.mu.RLock()
	keys := make([]any, 0, len(r.m))
	for key := range r.m {
		keys = append(keys, key)
	}
	r.mu.RUnlock()
	for _, key := range keys {
		if value, ok := r.Load(key); ok && !f(key, value) {
			return
		}
	}
}
