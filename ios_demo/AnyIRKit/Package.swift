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
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)

#if !os(Linux)
    // What needs Apple's frameworks. On Linux ../Stubs compiles it, against stubs of them.
    package.products.append(.library(name: "AnyIRApple", targets: ["AnyIRApple"]))
    package.targets.append(.target(name: "AnyIRApple", dependencies: ["AnyIRCore"]))
#endif

#if os(macOS)
    package.products.append(.executable(name: "anyir-swift", targets: ["anyir-swift"]))
    package.targets.append(.executableTarget(name: "anyir-swift", dependencies: ["AnyIRApple"]))
#endif

#if os(Linux)
    // Real programs through the same core, so that it is proven on any computer. No app ships these.
    // Hashing and blending are 20 times as slow without, also in tests.
    package.targets.first { $0.name == "AnyIRCore" }?.swiftSettings = [.unsafeFlags(["-O"])]
    package.products.append(.executable(name: "anyir-swift", targets: ["anyir-swift"]))
    package.targets += [
        .systemLibrary(name: "CPNG"),
        .target(name: "CJPEG", linkerSettings: [.linkedLibrary("jpeg")]),
        .target(name: "CLiteRT"),
        .target(
            name: "AnyIRLinux", dependencies: ["AnyIRCore", "CPNG", "CJPEG", "CLiteRT"],
            swiftSettings: executorch == nil ? [] : [.define("EXECUTORCH")]),
        .executableTarget(name: "anyir-swift", dependencies: ["AnyIRLinux"]),
        .testTarget(name: "AnyIRLinuxTests", dependencies: ["AnyIRLinux"]),
    ]
    if let executorch {
        // The libraries register their kernels when they are loaded, and nothing refers to them.
        let libraries = ["", "_backend_xnnpack", "_kernels_optimized", "_kernels_quantized"]
            .map { "-lexecutorch\($0)" }
        let link = ["-L\(executorch)/lib", "-Xlinker", "-rpath", "-Xlinker", "\(executorch)/lib"]
        let include = "\(executorch)/include"
        package.targets.append(
            .target(
                name: "CExecuTorch",
                cxxSettings: [
                    .define("C10_USING_CUSTOM_GENERATED_MACROS"),
                    .unsafeFlags([
                        "-I\(include)", "-I\(include)/executorch/runtime/core/portable_type/c10",
                    ]),
                ],
                linkerSettings: [.unsafeFlags(link + ["-Xlinker", "--no-as-needed"] + libraries)]))
        package.targets.first { $0.name == "AnyIRLinux" }?.dependencies.append("CExecuTorch")
    }
#endif

/// Folder of executorch's wheel, in the Python environment that `make` makes; nil: without ExecuTorch.
var executorch: String? {
    Context.environment["ANYIR_PACKAGES"].map { "\($0)/executorch" }
}
