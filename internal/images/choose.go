package images

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/mintmark/mintmark/builds/archive"
	"github.com/mintmark/mintmark/internal/channels"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/profiles"
)

// Release is what images are told of.
type Release struct {
	channels.Release
	Commit   string // full hash; "" for none
	Module   string // path
	Licenses []string
}

// ReleaseOf is a release of which no more is known than what decides which images it has.
func ReleaseOf(project, version string, when time.Time, offers []channels.Offer) *Release {
	return &Release{Release: channels.Release{Project: project, Version: version, Time: when, Offers: offers}}
}

// Image is an image that can be made.
type Image struct {
	settings  *fact.Image
	release   *Release
	platforms []chosen
	base      *fact.ImageRef
}

// chosen is what an image has of one platform.
type chosen struct {
	profile  string
	platform profiles.Platform
	as       Platform
	programs []program
}

// program is a program of an image, and where it is taken from.
type program struct {
	channels.Program
	file   string // published
	format string // of the file, or [fact.NoArchive]
	path   string // in the image, without the slash at the beginning
}

// Plan says which images a release has, in their order, and finds all that is wrong with
// them before anything is built: each a [channels.Wrong] where it is the profile file's.
func Plan(list []fact.Image, r *Release) (all []Image, err error) {
	var errs []error
	for n := range list {
		s := &list[n]
		i := Image{settings: s, release: r}
		i.platforms, err = choose(s, r)
		errs = append(errs, err)
		if s.Base != "" {
			ref, why := fact.ParseImageRef(s.Base)
			if why != "" {
				errs = append(errs, &channels.Wrong{Key: s.Key("base"), Err: errors.New(why)})
			}
			i.base = &ref
		}
		if err == nil {
			errs = append(errs, i.check())
		}
		if slices.ContainsFunc(all, func(o Image) bool { return strings.EqualFold(o.settings.Name, s.Name) }) {
			errs = append(errs, &channels.Wrong{Key: s.Key(""), Err: fault.Errorf("give one of them another name", "another image's name differs in case only")})
		}
		all = append(all, i)
	}
	return all, errors.Join(append(errs, checkTags(all))...)
}

// Of is the image of a release of which more is known than when it was planned: what
// decides which images there are is the same.
func (i *Image) Of(r *Release) *Image {
	out := *i
	out.release = r
	out.platforms, _ = choose(i.settings, r)
	return &out
}

// Name is the image's file in a release.
func (i *Image) Name() string { return i.settings.File() }

// Base is the image that it begins with; nil for none.
func (i *Image) Base() *fact.ImageRef { return i.base }

// Platforms are those that it is for.
func (i *Image) Platforms() (list []Platform) {
	for _, c := range i.platforms {
		list = append(list, c.as)
	}
	return list
}

// choose is what the image has of each platform.
func choose(s *fact.Image, r *Release) (list []chosen, err error) {
	var errs []error
	wrong := func(word, hint, format string, args ...any) {
		errs = append(errs, &channels.Wrong{Key: s.Key(word), Err: fault.Errorf(hint, format, args...)})
	}
	var all []profiles.Platform
	for _, o := range r.Offers {
		p, err := profiles.ParsePlatform(o.Platform)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(all, p) {
			all = append(all, p)
		}
	}
	selected, idle := profiles.ImagePlatforms(s, all)
	for _, pat := range idle {
		wrong("platforms", "", "no program is published for %q", pat)
	}
	if s.Profile != "" && !slices.ContainsFunc(r.Offers, func(o channels.Offer) bool { return o.Profile == s.Profile }) {
		wrong("profile", "", "profile %q publishes no program", s.Profile)
		return nil, errors.Join(errs...)
	}
	if s.Platforms == nil {
		selected = slices.DeleteFunc(slices.Clone(selected), func(p profiles.Platform) bool { return p.OS != "linux" || !channels.Everywhere(p) })
		if len(selected) == 0 {
			wrong("", "build for linux/amd64, or leave the image out", "no program is published for Linux, of which images are")
		}
	}
	for _, p := range selected {
		as, err := platformOf(p)
		if err != nil {
			wrong("platforms", fault.Hint(err), "%v", err)
			continue
		}
		for _, c := range candidates(s, r, p, as) {
			if n := slices.IndexFunc(list, func(o chosen) bool { return o.as == as }); n >= 0 {
				hint := "say which with profile: " + c.profile
				if list[n].profile == c.profile {
					hint = "say which with platforms: [" + c.platform.String() + ", …]"
				}
				wrong("", hint, "%s: it can be that of profile %s, %s, or of profile %s, %s", as, list[n].profile, list[n].platform, c.profile, c.platform)
				continue
			}
			list = append(list, c)
		}
	}
	for _, name := range s.Programs {
		if !slices.ContainsFunc(list, func(c chosen) bool {
			return slices.ContainsFunc(c.programs, func(p program) bool { return p.Name == name })
		}) && len(errs) == 0 {
			wrong("programs", "known: "+strings.Join(programsOf(s, r), ", "), "there is no program %q", name)
		}
	}
	if len(list) == 0 && len(errs) == 0 {
		wrong("", "", "no program is published for it")
	}
	slices.SortFunc(list, func(a, b chosen) int { return strings.Compare(a.as.String(), b.as.String()) })
	return list, errors.Join(errs...)
}

