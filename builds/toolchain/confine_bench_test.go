package toolchain

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/mintmark/mintmark/internal/confine"
)

// BenchmarkConfined is what confinement costs a go build in processor time, user
// and system: built with and without, in turns, and the medians compared.
//
//	go test ./builds/toolchain -run '^$' -bench Confined -benchtime 5x
//
// link is a program that is compiled already and is only linked again; compile
// is everything below this repository's profiles, compiled from an empty cache.
func BenchmarkConfined(b *testing.B) {
	goCmd, _ := runningGo(b)
	repository, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		b.Fatal(err)
	}
	for _, tt := range []struct {
		name, pkg string
		cold      bool
	}{{"link", "./cmd/mintmark", false}, {"compile", "./profiles", true}} {
		b.Run(tt.name, func(b *testing.B) {
			place := testPlace(b)
			place.ModCache = os.Getenv("GOMODCACHE")
			if place.ModCache == "" {
				home, err := os.UserHomeDir()
				if err != nil {
					b.Fatal(err)
				}
				place.ModCache = filepath.Join(home, "go", "pkg", "mod")
			}
			build := func(limits confine.Limits) time.Duration {
				out := filepath.Join(place.Tmp, "out")
				if tt.cold {
					place.GoCache = filepath.Join(place.Tmp, "cache")
				}
				if err := os.MkdirAll(place.GoCache, 0o755); err != nil {
					b.Fatal(err)
				}
				res, err := Run(context.Background(), Command{Path: goCmd, Args: []string{"build", "-p=2", "-buildvcs=false", "-o", out, tt.pkg},
					Dir: repository, Env: place.Env([]string{"CGO_ENABLED=0"}, "off"), Confine: limits})
				if err != nil {
					b.Fatal(err)
				}
				if limits.Waived == "" && !res.Confined.Held() {
					b.Skip(res.Confined)
				}
				os.Remove(out)
				if tt.cold {
					os.RemoveAll(place.GoCache)
				}
				return res.CPU
			}
			free := confine.Limits{Waived: "for comparison"}
			if !tt.cold {
				build(free)
			}
			var with, without []float64
			for b.Loop() {
				without = append(without, build(free).Seconds())
				with = append(with, build(place.Confine()).Seconds())
			}
			slices.Sort(with)
			slices.Sort(without)
			b.ReportMetric(without[len(without)/2], "cpu-s-free")
			b.ReportMetric(with[len(with)/2], "cpu-s-confined")
			b.ReportMetric(100*(with[len(with)/2]/without[len(without)/2]-1), "%more")
			b.ReportMetric(100*(with[0]/without[0]-1), "%more-of-the-least")
		})
	}
}
