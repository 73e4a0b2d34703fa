#!/usr/bin/env bash
# Compiles the app's files on Linux in Swift 6 mode, against stubs of Apple's frameworks, and runs its tests.
#
#   ios_demo/check_app.sh              all of it
#   ios_demo/check_app.sh build        compile only
#
# Uses the swift on the PATH; without one, a Debian root that swift-chroot.sh makes.
set -euo pipefail
cd "$(dirname "$0")/.."

swift=(swift)
command -v swift >/dev/null || swift=(ios_demo/swift-chroot.sh swift)
"${swift[@]}" "${1:-test}" --package-path ios_demo/Stubs --scratch-path "${ANYIR_SWIFT_BUILD:-build/ios-app}"
