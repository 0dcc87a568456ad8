// Command record makes the CPU profiles beside it, which the tests use: what a
// machine samples is another thing every time. Each runs for a second or two:
//
//	go build -trimpath -o /tmp/record ./internal/pgo/testdata/record
//	/tmp/record sort > internal/pgo/testdata/sort.pprof
//	/tmp/record text > internal/pgo/testdata/text.pprof
//
// sort calls itself from two places, one of which is compiled twice, so that one
// line has several addresses; text has calls that are inlined, and the runtime's.
package main

import (
	"log"
	"os"
	"runtime/pprof"
	"slices"
	"strings"
	"time"
)

//go:noinline
func hotSort() {
	list := make([]int, 200_000)
	for i := range list {
		list[i] = i * 7919 % 100_003
	}
	slices.SortFunc(list, func(a, b int) int { return a - b })
	quick(list[:500], 0)
	for i := range list {
		list[i] = i * 104729 % 99_991
	}
	for i := 0; i+500 <= len(list); i += 500 {
		quick(list[i:i+500], 0)
	}
}

// quick calls itself twice in one line, and the compiler makes two calls of it.
func quick(list []int, depth int) int {
	if len(list) < 2 || depth > 200 {
		return spin(list)
	}
	pivot, low := list[len(list)/2], 0
	for i := range list {
		if list[i] < pivot {
			list[i], list[low] = list[low], list[i]
			low++
		}
	}
	low = min(max(low, 1), len(list)-1)
	return quick(list[:low], depth+1) + quick(list[low:], depth+1)
}

// spin is inlined.
func spin(list []int) (sum int) {
	for range 8 {
		for _, v := range list {
			sum += v
		}
	}
	return sum
}

//go:noinline
func hotText() {
	var b strings.Builder
	for i := range 100_000 {
		b.WriteString(strings.Repeat("x", i%17))
	}
	_ = strings.ToUpper(b.String())
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: record sort|text")
	}
	work, ok := map[string]func(){"sort": hotSort, "text": hotText}[os.Args[1]]
	if !ok {
		log.Fatalf("%s: no such work", os.Args[1])
	}
	if err := pprof.StartCPUProfile(os.Stdout); err != nil {
		log.Fatal(err)
	}
	for start := time.Now(); time.Since(start) < 1200*time.Millisecond; {
		work()
	}
	pprof.StopCPUProfile()
}
