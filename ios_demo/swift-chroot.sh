#!/usr/bin/env bash
# Swift on a Linux machine that has none: a Debian 13 root, made once outside the checkout.
#
#   ios_demo/swift-chroot.sh              make it; does nothing where it is whole already
#   ios_demo/swift-chroot.sh --is-made    say by the exit status whether it is whole; makes nothing
#   ios_demo/swift-chroot.sh COMMAND ...  run a command in it, in this folder, with the same paths as outside
#
# Needs root, debootstrap and the right to mount in a namespace of its own. ANYIR_SWIFT_ROOT names another place.
set -euo pipefail

root=${ANYIR_SWIFT_ROOT:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/anyir/swift-debian13}
mirror=${ANYIR_DEBIAN_MIRROR:-http://deb.debian.org/debian}
packages=(swiftlang libstdc++-14-dev libpng-dev libjpeg62-turbo-dev)
# The stamp names what is in the root, so that another list makes it anew.
stamp="trixie ${packages[*]}"

fail() {
    echo "swift-chroot: $*" >&2
    exit 1
}

# enter FOLDERS COMMAND ...: runs a command in the root, with these folders (colons between) of outside. The mounts
# live in a namespace of their own: they end with the command, and nothing outside sees them.
enter() {
    unshare --mount --propagation private bash -euc '
        root=$1 folders=$2; shift 2
        mount --bind /proc "$root/proc"
        mount --rbind /dev "$root/dev"
        IFS=:
        for folder in $folders; do
            mkdir -p "$root$folder"
            mount --bind "$folder" "$root$folder"
        done
        exec chroot "$root" "$@"
    ' enter "$root" "$@"
}

is_whole() { [ "$(cat "$root/.anyir" 2>/dev/null)" = "$stamp" ]; }

make_root() {
    [ "$(uname -s)" = Linux ] || fail "a Debian root is for Linux; on macOS, Xcode brings Swift"
    [ "$(id -u)" = 0 ] || fail "making a Debian root needs root; install Swift 6 on the PATH instead"
    command -v debootstrap >/dev/null || fail "debootstrap is not installed (Debian: apt-get install debootstrap)"
    unshare --mount true 2>/dev/null || fail "this machine does not let root mount (a container without CAP_SYS_ADMIN)"
    rm -rf --one-file-system "$root"
    mkdir -p "$root"
    echo "swift-chroot: making a Debian 13 root with Swift in $root (about 2 minutes, 3 GB)" >&2
    debootstrap --variant=minbase --include=ca-certificates trixie "$root" "$mirror" >"$root.log" 2>&1 ||
        fail "debootstrap failed: $(tail -n 1 "$root.log") (all of it: $root.log)"
    cp /etc/resolv.conf "$root/etc/resolv.conf"
    enter "" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" \
        >>"$root.log" 2>&1 || fail "apt-get failed: $(tail -n 1 "$root.log") (all of it: $root.log)"
    enter "" apt-get clean
    echo "$stamp" >"$root/.anyir"
}

if [ "${1:-}" = --is-made ]; then is_whole && exit 0 || exit 1; fi
mkdir -p "$(dirname "$root")"
exec 9>"$root.lock"
flock 9 # one that is being made is waited for
is_whole || make_root
exec 9>&-
[ $# -eq 0 ] && exit 0
here=$(cd "$(dirname "$0")/.." && pwd)
enter "$here:/tmp" env --chdir="$PWD" "$@"
