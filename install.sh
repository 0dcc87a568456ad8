#!/bin/sh
# Installs a prebuilt mintmark on Linux or macOS: finds the archive for this
# machine in a release's checksums.txt, downloads it, compares its SHA-256 with the
# list, and unpacks the program. docs/install.md says what that proves.
#
# Variables:
#   MINTMARK_VERSION  the release, such as v1.2.3; default: the latest
#   MINTMARK_URL      where the files of the release are, instead
#   MINTMARK_BIN      directory for the program; default: $HOME/.local/bin
set -eu

fail() {
	echo "install.sh: $1" >&2
	exit 1
}

# fetch URL FILE downloads, over https unless the user's own URL is another.
fetch() {
	if command -v curl >/dev/null 2>&1; then
		case $1 in
		https://*) curl -fsSL --proto '=https' --proto-redir '=https' -o "$2" "$1" ;;
		*) curl -fsSL -o "$2" "$1" ;;
		esac
	elif command -v wget >/dev/null 2>&1; then
		wget -q -O "$2" "$1"
	else
		fail 'neither curl nor wget is there'
	fi || fail "$1 could not be downloaded"
}

digest() {
	if command -v sha256sum >/dev/null 2>&1; then
		sha256sum <"$1"
	elif command -v shasum >/dev/null 2>&1; then
		shasum -a 256 <"$1"
	elif command -v openssl >/dev/null 2>&1; then
		openssl dgst -sha256 -r <"$1"
	else
		fail 'no sha256sum, shasum or openssl: the download cannot be checked'
	fi | cut -d' ' -f1
}

main() { # called in the last line: half a script does nothing
	case $(uname -s) in
	Linux) os=linux ;;
	Darwin) os=darwin ;;
	*) fail "no prebuilt mintmark for $(uname -s): go install github.com/mintmark/mintmark/cmd/mintmark@latest" ;;
	esac
	case $(uname -m) in
	x86_64 | amd64) arch=amd64 ;;
	aarch64 | arm64) arch=arm64 ;;
	armv6l | armv7l | armv8l) arch=arm_6 ;;
	i386 | i486 | i586 | i686) arch=386 ;;
	*) fail "no prebuilt mintmark for $(uname -m): go install github.com/mintmark/mintmark/cmd/mintmark@latest" ;;
	esac
	releases=https://github.com/mintmark/mintmark/releases
	if [ -n "${MINTMARK_URL:-}" ]; then
		url=${MINTMARK_URL%/}
	elif [ -n "${MINTMARK_VERSION:-}" ]; then
		url=$releases/download/$MINTMARK_VERSION
	else
		url=$releases/latest/download
	fi
	bin=${MINTMARK_BIN:-$HOME/.local/bin}

	tmp=$(mktemp -d)
	new=
	trap 'rm -rf "$tmp"; [ -z "$new" ] || rm -f "$new"' EXIT
	trap 'exit 1' HUP INT TERM

	fetch "$url/checksums.txt" "$tmp/checksums.txt"
	line=$(grep -E "^[0-9a-f]{64}  mintmark_[0-9A-Za-z.+-]+_${os}_${arch}\.tar\.gz\$" "$tmp/checksums.txt") ||
		fail "$url/checksums.txt lists no archive for $os/$arch"
	[ "$(printf '%s\n' "$line" | wc -l)" -eq 1 ] || fail "$url/checksums.txt lists several archives for $os/$arch"
	want=${line%% *}
	name=${line##* }

	fetch "$url/$name" "$tmp/$name"
	got=$(digest "$tmp/$name")
	[ "$got" = "$want" ] || fail "$name has the SHA-256 $got, and checksums.txt says $want: nothing was installed"

	tar -xzf "$tmp/$name" -C "$tmp" mintmark || fail "$name holds no mintmark"
	if [ ! -f "$tmp/mintmark" ] || [ -L "$tmp/mintmark" ]; then fail "$name holds no mintmark"; fi
	mkdir -p "$bin"
	new=$bin/.mintmark.$$
	cp "$tmp/mintmark" "$new"
	chmod 755 "$new"
	mv -f "$new" "$bin/mintmark"
	new=

	echo "$bin/mintmark: out of $name, SHA-256 $got, as $url/checksums.txt says"
	echo 'NOT CHECKED: who made it. The list comes from where the archive comes from;'
	echo 'its signature, and where the key is: https://github.com/mintmark/mintmark/blob/main/docs/install.md'
	case :$PATH: in
	*:"$bin":*) ;;
	*) echo "$bin is not in PATH" ;;
	esac
}

main "$@"
