package fact

import (
	"slices"
	"strings"
	"testing"
)

// TestPackageNames: what nfpm's ConventionalFileName gives, but for the tilde.
func TestPackageNames(t *testing.T) {
	for _, tt := range []struct{ format, platform, version, release, want string }{
		{Deb, "linux/amd64", "1.0.0", "1", "greet_1.0.0_amd64.deb"},
		{Deb, "linux/amd64", "1.0.0", "2", "greet_1.0.0-2_amd64.deb"},
		{Deb, "linux/amd64/v3", "1.1.0-rc.1", "1", "greet_1.1.0-rc.1_amd64.deb"},
		{Deb, "linux/arm", "1.0.0+b.2", "1", "greet_1.0.0+b.2_armhf.deb"},
		{Deb, "linux/arm/5", "1.0.0", "1", "greet_1.0.0_armel.deb"},
		{Deb, "linux/arm/7,softfloat", "1.0.0", "1", "greet_1.0.0_armel.deb"},
		{Deb, "linux/mipsle/softfloat", "1.0.0", "1", "greet_1.0.0_mipsel.deb"},
		{RPM, "linux/amd64", "1.0.0", "1", "greet-1.0.0-1.x86_64.rpm"},
		{RPM, "linux/386", "1.1.0-rc.1", "3", "greet-1.1.0_rc.1-3.i386.rpm"},
		{RPM, "linux/arm/6", "1.0.0", "1", "greet-1.0.0-1.armv6hl.rpm"},
		{APK, "linux/arm64", "1.0.0", "1", "greet_1.0.0_aarch64.apk"},
		{APK, "linux/arm/6", "1.1.0-rc.1", "2", "greet_1.1.0_rc1-r2_armhf.apk"},
		{ArchLinux, "linux/amd64", "1.0.0", "1", "greet-1.0.0-1-x86_64.pkg.tar.zst"},
		{ArchLinux, "linux/arm/7", "1.1.0-rc.1", "1", "greet-1.1.0rc.1-1-armv7h.pkg.tar.zst"},
	} {
		p := &Packages{Name: "greet", Version: tt.version, Release: tt.release}
		got := p.PackageName(tt.format, tt.platform)
		if got != tt.want || PackageFormat(got) != tt.format || NotUploaded(got) != "" {
			t.Errorf("%+v: %s, format %q, %s", tt, got, PackageFormat(got), NotUploaded(got))
		}
	}
	for _, platform := range []string{"windows/amd64", "darwin/arm64", "freebsd/amd64", "linux/sparc64"} {
		for _, format := range PackageFormats() {
			if arch := PackageArch(format, platform); arch != "" {
				t.Errorf("%s has packages for %s: %s", format, platform, arch)
			}
		}
	}
	if arch := PackageArch(APK, "linux/arm/5"); arch != "" {
		t.Errorf("Alpine has %s", arch)
	}
}

// TestPackageVersions: what each format orders in the right way.
func TestPackageVersions(t *testing.T) {
	for _, tt := range []struct{ version, deb, rpm, apk, arch string }{
		{"1.2.3", "1.2.3", "1.2.3", "1.2.3", "1.2.3"},
		{"2026.11.3", "2026.11.3", "2026.11.3", "2026.11.3", "2026.11.3"},
		{"1.2.3-rc.1", "1.2.3~rc.1", "1.2.3~rc.1", "1.2.3_rc1", "1.2.3rc.1"},
		{"1.2.3-beta2", "1.2.3~beta2", "1.2.3~beta2", "1.2.3_beta2", "1.2.3beta2"},
		{"1.2.3-dev-x", "1.2.3~dev.x", "1.2.3~dev_x", "1.2.3_pre_git", "1.2.3dev_x"},
		{"1.2.4-0.20260102030405-abcdefabcdef", "1.2.4~0.20260102030405.abcdefabcdef", "1.2.4~0.20260102030405_abcdefabcdef", "1.2.4_pre20260102030405_git", "1.2.4pre0.20260102030405_abcdefabcdef"},
		{"1.2.3+dirty", "1.2.3+dirty", "1.2.3+dirty", "1.2.3_git", "1.2.3+dirty"},
	} {
		for format, want := range map[string]string{Deb: tt.deb, RPM: tt.rpm, APK: tt.apk, ArchLinux: tt.arch} {
			v := PackageVersionOf(format, tt.version)
			got := v.Version
			if v.Prerelease != "" {
				got += "~" + v.Prerelease
			}
			if v.Metadata != "" {
				got += "+" + v.Metadata
			}
			if got != want {
				t.Errorf("%s of %s: %s, want %s", format, tt.version, got, want)
			}
		}
	}
}

// TestPackageArtifacts: packages hold the last stage of every program, under the names
// that archives give them, and files; links and directories are no members.
func TestPackageArtifacts(t *testing.T) {
	u := UnitShape{
		Platform: "linux/amd64", Archives: []string{Zip}, Name: "x", Packed: true,
		Mains: []Main{{Package: "a", Binary: "a"}, {Package: "b", Binary: "b", Path: "bin/two"}},
		Packages: &Packages{Formats: []string{Deb, RPM}, Name: "x", Version: "1.0.0", Release: "1", Bin: "/usr/bin", Contents: []PackageContent{
			{Src: "c", Dst: "/etc/c", Type: ContentConfig, Mode: "0600"}, {Type: ContentSymlink, Src: "a", Dst: "/usr/bin/z"}, {Type: ContentDir, Dst: "/var/x"},
		}},
	}
	all := u.Artifacts()
	if n := len(all); n != 7 {
		t.Fatalf("%d artifacts: %+v", n, all)
	}
	e := all[5]
	if e.Stage != PackageStage || !e.Published || e.Name != "x_1.0.0_amd64.deb" || !slices.Equal(e.From, []int{1, 3}) ||
		!slices.Equal(e.Members, []string{"usr/bin/a", "usr/bin/two", "etc/c"}) || !slices.Equal(e.Modes, []string{"0755", "0755", "0600"}) {
		t.Errorf("%+v", e)
	}
	data := `{"project":"x","version":"1.0.0","go":"go1.26.8","source":{"kind":"git","module":"m","version":"v1.0.0","sum":"s","commit_time":"t"},"units":[{"profile":"p","platform":"linux/amd64","flags":null,"mains":[{"package":"a","binary":"a"}],"archive":"zip","name":"x","packages":PACKAGES}]}`
	good := `{"formats":["deb"],"name":"x","version":"1.0.0","release":"1","bindir":"/usr/bin","contents":[{"type":"dir","dst":"/var/x"}]}`
	p, err := ReadPlan([]byte(strings.Replace(data, "PACKAGES", good, 1)))
	if err != nil || p.Units[0].Packages == nil || len(p.Units[0].Packages.Contents) != 1 {
		t.Errorf("%v: %+v", err, p)
	}
	for from, to := range map[string]string{
		`["deb"]`: `["deb","deb"]`, `"deb"`: `"msi"`, `"name":"x",`: ``, `"dir"`: `"fifo"`, `["deb"],`: `[],`, `"dst":"/var/x"`: `"dst":null`,
	} {
		if _, err := ReadPlan([]byte(strings.Replace(data, "PACKAGES", strings.Replace(good, from, to, 1), 1))); err == nil {
			t.Errorf("%s in the place of %s is no error", to, from)
		}
	}
}
