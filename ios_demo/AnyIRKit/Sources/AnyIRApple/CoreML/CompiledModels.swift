import AnyIRCore
import CoreML
import Foundation

/// Packages as Core ML compiled them on this device, kept by the package's hash and the system's build: a package is
/// compiled once, and again after an update of the system, whose compiler may be another one.
public actor CompiledModels {
    private let folder: URL
    private let system: String

    /// - Parameters:
    ///   - folder: that nothing else writes to, such as one among the app's caches
    ///   - system: what a compiled model depends on beside its package
    public init(folder: URL, system: String = ProcessInfo.processInfo.operatingSystemVersionString) {
        self.folder = folder
        self.system = sha256(Data(system.utf8)).prefix(12).description
    }

    /// A compiled model, and whether it was there before.
    struct Found: Sendable {
        let url: URL
        let wasKept: Bool
    }

    /// Finds a package's compiled model, or compiles it.
    func model(for package: Model) async throws -> Found {
        let url = place(of: package)
        if FileManager.default.fileExists(atPath: url.path) { return Found(url: url, wasKept: true) }
        removeOthers()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let compiled = try await MLModel.compileModel(at: package.url)
        do {
            // A rename: what ends the app leaves no half of a model behind.
            try FileManager.default.moveItem(at: compiled, to: url)
        } catch {
            try? FileManager.default.removeItem(at: compiled)
            // Somebody else was faster.
            guard FileManager.default.fileExists(atPath: url.path) else { throw error }
        }
        return Found(url: url, wasKept: false)
    }

    /// Forgets a compiled model that cannot be loaded.
    func remove(_ package: Model) {
        try? FileManager.default.removeItem(at: place(of: package))
    }

    /// Drops what was compiled of all other packages, such as one that was replaced.
    func keep(_ packages: [Model]) {
        let used = Set(packages.map { place(of: $0).lastPathComponent })
        remove { !used.contains($0) }
    }

    private func place(of package: Model) -> URL {
        folder.appendingPathComponent("\(package.manifest.sha256.lowercased())-\(system).mlmodelc")
    }

    /// Drops what another build of the system compiled: it is never asked for again.
    private func removeOthers() { remove { !$0.hasSuffix("-\(system).mlmodelc") } }

    private func remove(_ isUnused: (String) -> Bool) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        for name in names where isUnused(name) {
            try? FileManager.default.removeItem(at: folder.appendingPathComponent(name))
        }
    }
}
