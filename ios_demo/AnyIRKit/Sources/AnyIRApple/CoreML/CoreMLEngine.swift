import AnyIRCore
import CoreML
import Foundation

/// Both functions of an `.mlpackage`, loaded for the same compute units.
///
/// Packages of float16 arrays, as `anyir convert` makes them, share memory with Core ML: a tile is rounded into a pixel
/// buffer, its result is read from another, and statistics stay where `look` wrote them. Packages of float32 arrays are
/// given the caller's memory.
final class CoreMLEngine: TileEngine {
    let tile: Int
    let tileSize: TileSize
    let facts: EngineFacts
    let statisticSizes: [Int]

    private let lookFunction: CoreMLFunction
    private let restoreFunction: CoreMLFunction

    /// Whose values the arrays that both functions share hold.
    private var held: Statistics?

    /// - Parameters:
    ///   - look: the package's function of that name, loaded
    ///   - restore: likewise
    /// - Throws: ``EngineError``: the functions are not those that the manifest describes
    init(_ manifest: Manifest, look: MLModel, restore: MLModel, units: CoreMLUnits) throws {
        tile = manifest.tile
        tileSize = manifest.tileSize
        statisticSizes = manifest.entries.statistics.map(\.count)
        lookFunction = try CoreMLFunction("look", of: manifest.name, entry: manifest.entries.look, model: look)
        restoreFunction = try CoreMLFunction(
            "restore", of: manifest.name, entry: manifest.entries.restore, model: restore,
            shared: lookFunction.halfOutputs)
        facts = EngineFacts(
            name: "\(units.label), \(manifest.name)", accelerator: "\(units.label) (\(units.asked) asked for)",
            version: ProcessInfo.processInfo.operatingSystemVersionString)
    }

    func look(_ sheet: FloatBuffer, into statistics: Statistics) throws -> RunTiming {
        try checkOwn(statistics)
        held = nil
        let timing = try lookFunction.run([sheet], into: statistics.values)
        held = statistics
        return timing
    }

    func restore(_ tile: FloatBuffer, with statistics: Statistics, into output: FloatBuffer) throws -> RunTiming {
        try checkOwn(statistics)
        let isHeld = held === statistics
        held = nil
        let timing = try restoreFunction.run([tile] + statistics.values, into: [output], isHeld: isHeld)
        held = statistics
        return timing
    }
}

/// What Core ML may compute on, the recommended first.
public enum CoreMLUnits: String, CaseIterable, Sendable {
    case neuralEngine = "ane"
    case all
    case gpu
    case cpu

    public var units: MLComputeUnits {
        switch self {
        case .neuralEngine: .cpuAndNeuralEngine
        case .all: .all
        case .gpu: .cpuAndGPU
        case .cpu: .cpuOnly
        }
    }

    public var label: String {
        switch self {
        case .neuralEngine: "Core ML, Neural Engine"
        case .all: "Core ML, all units"
        case .gpu: "Core ML, GPU"
        case .cpu: "Core ML, CPU"
        }
    }

    /// What is asked for; where it really runs ``Placement`` tells.
    public var asked: String {
        switch self {
        case .neuralEngine: "CPU and Neural Engine"
        case .all: "all units"
        case .gpu: "CPU and GPU"
        case .cpu: "CPU"
        }
    }

    /// Whether the GPU may be used, which iPhones do not allow in the background.
    public var takesGPU: Bool { self == .gpu || self == .all }
}
