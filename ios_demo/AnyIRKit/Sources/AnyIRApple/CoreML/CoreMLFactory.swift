import AnyIRCore
import CoreML
import Foundation

/// Core ML for one choice of compute units.
public struct CoreMLFactory: EngineFactory {
    public let units: CoreMLUnits
    private let compiled: CompiledModels

    public init(units: CoreMLUnits, compiled: CompiledModels) {
        self.units = units
        self.compiled = compiled
    }

    /// One for each choice of units, the recommended first.
    public static func all(compiled: CompiledModels) -> [CoreMLFactory] {
        CoreMLUnits.allCases.map { CoreMLFactory(units: $0, compiled: compiled) }
    }

    public var id: String { "coreml-\(units.rawValue)" }
    public var label: String { units.label }

    public var unavailable: String? {
        let devices = MLComputeDevice.allComputeDevices
        let isThere =
            switch units {
            case .neuralEngine: devices.contains { if case .neuralEngine = $0 { true } else { false } }
            case .gpu: devices.contains { if case .gpu = $0 { true } else { false } }
            case .all, .cpu: true
            }
        return isThere ? nil : "not on this device"
    }

    public func opens(_ manifest: Manifest) -> Bool { manifest.runtime == .coreml }

    /// Both functions stay loaded in any case: loading one may take the Neural Engine's compiler seconds.
    public func open(_ model: Model, threads: Int, both: Bool) async throws -> sending any TileEngine {
        let (look, restore) = try await withCompiled(model) { url in
            (try await load("look", from: url), try await load("restore", from: url))
        }
        return try CoreMLEngine(model.manifest, look: look, restore: restore, units: units)
    }

    /// Drops what was compiled of models that are none of these.
    public func keepCompiled(of models: [Model]) async { await compiled.keep(models) }

    /// Where each function's operations run by Core ML's plan, and what they cost by its estimate. Not part of loading.
    public func placement(of model: Model) async throws -> (look: Placement, restore: Placement) {
        try await withCompiled(model) { url in
            (try await plan("look", from: url), try await plan("restore", from: url))
        }
    }

    /// Core ML itself takes as many threads as it likes, so `threads` is not asked for anywhere.
    private func load(_ function: String, from url: URL) async throws -> MLModel {
        try await MLModel.load(contentsOf: url, configuration: configuration(function))
    }

    private func plan(_ function: String, from url: URL) async throws -> Placement {
        let plan = try await MLComputePlan.load(contentsOf: url, configuration: configuration(function))
        return try Placement(plan, function: function)
    }

    private func configuration(_ function: String) -> MLModelConfiguration {
        let configuration = MLModelConfiguration()
        configuration.computeUnits = units.units
        configuration.functionName = function
        return configuration
    }

    /// Does something with the compiled package. One that was kept and fails is compiled anew, once.
    private func withCompiled<Value>(_ model: Model, _ use: (URL) async throws -> Value) async throws -> Value {
        do {
            let found = try await compiled.model(for: model)
            do {
                return try await use(found.url)
            } catch  where found.wasKept {
                await compiled.remove(model)
                return try await use(try await compiled.model(for: model).url)
            }
        } catch let error as any OneSentence {
            throw error
        } catch {
            throw EngineError("\(label) cannot load \(model.manifest.name): \(sentence(of: error))")
        }
    }
}
