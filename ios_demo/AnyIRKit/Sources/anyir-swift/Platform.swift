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
        return CoreMLFactory.all(compiled: compiled)
    }
#else
    import AnyIRLinux

    typealias PhotoFile = AnyIRLinux.PhotoFile

    /// The libraries of the Python environment that ANYIR_PACKAGES names.
    func engines() -> [any EngineFactory] { linuxEngines() }
#endif
