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
cp -R Share "$planted/Share"
cp -R "$apple" "$planted/$apple"
expected=()
plant() {
    local whole
    whole=$(mktemp -p "$planted")
    cp "$planted/$1" "$whole"
    sed "$2" "$whole" >"$planted/$1"
    if cmp -s "$whole" "$planted/$1"; then
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
plant App/Views/MainView.swift '/func updateUIViewController/d' \
    "does not conform to protocol 'UIViewControllerRepresentable'"
plant App/Views/CompareView.swift 's/\.font(\.caption)/.font("caption")/' "value of type 'String' to expected argument"
plant App/Views/BenchmarkView.swift '/case \.idle: choices/d' 'switch must be exhaustive'
plant App/Views/Panels.swift 's/\.buttonStyle(\.bordered)/.buttonStyle(.rounded)/' "no member 'rounded'"
plant App/Photo/PhotoInbox.swift 's/try await item\.loadTransferable/try item.loadTransferable/' "marked with 'await'"
plant App/Photo/ResultEncoder.swift 's/kCGImageDestinationLossyCompressionQuality/kCGImageLossyQuality/' 'cannot find'
plant App/Photo/PhotoImages.swift 's/return reduced$/return context.makeImage()/' "'CGImage.' must be unwrapped"
plant App/Benchmark/BenchmarkModel.swift 's/isIdleTimerDisabled = true/isIdleTimerDisabled(true)/' 'non-function type'
plant App/AnyIRApp.swift 's/{ earlier, phase in/{ earlier, phase, more in/' 'expects 2 arguments, but 3 were used'
plant $apple/CoreML/HalfArray.swift 's/CVPixelBufferLockBaseAddress(buffer, flags)/CVPixelBufferLockBaseAddress(buffer)/' \
    'missing argument for parameter #2'
plant $apple/Images/Pictures.swift 's/space\.model == \.rgb/space.model == .RGB/' "no member 'RGB'"
plant Share/ShareController.swift 's/\.loadFileRepresentation(/.loadFile(/' "no member 'loadFile'"
# Data that two threads would share: only Swift 6's checks find it.
plant App/Benchmark/ThisDevice.swift 's/await UIDevice\.current/UIDevice.current/' "marked with 'await'"
plant App/Restore/BackgroundTime.swift 's/Task { @MainActor in self?.taskExpires(run: run) }/task.setTaskCompleted(success: false)/' \
    "non-[sS]endable type 'BGContinuedProcessingTask'"
plant App/Restore/Restoration.swift \
    's/let found = Mutex<Need?>(nil)/var found: Need?/; s/found\.withLock { $0 = step.need }/found = step.need/' \
    "mutation of captured var 'found'"
plant App/AppModel.swift 's/send(.progressed(progress))/Task.detached { _ = self.state.handle(.progressed(progress)) }/' \
    'main actor-isolated'

modules=$("$@" swift build --package-path Stubs --scratch-path "$build" --show-bin-path)
typecheck=("$@" swiftc -typecheck -wmo -swift-version 6 -parse-as-library -I "$modules/Modules")
for module in AnyIR:App AnyIRApple:$apple AnyIRShare:Share; do
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
