import AnyIRCore
import CLiteRT
import Foundation

/// LiteRT on the CPU, through the library of ai-edge-litert's wheel.
public struct LiteRTFactory: EngineFactory {
    public let id = "litert-cpu"
    public let label = "LiteRT CPU"

    private let library: String?

    /// - Parameter packages: the Python environment's folder `site-packages`
    public init(packages: String? = ProcessInfo.processInfo.environment["ANYIR_PACKAGES"]) {
        library = packages.map { "\($0)/ai_edge_litert/libLiteRt.so" }
    }

    public var unavailable: String? {
        guard let library else { return "ANYIR_PACKAGES does not name the folder of ai-edge-litert" }
        return FileManager.default.fileExists(atPath: library) ? nil : "there is no \(library)"
    }

    public func opens(_ manifest: Manifest) -> Bool { manifest.runtime == .litert }

    public func open(_ model: Model, threads: Int, both: Bool) async throws -> sending any TileEngine {
        guard let library, refusal == nil else { throw EngineError(refusal ?? notInThisBuild) }
        return try LiteRTEngine(model, library: library, both: both)
    }
}

/// LiteRT prepares all that is in a file at once and gives no signature's memory back, so that one entry at a time is a
/// program at a time.
final class LiteRTEngine: LoadsEntries {
    let tile: Int
    let tileSize: TileSize
    let facts: EngineFacts
    let statisticSizes: [Int]

    var loaded: Set<Manifest.EntryName> { Set(prepared.keys) }

    private let model: Model
    private let library: String
    private var program: OpaquePointer?
    private var prepared: [Manifest.EntryName: Int32] = [:]

    init(_ model: Model, library: String, both: Bool) throws {
        self.model = model
        self.library = library
        tile = model.manifest.tile
        tileSize = model.manifest.tileSize
        statisticSizes = model.manifest.entries.statistics.map(\.count)
        facts = EngineFacts(
            name: "LiteRT CPU with \(model.manifest.name)", accelerator: "LiteRT CPU (XNNPACK asked for)")
        try load(both ? Manifest.EntryName.allCases : [.look])
    }

    deinit { anyir_litert_close(program) }

    private func load(_ entries: [Manifest.EntryName]) throws {
        anyir_litert_close(program)
        (program, prepared) = (nil, [:])
        try checkFile(of: model, facts.name)
        let opened = try explained(facts.name) { anyir_litert_open(library, model.url.path, $0) }
        program = opened
        // What the file lacks for the other entry is said now, not after a photo was looked at.
        for entry in Manifest.EntryName.allCases {
            let found = try prepare(entry.rawValue, model.manifest.entries[entry], of: opened, facts.name)
            if entries.contains(entry) { prepared[entry] = found }
        }
    }

    func run(_ entry: Manifest.EntryName, _ inputs: [FloatBuffer], into outputs: [FloatBuffer]) throws -> RunTiming {
        if prepared[entry] == nil { try load([entry]) }
        guard let program, let prepared = prepared[entry] else { throw EngineError("\(facts.name) is not loaded.") }
        let clock = ContinuousClock()
        let copyIn = try clock.measure {
            for (i, buffer) in inputs.enumerated() {
                try succeeded(facts.name) {
                    anyir_litert_give(program, prepared, i, buffer.memory, $0)
                }
            }
        }
        let run = try clock.measure { try succeeded(facts.name) { anyir_litert_run(program, prepared, $0) } }
        let readBack = try clock.measure {
            for (i, buffer) in outputs.enumerated() {
                try succeeded(facts.name) {
                    anyir_litert_read(program, prepared, i, buffer.memory, $0)
                }
            }
        }
        return RunTiming(copyIn: copyIn, run: run, readBack: readBack)
    }
}

/// A signature by its names, whose tensors are as large as the manifest says.
private func prepare(
    _ key: String, _ entry: Manifest.Entry, of program: OpaquePointer, _ name: String
) throws -> Int32 {
    let prepared = try withCStrings(entry.inputs.map(\.name)) { inputs in
        try withCStrings(entry.outputs.map(\.name)) { outputs in
            try explained(name) {
                let found = anyir_litert_prepare(
                    program, key, inputs, entry.inputs.count, outputs, entry.outputs.count, $0)
                return found < 0 ? nil : found
            }
        }
    }
    for (isOutput, tensors) in [(false, entry.inputs), (true, entry.outputs)] {
        for (i, tensor) in tensors.enumerated() {
            try checkSize(anyir_litert_size(program, prepared, isOutput, i), of: tensor, name)
        }
    }
    return prepared
}

private func withCStrings<Result>(
    _ texts: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>?) throws -> Result
) rethrows -> Result {
    let copies = texts.map { strdup($0) }
    defer { copies.forEach { free($0) } }
    let pointers = copies.map { $0.map { UnsafePointer($0) } }
    return try pointers.withUnsafeBufferPointer { try body($0.baseAddress) }
}
