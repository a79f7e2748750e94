// SPDX-License-Identifier: GPL-3.0-or-later

// Go's own maps on the rows of ../rows.h, printed in the same form.
//
//	peer-go MAP --list | ROW [THREADS [OPERATIONS]]
//
// MAP is syncmap (sync.Map) or rwmap (sync.RWMutex around a map[any]any, as in
// Go's own benchmarks). Keys and values are ints in interfaces, which is what a Go
// program pays. Swap and compare exist from Go 1.20 on.
package main

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Peer is the part of sync.Map that all versions have.
type Peer interface {
	Load(key any) (any, bool)
	Store(key, value any)
	LoadOrStore(key, value any) (any, bool)
	LoadAndDelete(key any) (any, bool)
	Delete(key any)
	Range(f func(key, value any) bool)
}

// Swapper is what Go 1.20 added.
type Swapper interface {
	Peer
	Swap(key, value any) (any, bool)
	CompareAndSwap(key, old, new any) bool
	CompareAndDelete(key, old any) bool
}

// Clearer is what Go 1.23 added.
type Clearer interface {
	Peer
	Clear()
}

type worker struct {
	bench        *bench
	peer         Peer
	index        int
	first, n     int
	done         int
	began, ended time.Time
	walked       time.Duration
	sum          int
	random       uint64
	_            [128]byte // workers keep off each other's lines
}

type row struct {
	name    string
	ops     int
	prepare func(w *worker)
	run     func(w *worker)
	needs   string // "", "swap", "clear"
}

type bench struct {
	row     row
	threads int
	over    atomic32
	writes  int64
	latency []int64
	keys    []int
	perKey  float64
}

// atomic32 because atomic.Bool is younger than the oldest Go that this builds on.
type atomic32 struct{ v int32 }

func (a *atomic32) set()        { atomic.StoreInt32(&a.v, 1) }
func (a *atomic32) isSet() bool { return atomic.LoadInt32(&a.v) != 0 }

