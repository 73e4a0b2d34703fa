// swift-tools-version: 6.0
// Type-checks and tests the app on Linux: its files, unchanged, against stubs of Apple's frameworks. Not for Xcode.
import PackageDescription

/// A module each, in Sources, with the stubs that it needs itself.
let frameworks: [String: [String]] = [
    "Accessibility": [], "CoreGraphics": [], "CoreVideo": ["CoreGraphics"], "CoreML": ["CoreVideo"], "os": [],
    "UniformTypeIdentifiers": [], "Photos": [], "BackgroundTasks": [],
    "UIKit": [], "ExecuTorch": [], "ImageIO": ["CoreGraphics"], "CoreTransferable": ["UniformTypeIdentifiers"],
    "SwiftUI": ["CoreGraphics", "CoreTransferable", "UIKit", "UniformTypeIdentifiers"],
    "PhotosUI": ["SwiftUI", "CoreTransferable"],
]

// Debian's libswiftObservation does not link with GNU's linker.
let linking: [LinkerSetting] = [.unsafeFlags(["-use-ld=lld"])]

let package = Package(
    name: "AppOnLinux",
    dependencies: [.package(path: "../AnyIRKit")],
    targets: frameworks.sorted { $0.key < $1.key }.map { name, needs in
        .target(name: name, dependencies: needs.map { .byName(name: $0) })
    } + [
        // App, Share, AnyIRApple and anyir-swift are links: SwiftPM takes no folder outside the package.
        .target(
            name: "AnyIRApple",
            dependencies: [
                "CoreGraphics", "CoreML", "CoreVideo", "ImageIO", .product(name: "AnyIRCore", package: "AnyIRKit"),
            ],
            path: "AnyIRApple"),
        // The command as macOS has it.
        .executableTarget(
            name: "anyir-swift-for-macos",
            dependencies: ["AnyIRApple", .product(name: "AnyIRCore", package: "AnyIRKit")],
            path: "anyir-swift", swiftSettings: [.define("APPLE_STUBS")]),
        .executableTarget(
            name: "AnyIR",
            dependencies: frameworks.keys.sorted().map { .byName(name: $0) } + [
                "AnyIRApple", .product(name: "AnyIRCore", package: "AnyIRKit"),
                .product(name: "AnyIRState", package: "AnyIRKit"),
            ],
            path: "App",
            exclude: [
                "AnyIR.entitlements", "Assets.xcassets", "Info.plist", "Localizable.xcstrings", "PrivacyInfo.xcprivacy",
                "sample.jpg",
            ], linkerSettings: linking),
        // The share extension, which is no executable: the system loads it.
        .target(
            name: "AnyIRShare",
            dependencies: ["UIKit", "UniformTypeIdentifiers", .product(name: "AnyIRState", package: "AnyIRKit")],
            path: "Share", exclude: ["AnyIRShare.entitlements", "Info.plist"]),
        .testTarget(
            name: "AppTests", dependencies: ["AnyIR", "AnyIRShare", "anyir-swift-for-macos"], linkerSettings: linking),
    ],
    swiftLanguageModes: [.v6]
)
