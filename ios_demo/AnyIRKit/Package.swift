// swift-tools-version: 6.0
import PackageDescription

let package = Package(
    name: "AnyIRKit",
    platforms: [.iOS(.v18), .macOS(.v15)],
    products: [
        .library(name: "AnyIRCore", targets: ["AnyIRCore"]),
        .library(name: "AnyIRState", targets: ["AnyIRState"]),
    ],
    targets: [
        .target(name: "AnyIRCore"),
        .target(name: "AnyIRState", dependencies: ["AnyIRCore"]),
        .testTarget(name: "AnyIRCoreTests", dependencies: ["AnyIRCore"]),
        .testTarget(name: "AnyIRStateTests", dependencies: ["AnyIRState"]),
    ],
    swiftLanguageModes: [.v6]
)
