#!/usr/bin/env bash
# Everything that can be checked of the iOS app on this machine: `make ios-test` calls it.
#
#   ios_demo/check.sh ARTIFACTS
#   ios_demo/check.sh --is-ready   say by the exit status whether there is a Swift; makes nothing
#
# ARTIFACTS is what tests/helpers/make_ios_artifacts.py made. Takes the `swift` on the PATH, else the Debian 13 root of
# swift-chroot.sh where there is one or one can be made; ANYIR_SWIFT=chroot takes that in any case.
set -euo pipefail
[ $# -eq 1 ] || { echo "usage: $0 ARTIFACTS | --is-ready" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)

# Swift 6, on the PATH or in the root.
inside=("$here/swift-chroot.sh")
if [ "${ANYIR_SWIFT:-}" != chroot ] && swift --version 2>/dev/null | grep -qE 'Swift version ([6-9]|[1-9][0-9])\.'; then
    inside=()
fi
if [ "$1" = --is-ready ]; then
    [ ${#inside[@]} -eq 0 ] || "${inside[@]}" --is-made
    exit
fi
artifacts=$(cd "$1" && pwd)
cd "$here"
if [ ${#inside[@]} -gt 0 ] && ! "${inside[@]}"; then
    echo "The iOS app's tests did NOT run: they need Swift 6 on the PATH, or what the line above says." >&2
    exit 1
fi

packages=$(echo ../.venv/lib/python3.*/site-packages)
export ANYIR_ARTIFACTS=$artifacts
if [ -d "$packages/executorch" ]; then
    ANYIR_PACKAGES=$(cd "$packages" && pwd)
    export ANYIR_PACKAGES
else
    echo "ios: no Python environment; the tests that run real programs are left out" >&2
fi

# LiteRT says much of no interest; what swift-testing says of tests that passed is of none either.
quietly() {
    local log=$1
    shift
    if "$@" >"$log" 2>&1; then return; fi
    grep -vE '^(INFO|WARNING): \[|✔|◇|^\[[0-9]+/[0-9]+\]' "$log" >&2 || true
    echo "ios: $* failed; all of it: $PWD/$log" >&2
    return 1
}

# Those that ran: skipped ones are not among them.
count() { grep -cE '✔ Test [^ ]+\(.*\) passed' "$1"; }

mkdir -p .build
"${inside[@]}" swift format lint --strict --recursive AnyIRKit/Package.swift AnyIRKit/Sources AnyIRKit/Tests
# The app's own files are checked by the script beside them.
./check_app.sh "${inside[@]}"

cd AnyIRKit
swift=("${inside[@]}" swift)
quietly ../.build/build.log "${swift[@]}" build --build-tests
quietly ../.build/test.log "${swift[@]}" test --skip-build
echo "AnyIRKit: $(count ../.build/test.log) tests passed"

# Data races, without real programs: the runtimes' libraries know nothing of the sanitizer.
unset ANYIR_PACKAGES ANYIR_ARTIFACTS
quietly ../.build/thread.log "${swift[@]}" test --sanitize=thread --scratch-path .build/thread \
    --filter 'AnyIRCoreTests|AnyIRStateTests'
echo "AnyIRKit: $(count ../.build/thread.log) tests passed with the thread sanitizer"