func (w *worker) rand() uint64 {
	w.random += 0x9e3779b97f4a7c15
	z := w.random
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func fillAndPrime(hits int) func(w *worker) {
	return func(w *worker) {
		for i := 0; i < hits; i++ {
			w.peer.LoadOrStore(i, i)
		}
		for i := 0; i < 2*hits; i++ {
			if v, ok := w.peer.Load(i % hits); ok {
				w.sum += v.(int)
			}
		}
	}
}

func store1024(w *worker) {
	for i := 0; i < 1024; i++ {
		w.peer.Store(i, i)
	}
}

func key0(w *worker) { w.peer.LoadOrStore(0, 0) }

// each makes a row of a single operation.
func each(op func(w *worker, i int)) func(w *worker) {
	return func(w *worker) {
		for i, end := w.first, w.first+w.n; i < end; i++ {
			op(w, i)
		}
	}
}

func load1024(w *worker) {
	sum := 0
	for i, end := w.first, w.first+w.n; i < end; i++ {
		if v, ok := w.peer.Load(i % 1024); ok {
			sum += v.(int)
		}
	}
	w.sum += sum
}

func loadOrStoreBalanced(w *worker) {
	for i, end := w.first, w.first+w.n; i < end; i++ {
		j := i % 256
		if j < 128 {
			if _, ok := w.peer.LoadOrStore(j, j); !ok {
				panic("unexpected miss")
			}
		} else if _, ok := w.peer.LoadOrStore(i, i); ok {
			panic("unexpected hit")
		}
	}
}

func adversarialAlloc(w *worker) {
	stores, loads := 0, 0
	for i, end := w.first, w.first+w.n; i < end; i++ {
		w.peer.Load(i)
		if loads++; loads > stores {
			w.peer.LoadOrStore(i, stores)
			loads = 0
			stores++
		}
	}
}

func adversarialDelete(w *worker) {
	for i, end := w.first, w.first+w.n; i < end; i++ {
		w.peer.Load(i)
		if i%1024 == 0 {
			w.peer.Range(func(key, _ any) bool {
				w.peer.Delete(key)
				return false
			})
			w.peer.Store(i, i)
		}
	}
}

func swapMostly(hits int) func(w *worker) {
	return func(w *worker) {
		peer := w.peer.(Swapper)
		for i, end := w.first, w.first+w.n; i < end; i++ {
			if r := i % 1024; r < hits {
				peer.Swap(r, r)
			} else {
				peer.Swap(i, i)
				peer.Delete(i)
			}
		}
	}
}

func compareAndSwapMostly(hits int) func(w *worker) {
	return func(w *worker) {
		peer := w.peer.(Swapper)
		for i, end := w.first, w.first+w.n; i < end; i++ {
			v := i
			if r := i % 1024; r < hits {
				v = r
			}
			peer.CompareAndSwap(v, v, v)
		}
	}
}

func compareAndDeleteMostly(hits int) func(w *worker) {
	return func(w *worker) {
		peer := w.peer.(Swapper)
		for i, end := w.first, w.first+w.n; i < end; i++ {
			v := i
			if r := i % 1024; r < hits {
				v = r
			}
			if peer.CompareAndDelete(v, v) {
				peer.Store(v, v)
			}
		}
	}
}

const keys64k, keys1m = 65536, 1000000

// 6.5 keys for each of 2^18 buckets: a table that is as full as one gets.
const keysFull = 1703936

func preload(w *worker, n int) {
	for i := 0; i < n; i++ {
		w.peer.Store(i, i)
	}
	for round := 0; round < 2; round++ {
		for i := 0; i < n; i++ {
			if v, ok := w.peer.Load(i); ok {
				w.sum += v.(int)
			}
		}
	}
}

func prepare64k(w *worker) { preload(w, keys64k) }
func prepare1m(w *worker)  { preload(w, keys1m) }

func mix(keys uint64, period uint32) func(w *worker) {
	return func(w *worker) {
		sum := 0
		for i, end := w.first, w.first+w.n; i < end; i++ {
			random := w.rand()
			key := int((random >> 32) * keys >> 32)
			if uint32(random)%period == 0 {
				w.peer.Store(key, i)
			} else if v, ok := w.peer.Load(key); ok {
				sum += v.(int)
			}
		}
		w.sum += sum
	}
}

func prepareC(w *worker) {
	const s, n = 0.99, keys1m
	top := math.Pow(n+1, 1-s) - 1
	prepare1m(w)
	w.bench.keys = make([]int, keys1m)
	for i := range w.bench.keys {
		u := float64(w.rand()>>11) * 0x1p-53
		rank := uint64(math.Pow(u*top+1, 1/(1-s)) - 1)
		w.bench.keys[i] = int(rank * 2654435761 % keys1m)
	}
}

func runC(w *worker) {
	sum := 0
	for i, end := w.first, w.first+w.n; i < end; i++ {
		key := w.bench.keys[i%keys1m]
		if uint32(w.rand())%10 == 0 {
			w.peer.Store(key, i)
		} else if v, ok := w.peer.Load(key); ok {
			sum += v.(int)
		}
	}
	w.sum += sum
}

func runG(w *worker) {
	for i, end := w.first, w.first+w.n; i < end; i++ {
		random := w.rand()
		key := int((random >> 32) % (2 * keys64k))
		if random&1 != 0 {
			w.peer.Store(key, i)
		} else {
			w.peer.LoadAndDelete(key)
		}
	}
}

func (w *worker) writeBesideRange() {
	random := w.rand()
	key := int((random >> 32) % keys64k)
	switch kind := uint32(random) % 10; {
	case kind < 8:
		w.peer.Store(key, key)
	case kind == 8:
		w.peer.Store(w.first+keys64k+w.done, 0)
		w.done++
	default:
		w.peer.LoadAndDelete(key)
	}
}

func runF(w *worker) {
	if w.index != 0 {
		writes := int64(0)
		for ; !w.bench.over.isSet(); writes++ {
			w.writeBesideRange()
		}
		atomic.AddInt64(&w.bench.writes, writes)
		w.done = 0
		return
	}
	visited := 0
	for i := 0; i < w.n; i++ {
		for j := 0; w.bench.threads == 1 && j < 1000; j++ {
			w.writeBesideRange()
		}
		began := time.Now()
		w.peer.Range(func(_, _ any) bool { visited++; return true })
		w.walked += time.Since(began)
	}
	w.bench.over.set()
	w.done = visited
}

func timedStores(first int) func(w *worker) {
	return func(w *worker) {
		for i := 0; i < w.n; i++ {
			began := time.Now()
			w.peer.Store(first+i, i)
			w.bench.latency[i] = int64(time.Since(began))
		}
	}
}

func prepareHalf(w *worker) {
	preload(w, w.n/2)
	w.peer.Store(w.n, 0)
}

func runWorstLoad(w *worker) {
	for i := 0; i < w.n; i++ {
		began := time.Now()
		w.peer.Load(w.n)
		w.bench.latency[i] = int64(time.Since(began))
	}
}

func heapBytes() uint64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

func runMemory(w *worker) {
	before := heapBytes()
	preload(w, w.n)
	w.bench.perKey = (float64(heapBytes()) - float64(before)) / float64(w.n)
	runtime.KeepAlive(w.peer)
}

const million = 1000000

var rows = []row{
	{"LoadMostlyHits", 5 * million, fillAndPrime(1023), load1024, ""},
	{"LoadMostlyMisses", 5 * million, fillAndPrime(1), load1024, ""},
	{"LoadOrStoreBalanced", million, fillAndPrime(128), loadOrStoreBalanced, ""},
	{"LoadOrStoreUnique", million, nil, each(func(w *worker, i int) { w.peer.LoadOrStore(i, i) }), ""},
	{"LoadOrStoreCollision", 5 * million, key0, each(func(w *worker, i int) { w.peer.LoadOrStore(0, 0) }), ""},
	{"LoadAndDeleteBalanced", million, fillAndPrime(128), each(func(w *worker, i int) {
		if j := i % 256; j < 128 {
			w.peer.LoadAndDelete(j)
		} else {
			w.peer.LoadAndDelete(i)
		}
	}), ""},
	{"LoadAndDeleteUnique", 5 * million, nil, each(func(w *worker, i int) { w.peer.LoadAndDelete(i) }), ""},
	{"LoadAndDeleteCollision", 2 * million, key0, each(func(w *worker, i int) {
		if _, loaded := w.peer.LoadAndDelete(0); loaded {
			w.peer.Store(0, 0)
		}
	}), ""},
	{"Range", 20000, store1024, each(func(w *worker, i int) {
		w.peer.Range(func(_, v any) bool { w.sum += v.(int); return true })
	}), ""},
	{"AdversarialAlloc", million, nil, adversarialAlloc, ""},
	{"AdversarialDelete", million, store1024, adversarialDelete, ""},
	{"DeleteCollision", 5 * million, key0, each(func(w *worker, i int) { w.peer.Delete(0) }), ""},
	{"SwapCollision", 5 * million, key0, func(w *worker) {
		peer := w.peer.(Swapper)
		for i := 0; i < w.n; i++ {
			peer.Swap(0, 0)
		}
	}, "swap"},
	{"SwapMostlyHits", 5 * million, fillAndPrime(1023), swapMostly(1023), "swap"},
	{"SwapMostlyMisses", million, fillAndPrime(1), swapMostly(1), "swap"},
	{"CompareAndSwapCollision", 5 * million, key0, func(w *worker) {
		peer := w.peer.(Swapper)
		for i := 0; i < w.n; i++ {
			if peer.CompareAndSwap(0, 0, 42) {
				peer.CompareAndSwap(0, 42, 0)
			}
		}
	}, "swap"},
	{"CompareAndSwapNoExistingKey", 5 * million, nil, each(func(w *worker, i int) {
		if w.peer.(Swapper).CompareAndSwap(i, 0, 0) {
			w.peer.Delete(i)
		}
	}), "swap"},
	{"CompareAndSwapValueNotEqual", 5 * million, key0, func(w *worker) {
		peer := w.peer.(Swapper)
		for i := 0; i < w.n; i++ {
			peer.CompareAndSwap(0, 1, 2)
		}
	}, "swap"},
	{"CompareAndSwapMostlyHits", 5 * million, fillAndPrime(1023), compareAndSwapMostly(1023), "swap"},
	{"CompareAndSwapMostlyMisses", 5 * million, fillAndPrime(1), compareAndSwapMostly(1), "swap"},
	{"CompareAndDeleteCollision", 5 * million, key0, func(w *worker) {
		peer := w.peer.(Swapper)
		for i := 0; i < w.n; i++ {
			if peer.CompareAndDelete(0, 0) {
				peer.Store(0, 0)
			}
		}
	}, "swap"},
	{"CompareAndDeleteMostlyHits", 5 * million, fillAndPrime(1023), compareAndDeleteMostly(1023), "swap"},
	{"CompareAndDeleteMostlyMisses", 5 * million, fillAndPrime(1), compareAndDeleteMostly(1), "swap"},
	{"Clear", million, nil, each(func(w *worker, i int) {
		w.peer.(Clearer).Clear()
		w.peer.Store(i%256, i%256)
	}), "clear"},
	{"a", 2 * million, prepare64k, mix(keys64k, 100), ""},
	{"b", 2 * million, prepare1m, mix(keys1m, 10), ""},
	{"c", 2 * million, prepareC, runC, ""},
	{"d1", million, nil, each(func(w *worker, i int) { w.peer.Store(i, i) }), ""},
	{"d2", million, nil, each(func(w *worker, i int) {
		w.peer.Store(i, i)
		if v, ok := w.peer.Load(i); ok {
			w.sum += v.(int)
		}
	}), ""},
	{"g", million, nil, runG, ""},
	{"f", 200, prepare64k, runF, ""},
	{"GrowLatency", million, nil, timedStores(0), ""},
	{"WorstStore", 1000, prepare1m, timedStores(keys1m), ""},
	{"WorstLoad", 2 * million, prepareHalf, runWorstLoad, ""},
	{"WorstLoad1k", 2000, prepareHalf, runWorstLoad, ""},
	{"Memory", keysFull, nil, runMemory, ""},
}

func hasLatencies(name string) bool {
	return name == "GrowLatency" || strings.HasPrefix(name, "Worst")
}

func isSingle(name string) bool {
	return hasLatencies(name) || name == "Memory"
}

func newPeer(name string) Peer {
	switch name {
	case "syncmap":
		return new(sync.Map)
	case "rwmap":
		return &rwMap{m: map[any]any{}}
	}
	return nil
}

func (b *bench) can(peer Peer) bool {
	switch b.row.needs {
	case "swap":
		_, ok := peer.(Swapper)
		return ok
	case "clear":
		_, ok := peer.(Clearer)
		return ok
	}
	return true
}

func (b *bench) measure(peer Peer, ops int) []worker {
	workers := make([]worker, b.threads)
	for i := range workers {
		workers[i] = worker{bench: b, peer: peer, index: i, first: i * ops,
			n: ops / b.threads, random: uint64(i)*0x632be59bd9b4e019 + 1}
	}
	if b.row.prepare != nil {
		b.row.prepare(&workers[0])
	}
	if isSingle(b.row.name) {
		b.latency = make([]int64, ops)
	}
	runtime.GC()
	start := make(chan struct{})
	var ready, done sync.WaitGroup
	ready.Add(b.threads)
	done.Add(b.threads)
	for i := range workers {
		go func(w *worker) {
			ready.Done()
			<-start
			w.done = w.n
			if b.row.name == "f" {
				w.done = 0
			}
			w.began = time.Now()
			b.row.run(w)
			w.ended = time.Now()
			done.Done()
		}(&workers[i])
	}
	ready.Wait()
	close(start)
	done.Wait()
	return workers
}

func (b *bench) report(name string, workers []worker) {
	var began, ended time.Time
	ops, sum := 0, 0
	for i := range workers {
		w := &workers[i]
		ops += w.done
		sum += w.sum
		if w.done == 0 {
			continue
		}
		if began.IsZero() || w.began.Before(began) {
			began = w.began
		}
		if w.ended.After(ended) {
			ended = w.ended
		}
	}
	took := ended.Sub(began)
	if b.row.name == "f" {
		took = workers[0].walked
	}
	if b.row.name == "Memory" {
		ops = 1
	}
	fmt.Printf(`{"peer": "%s", "row": "%s", "threads": %d, "ops": %d, "ns_per_op": %.3f, "sum": %d`,
		name, b.row.name, b.threads, ops, float64(took)/float64(ops), sum)
	if n := len(b.latency); n > 0 && b.row.name != "Memory" {
		sort.Slice(b.latency, func(i, j int) bool { return b.latency[i] < b.latency[j] })
		fmt.Printf(`, "p50": %d, "p99": %d, "p99.9": %d, "max": %d`, b.latency[n/2],
			b.latency[n*99/100], b.latency[n*999/1000], b.latency[n-1])
	}
	if b.perKey != 0 {
		fmt.Printf(`, "bytes_per_key": %.1f`, b.perKey)
	}
	if b.writes != 0 {
		fmt.Printf(`, "writes_per_s": %.0f`, float64(b.writes)*1e9/float64(took))
	}
	fmt.Println("}")
}

func fail() {
	fmt.Fprintln(os.Stderr, "usage: peer-go syncmap|rwmap --list | ROW [THREADS [OPERATIONS]]")
	os.Exit(2)
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		fail()
	}
	return n
}

func main() {
	args := os.Args[1:]
	if len(args) < 2 || newPeer(args[0]) == nil {
		fail()
	}
	version := strings.TrimPrefix(runtime.Version(), "go")
	if i := strings.LastIndex(version, "."); strings.Count(version, ".") > 1 {
		version = version[:i]
	}
	name := "go" + version + "-" + args[0]
	for _, r := range rows {
		b := &bench{row: r, threads: 1}
		peer := newPeer(args[0])
		switch {
		case args[1] == "--list":
			if b.can(peer) {
				kind := "any"
				if isSingle(r.name) {
					kind = "single"
				}
				fmt.Println(r.name, kind)
			}
		case args[1] == r.name && b.can(peer):
			ops := r.ops
			if len(args) > 2 && !isSingle(r.name) {
				b.threads = number(args[2])
			}
			if len(args) > 3 {
				ops = number(args[3])
			}
			runtime.GOMAXPROCS(b.threads)
			b.report(name, b.measure(peer, ops))
			return
		}
	}
	if args[1] != "--list" {
		fail()
	}
}
