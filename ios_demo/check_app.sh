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
"$@" swift format lint --strict --recursive App Share Stubs/Package.swift Stubs/Sources Stubs/Tests

if ! "$@" swift test --package-path Stubs --scratch-path "$build" >"$log" 2>&1; then
    grep -vE '✔|◇|^\[[0-9]+/[0-9]+\]' "$log" >&2 || true
    echo "ios: the app's files or tests failed; all of it: $PWD/$log" >&2
    exit 1
fi
echo "The app: $(grep -oE 'Test run with [0-9]+ tests' "$log" | grep -oE '[0-9]+') tests passed"

# plant FILE SED EXPECTED: an error in a copy, and what the compiler must say of it.
planted=$(mktemp -d)
trap 'rm -rf "$planted"' EXIT
apple=AnyIRKit/Sources/AnyIRApple
mkdir -p "$planted/AnyIRKit/Sources"
cp -R App "$planted/App"
cp -R "$apple" "$planted/$apple"
expected=()
plant() {
    sed "$2" "$1" >"$planted/$1"
    if cmp -s "$1" "$planted/$1"; then
        echo "ios: nothing could be planted in $1 by $2" >&2
        exit 1
    fi
    expected+=("$(basename "$1"):.*error: .*$3")
}

plant $apple/CoreML/CoreMLFactory.swift 's/functionName = function/functionNames = function/' "no member 'functionNames'"
plant $apple/CoreML/CompiledModels.swift \
    's/MLModel.compileModel(at: package.url)/MLModel.compileModel(at: package.url.path)/' \
    "cannot convert value of type 'String' to expected argument type 'URL'"
plant $apple/CoreML/Placement.swift 's/\.deviceUsage(for: operation)/.deviceUsage(of: operation)/' \
    'incorrect argument label'
plant App/Photo/PhotoLibrary.swift 's/for: \.addOnly/for: .add/' "no member 'add'"
plant App/Photo/PhotoReader.swift 's/== \.statusComplete/== .complete/' "no member 'complete'"
plant App/Restore/BackgroundTime.swift 's/using: \.main/using: "main"/' "to expected argument type 'DispatchQueue"
plant App/Engines/ExecuTorchEngine.swift 's/module.execute(method, tensors)/module.execute(tensors)/' 'missing argument'
plant App/Views/ModelsView.swift 's/row(_ row: ModelRow) -> some View/row(_ row: ModelRow) -> String/' \
    'cannot convert return'
# Data that two threads would share: only Swift 6's checks find it.
plant App/AppModel.swift 's/send(.progressed(progress))/Task.detached { _ = self.state.handle(.progressed(progress)) }/' \
    'main actor-isolated'

modules=$("$@" swift build --package-path Stubs --scratch-path "$build" --show-bin-path)
typecheck=("$@" swiftc -typecheck -wmo -swift-version 6 -parse-as-library -I "$modules/Modules")
for module in AnyIR:App AnyIRApple:$apple; do
    find "$planted/${module#*:}" -name '*.swift' >"$planted/files"
    if "${typecheck[@]}" -module-name "${module%%:*}" "@$planted/files" >>"$planted/log" 2>&1; then
        echo "ios: the type-check found none of the errors planted in ${module#*:}" >&2
        exit 1
    fi
done
for error in "${expected[@]}"; do
    if ! grep -qE "$error" "$planted/log"; then
        cat "$planted/log" >&2
        echo "ios: the type-check did not find a planted error: $error" >&2
        exit 1
    fi
done
echo "The app: the type-check found all of ${#expected[@]} planted errors"