// programsOf are the names of all programs for Linux that the image could have.
func programsOf(s *fact.Image, r *Release) (names []string) {
	for _, o := range r.Offers {
		if s.Profile != "" && o.Profile != s.Profile || !strings.HasPrefix(o.Platform, "linux/") {
			continue
		}
		for _, p := range o.Programs {
			names = append(names, p.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// candidates are what each profile has for a platform.
func candidates(s *fact.Image, r *Release, p profiles.Platform, as Platform) (list []chosen) {
	for _, o := range r.Offers {
		if o.Platform != p.String() || s.Profile != "" && o.Profile != s.Profile {
			continue
		}
		n := slices.IndexFunc(list, func(c chosen) bool { return c.profile == o.Profile })
		if n < 0 {
			n = len(list)
			list = append(list, chosen{profile: o.Profile, platform: p, as: as})
		}
		if o.Format != fact.NoArchive && len(list[n].programs) > 0 {
			continue // of several archives of one unit, with the same programs, the first will do
		}
		for _, pr := range o.Programs {
			if s.Programs != nil && !slices.Contains(s.Programs, pr.Name) {
				continue
			}
			list[n].programs = append(list[n].programs, program{pr, o.File, o.Format, inImage(path.Join(s.Bin, pr.Name))})
		}
	}
	return slices.DeleteFunc(list, func(c chosen) bool { return len(c.programs) == 0 })
}

// inImage is a path of an image as archives have it.
func inImage(s string) string { return strings.TrimPrefix(s, "/") }

// sources are the files of the commit by their paths in the image.
func (i *Image) sources() map[string]string {
	list := map[string]string{}
	all, _ := i.settings.Sources()
	for to, from := range all {
		list[inImage(to)] = from
	}
	return list
}

// check finds what is wrong with an image whose platforms are known.
func (i *Image) check() error {
	s := i.settings
	var errs []error
	wrong := func(word, hint, format string, args ...any) {
		errs = append(errs, &channels.Wrong{Key: s.Key(word), Err: fault.Errorf(hint, format, args...)})
	}
	var names []string
	for to := range i.sources() {
		names = append(names, to)
	}
	if _, twice := s.Sources(); twice {
		wrong("certificates", "leave out one of them", "%s is one of files too", fact.CertificatesPath)
	}
	for _, c := range i.platforms {
		inside := slices.Clone(names)
		for _, p := range c.programs {
			inside = append(inside, p.path)
		}
		slices.Sort(inside)
		if err := archive.CheckNames(inside); err != nil {
			for _, e := range fault.Leaves(err) {
				wrong("files", "", "%v", e)
			}
			break
		}
	}
	if s.Entrypoint == nil {
		for _, c := range i.platforms {
			if len(c.programs) > 1 {
				p := c.programs[0]
				wrong("", fmt.Sprintf("say which starts, as entrypoint: [/%s], or which are meant, as programs: [%s]", p.path, p.Name), "%s has several programs", c.as)
				break
			}
		}
	}
	return errors.Join(errs...)
}

// maxCertificates bounds a file with certificates: that of all browsers has 250 kB.
const maxCertificates = 16 << 20

// CheckSources finds what is wrong with the files of the commit that go into the image,
// which lie in a directory of the module.
func (i *Image) CheckSources(dir string) error {
	s := i.settings
	var errs []error
	wrong := func(word, hint, format string, args ...any) {
		errs = append(errs, &channels.Wrong{Key: s.Key(word), Err: fault.Errorf(hint, format, args...)})
	}
	const hint = "name a file of the commit, or one that a command of generate makes; what git ignores is in no release"
	for _, to := range slices.Sorted(maps.Keys(s.Files)) {
		f, _, err := openSource(dir, s.Files[to])
		if err != nil {
			wrong("files", hint, "%v", err)
			continue
		}
		f.Close()
	}
	if s.Certificates == "" {
		return errors.Join(errs...)
	}
	f, _, err := openSource(dir, s.Certificates)
	if err != nil {
		wrong("certificates", hint, "%v", err)
		return errors.Join(errs...)
	}
	defer f.Close()
	if data, err := files.ReadAll(f, maxCertificates); err != nil {
		wrong("certificates", hint, "%s: %v", s.Certificates, err)
	} else if err := checkCertificates(data); err != nil {
		wrong("certificates", "write certificates in PEM, and nothing else but comments: https://curl.se/docs/caextract.html has those of Mozilla", "%s: %v", s.Certificates, err)
	}
	return errors.Join(errs...)
}

// checkCertificates accepts what Go programs take for a list of certificates, with
// nothing in it that they pass over.
func checkCertificates(data []byte) error {
	n := 0
	for {
		block, rest := pem.Decode(data)
		if block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return fmt.Errorf("has a block of type %q", block.Type)
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return fmt.Errorf("certificate %d: %w", n+1, err)
		}
		n++
		data = rest
	}
	switch {
	case n == 0:
		return errors.New("has no certificate")
	case bytes.Contains(data, []byte("-----BEGIN")):
		return fmt.Errorf("something behind certificate %d is not read", n)
	}
	return nil
}

// openSource opens a file of a directory with a commit's files, and of nothing outside of
// it, wherever symbolic links lead.
func openSource(dir, name string) (io.ReadCloser, int64, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, 0, err
	}
	defer root.Close()
	f, err := files.OpenIn(root, filepath.FromSlash(name))
	if err != nil {
		if e, ok := errors.AsType[*fs.PathError](err); ok {
			err = e.Err
		}
		if errors.Is(err, fs.ErrNotExist) { // of a checkout, whatever lies in the user's tree
			return nil, 0, fmt.Errorf("%s: not in the commit", name)
		}
		return nil, 0, fmt.Errorf("%s: %w", name, err)
	}
	fi, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, fi.Size(), nil
}
