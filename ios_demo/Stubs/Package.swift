// swift-tools-version: 6.0
// Type-checks and tests the app on Linux: its files, unchanged, against stubs of Apple's frameworks. Not for Xcode.
import PackageDescription

let frameworks = ["CoreML"]

let package = Package(
    name: "AppOnLinux",
    dependencies: [.package(path: "../AnyIRKit")],
    targets: frameworks.map { .target(name: $0) } + [
        // App is a link: SwiftPM takes no folder outside the package.
        .executableTarget(
            name: "AnyIR",
            dependencies: frameworks.map { .byName(name: $0) } + [
                .product(name: "AnyIRCore", package: "AnyIRKit"), .product(name: "AnyIRState", package: "AnyIRKit"),
            ],
            path: "App", exclude: [],
            // Debian's libswiftObservation does not link with GNU's linker.
            linkerSettings: [.unsafeFlags(["-use-ld=lld"])]),
        .testTarget(
            name: "AppTests", dependencies: ["AnyIR"], linkerSettings: [.unsafeFlags(["-use-ld=lld"])]),
    ],
    swiftLanguageModes: [.v6]
)
