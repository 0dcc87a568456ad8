package fact

import "strings"

// Channel is a way by which people get programs: a package manager that reads, in a
// file in its own format, where a release's files are and which digests they have. It
// is the word of profiles.
type Channel string

const (
	Homebrew Channel = "homebrew" // a formula, for macOS and Linux
	Cask     Channel = "cask"     // Homebrew's other form
	Scoop    Channel = "scoop"    // a manifest of a bucket, for Windows
	Winget   Channel = "winget"   // three manifests of Windows Package Manager
	AUR      Channel = "aur"      // a package of Arch Linux that installs what is built
	Krew     Channel = "krew"     // a plugin of kubectl
	NPM      Channel = "npm"      // packages for each platform, and one that chooses
)

// Channels are all of them.
func Channels() []Channel { return []Channel{Homebrew, Cask, Scoop, Winget, AUR, Krew, NPM} }

// Suffixes are how the names of a channel's files end in a release. Without the
// channel's word in it, a name is the one that the channel wants: tool.homebrew.rb is
// tool.rb there.
func (c Channel) Suffixes() []string {
	switch c {
	case Homebrew, Cask:
		return []string{"." + string(c) + ".rb"}
	case Scoop:
		return []string{".scoop.json"}
	case Winget:
		return []string{".winget.yaml", ".winget.installer.yaml", ".winget.locale.en-US.yaml"}
	case AUR:
		return []string{".aur.PKGBUILD", ".aur.SRCINFO"}
	case Krew:
		return []string{".krew.yaml"}
	case NPM:
		return []string{".npm.tgz"}
	}
	return nil
}

// Package reports whether a file of a release is an archive for a channel, which may
// hold programs.
func Package(name string) bool { return channelOf(name) == NPM }

// channelOf is the channel that a file of a release is for; "" for none.
func channelOf(name string) Channel {
	for _, c := range Channels() {
		for _, s := range c.Suffixes() {
			if strings.HasSuffix(fold(name), fold(s)) {
				return c
			}
		}
	}
	return ""
}
