#!/usr/bin/env bash
# The app's files on Linux: style, Swift 6's type-check against stubs of Apple's frameworks, tests, and whether the
# type-check finds errors that are planted. check.sh calls it.
#
#   ios_demo/check_app.sh [INSIDE ...]    INSIDE: what comes before `swift`, such as ./swift-chroot.sh
set -euo pipefail
cd "$(dirname "$0")"

build=.build/app
log=.build/app.log
mkdir -p "$build"
"$@" swift format lint --strict --recursive App Stubs/Package.swift Stubs/Sources Stubs/Tests

if ! "$@" swift test --package-path Stubs --scratch-path "$build" >"$log" 2>&1; then
    grep -vE '✔|◇|^\[[0-9]+/[0-9]+\]' "$log" >&2 || true
    echo "ios: the app's files or tests failed; all of it: $PWD/$log" >&2
    exit 1
fi
echo "The app: $(grep -oE 'Test run with [0-9]+ tests' "$log" | grep -oE '[0-9]+') tests passed"

# plant FILE SED EXPECTED: an error in a copy of the app, and what the compiler must say of it.
planted=$(mktemp -d)
trap 'rm -rf "$planted"' EXIT
cp -R App "$planted/App"
expected=()
plant() {
    sed "$2" "App/$1" >"$planted/App/$1"
    if cmp -s "App/$1" "$planted/App/$1"; then
        echo "ios: nothing could be planted in App/$1 by $2" >&2
        exit 1
    fi
    expected+=("$(basename "$1"):.*error: .*$3")
}

plant Engines/CoreMLFactory.swift 's/functionName = function/functionNames = function/' "no member 'functionNames'"
plant Engines/CompiledModels.swift 's/MLModel.compileModel(at: package.url)/MLModel.compileModel(at: package.url.path)/' \
    "cannot convert value of type 'String' to expected argument type 'URL'"
plant Engines/Placement.swift 's/\.deviceUsage(for: operation)/.deviceUsage(of: operation)/' 'incorrect argument label'
plant Photo/PhotoLibrary.swift 's/for: \.addOnly/for: .add/' "no member 'add'"
plant Photo/PhotoReader.swift 's/== \.statusComplete/== .complete/' "no member 'complete'"
plant Restore/BackgroundTime.swift 's/using: \.main/using: "main"/' "to expected argument type 'DispatchQueue"
plant Engines/ExecuTorchEngine.swift 's/module.execute(method, tensors)/module.execute(tensors)/' 'missing argument'
plant Views/ModelsView.swift 's/row(_ row: ModelRow) -> some View/row(_ row: ModelRow) -> String/' 'cannot convert return'
# Data that two threads would share: only Swift 6's checks find it.
plant AppModel.swift 's/send(.progressed(progress))/Task.detached { _ = self.state.handle(.progressed(progress)) }/' \
    'main actor-isolated'

modules=$("$@" swift build --package-path Stubs --scratch-path "$build" --show-bin-path)
find "$planted/App" -name '*.swift' >"$planted/files"
if "$@" swiftc -typecheck -wmo -swift-version 6 -parse-as-library -module-name AnyIR -I "$modules/Modules" \
    "@$planted/files" >"$planted/log" 2>&1; then
    echo "ios: the type-check found none of ${#expected[@]} planted errors" >&2
    exit 1
fi
for error in "${expected[@]}"; do
    if ! grep -qE "$error" "$planted/log"; then
        cat "$planted/log" >&2
        echo "ios: the type-check did not find a planted error: $error" >&2
        exit 1
    fi
done
echo "The app: the type-check found all of ${#expected[@]} planted errors"
