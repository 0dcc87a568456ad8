package lint

import (
	"strings"
	"testing"

	"github.com/mintmark/mintmark/builds/plan"
)

// What is as it should be is no warning.
func TestModuleWarnings(t *testing.T) {
	t.Parallel()
	healthy := &plan.Dependencies{
		Modules: []plan.Dependency{
			{Path: "example.com/a", Version: "v1.0.0", Use: plan.UseLinked, Packages: 2, License: plan.LicenseUnknown},
			{Path: "example.com/t", Version: "v1.0.0", Use: plan.UseTests},
			{Path: "example.com/g", Version: "v1.0.0", Use: plan.UseTools, Indirect: true},
			{Path: "example.com/n", Version: "v1.0.0", Use: plan.UseNone, Indirect: true, Deprecated: "of somebody else's imports"},
		},
		Vendor: &plan.Vendor{Packages: 2, Idle: []plan.IdlePackage{{Path: "example.com/t", Bytes: 9}}},
	}
	if got := moduleWarnings(healthy); got != nil {
		t.Errorf("healthy: %q", got)
	}
	ill := &plan.Dependencies{
		Tidy: "diff current/go.mod tidy/go.mod\n--- current/go.mod\n+++ tidy/go.mod\n@@ -1,2 +1,2 @@\n module x\n-require example.com/u v1.0.0\n+require example.com/v v1.0.0\n",
		Modules: []plan.Dependency{
			{Path: "example.com/m", Version: "v1.2.3", Use: plan.UseLinked, Majors: []string{"example.com/m/v2"}, Retracted: []string{"broken"}},
			{Path: "example.com/m/v2", Version: "v2.0.0", Use: plan.UseLinked, Majors: []string{"example.com/m"}, Replaced: "example.com/fork/v2@v2.0.1", Deprecated: "use v3"},
		},
		Vendor: &plan.Vendor{Differs: []plan.VendorDiffer{{File: "vendor/x", How: "missing"}}},
	}
	got := moduleWarnings(ill)
	for i, want := range []string{
		"makes of it: -require example.com/u v1.0.0, +require example.com/v v1.0.0; run go mod tidy",
		"example.com/m v1.2.3 is retracted by its author: broken",
		"several major versions of one module: example.com/m, example.com/m/v2;",
		"example.com/m/v2 is deprecated by its author: use v3",
		"replaces example.com/m/v2 with example.com/fork/v2@v2.0.1:",
		"vendor/x (missing); run go mod vendor",
	} {
		if i >= len(got) || !strings.Contains(got[i], want) {
			t.Fatalf("warning %d: want %q in %q", i, want, got)
		}
	}
	if len(got) != 6 {
		t.Errorf("%d warnings: %q", len(got), got)
	}
}
