import AnyIRCore
import Foundation

#if APPLE_STUBS || !os(Linux)
    import AnyIRApple

    typealias PhotoFile = AnyIRApple.PhotoFile

    /// Core ML, the recommended units first.
    func engines() -> [any EngineFactory] {
        let caches = FileManager.default.urls(for: .cachesDirectory, in: .userDomainMask).first
        let folder = (caches ?? FileManager.default.temporaryDirectory).appendingPathComponent("org.anyir.command")
        let compiled = CompiledModels(folder: folder)
        let order: [CoreMLUnits] = [.neuralEngine, .all, .gpu, .cpu]
        return order.map { CoreMLFactory(units: $0, compiled: compiled) }
    }
#else
    import AnyIRLinux

    typealias PhotoFile = AnyIRLinux.PhotoFile

    /// The libraries of the Python environment that ANYIR_PACKAGES names.
    func engines() -> [any EngineFactory] { linuxEngines() }
#endif
