import AnyIRApple
import AnyIRCore
import Foundation

/// What can run models in this build, the recommended first; those that were not linked say so.
struct Engines: Sendable {
    let all: [any EngineFactory]

    /// - Parameter caches: a folder for what Core ML compiles
    init(caches: URL) {
        let compiled = CompiledModels(folder: caches.appendingPathComponent("CompiledModels"))
        let order: [CoreMLUnits] = [.neuralEngine, .all, .gpu, .cpu]
        all = order.map { CoreMLFactory(units: $0, compiled: compiled) } + [ExecuTorchFactory()]
    }
}
