import AnyIRCore
import CoreML
import Foundation

@testable import AnyIR
@testable import AnyIRApple

/// A folder that is deleted when nothing holds it any more.
final class TestFolder: Sendable {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("anyir-\(UUID().uuidString)")

    init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(at: url) }
}

/// A package of the stub runtime with its manifest, in a folder of its own.
struct TestPackage {
    private let own: TestFolder

    let model: Model
    let cache: URL

    /// Where package and manifest lie.
    let folder: URL

    /// - Parameters:
    ///   - dtype: of all arrays
    ///   - change: makes the package differ from what the manifest says
    init(dtype: String = "float16", _ change: (inout StubPackage) -> Void = { _ in }) throws {
        own = try TestFolder()
        folder = own.url
        let url = folder.appendingPathComponent("tiny-\(UUID().uuidString).mlpackage")
        cache = folder.appendingPathComponent("compiled")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        typealias Array = StubPackage.Array
        let image = Array(name: "image", shape: [1, 3, 16, 16])
        let output = Array(name: "output", shape: [1, 3, 16, 16])
        let statistics = [Array(name: "s0", shape: [1, 4, 4]), Array(name: "s1", shape: [1, 5])]
        var package = StubPackage(functions: [
            "look": StubPackage.Function(inputs: [image], outputs: statistics),
            "restore": StubPackage.Function(inputs: [image] + statistics, outputs: [output]),
        ])
        for function in package.functions.keys {
            for i in package.functions[function]?.inputs.indices ?? 0..<0 {
                package.functions[function]?.inputs[i].type = dtype
            }
            for i in package.functions[function]?.outputs.indices ?? 0..<0 {
                package.functions[function]?.outputs[i].type = dtype
            }
        }
        change(&package)
        try JSONEncoder().encode(package).write(to: url.appendingPathComponent("stub.json"))

        func tensors(_ arrays: [Array]) -> [[String: Any]] {
            arrays.map {
                ["name": $0.name, "shape": $0.shape, "dtype": dtype, "layout": "NCHW", "range": NSNull()]
            }
        }
        func entry(_ inputs: [Array], _ outputs: [Array]) -> [String: Any] {
            let operators: [String: Any] = ["total": 3, "delegated": NSNull(), "partitions": NSNull()]
            return ["inputs": tensors(inputs), "outputs": tensors(outputs), "operators": operators]
        }
        let manifest: [String: Any] = [
            "schema_version": 2, "name": "tiny", "file": url.lastPathComponent, "sha256": try sha256(at: url),
            "bytes": 1, "source": ["file": "w", "sha256": "0", "preset": "tiny", "config": [String: Any]()],
            "runtime": "coreml", "backend": "coreml", "precision": "fp16", "target": "iOS18", "tile": 16,
            "entries": ["look": entry([image], statistics), "restore": entry([image] + statistics, [output])],
            "quantization": NSNull(),
            "parity": [
                "status": "evaluated", "reason": NSNull(), "bounds": [String: Any](), "stages": [Any](),
                "degradations": [Any](), "samples": [Any](),
            ],
            "versions": [String: String](), "code_sha256": "0", "seconds": 1.0,
        ]
        let data = try JSONSerialization.data(withJSONObject: manifest)
        try data.write(to: url.deletingPathExtension().appendingPathExtension("json"))
        model = Model(manifest: try Manifest.parse(data), url: url)
    }

    func factory(_ units: CoreMLUnits = .cpu) -> CoreMLFactory {
        CoreMLFactory(units: units, compiled: CompiledModels(folder: cache))
    }

    func open(_ units: CoreMLUnits = .cpu) async throws -> sending any TileEngine {
        try await factory(units).open(model, threads: 1)
    }
}
