package sizes

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// BenchmarkAnalyze analyses the fixture, programs of the toolchain, and what
// MINTMARK_BENCH_SIZE names (separated by the system's list separator).
func BenchmarkAnalyze(b *testing.B) {
	files := []string{fixture(b, build{"local", "linux/amd64", true, ""})}
	root := goroot(b, "local")
	for _, p := range []string{"bin/go", "pkg/tool/linux_amd64/compile"} {
		files = append(files, filepath.Join(root, filepath.FromSlash(p)))
	}
	if v := os.Getenv("MINTMARK_BENCH_SIZE"); v != "" {
		files = append(files, strings.Split(v, string(os.PathListSeparator))...)
	}
	for _, file := range files {
		st, err := os.Stat(file)
		if err != nil {
			continue // another system's toolchain
		}
		b.Run(filepath.Base(file), func(b *testing.B) {
			b.SetBytes(st.Size())
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Analyze(b.Context(), file, Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
