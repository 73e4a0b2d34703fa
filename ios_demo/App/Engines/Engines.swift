import AnyIRApple
import AnyIRCore
import Foundation

/// What can run models in this build, the recommended first; those that were not linked say so.
///
/// - Parameter caches: a folder for what Core ML compiles
func engines(caches: URL) -> [any EngineFactory] {
    let compiled = CompiledModels(folder: caches.appendingPathComponent("CompiledModels"))
    return CoreMLFactory.all(compiled: compiled) + [ExecuTorchFactory()]
}
