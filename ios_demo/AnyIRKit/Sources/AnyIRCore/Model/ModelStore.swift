import Foundation
import Synchronization

/// An artifact whose bytes are those that its manifest describes.
public struct Model: Sendable, Equatable {
    public let manifest: Manifest

    /// A file, or an `.mlpackage` folder.
    public let url: URL

    public init(manifest: Manifest, url: URL) {
        self.manifest = manifest
        self.url = url
    }
}

/// One artifact in a folder of models.
public enum ModelEntry: Sendable, Equatable {
    case usable(Model)

    /// With one sentence for the user.
    case refused(URL, reason: String)

    public var model: Model? {
        if case .usable(let model) = self { return model }
        return nil
    }

    /// Without suffix, as a benchmark's options name it.
    public var name: String {
        switch self {
        case .usable(let model): model.url.deletingPathExtension().lastPathComponent
        case .refused(let url, _): url.deletingPathExtension().lastPathComponent
        }
    }
}

/// The models in folders on the device, each an artifact with its manifest beside it.
///
/// Nothing is taken on trust: a manifest names a plain file or package in its own folder, and its sha256 is the
/// manifest's. Hashes are remembered as long as this object lives and the files' sizes and times stay the same.
public final class ModelStore: Sendable {
    private static let maxManifestBytes = 4 << 20

    /// Values in all; the largest network that ships has 0.2 million.
    private static let maxStatistics = 16 << 20

    private struct Hash {
        let stamp: [String]
        let sha256: String
    }

    private let folders: [URL]
    private let hashes = Mutex<[URL: Hash]>([:])

    /// - Parameter folders: looked through in this order; one that does not exist is empty. Where two hold a model of the
    ///   same name, the first hides the other.
    public init(folders: [URL]) {
        self.folders = folders.map { $0.resolvingSymlinksInPath() }
    }

    /// Every artifact found, usable or not, sorted by name within each folder. Hashes files the first time: not on the
    /// main thread.
    public func list() -> [ModelEntry] {
        var entries: [ModelEntry] = []
        var names: [String: Model] = [:]
        for entry in folders.flatMap(list(folder:)) {
            guard let model = entry.model else {
                entries.append(entry)
                continue
            }
            if let first = names[model.manifest.name] {
                let folders = [first, model].map { $0.url.deletingLastPathComponent().path }
                // In the same folder nothing says which of them is meant.
                if folders[0] == folders[1], first.manifest.sha256 != model.manifest.sha256 {
                    entries.append(.refused(model.url, reason: "Another model of this name is in \(folders[0])."))
                }
            } else {
                names[model.manifest.name] = model
                entries.append(entry)
            }
        }
        return entries
    }

    private func list(folder: URL) -> [ModelEntry] {
        guard FileManager.default.fileExists(atPath: folder.path) else { return [] }
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() else {
            return [.refused(folder, reason: "The folder cannot be read.")]
        }
        let urls = names.map { folder.appendingPathComponent($0) }
        let artifacts = urls.filter { Manifest.Runtime.ofSuffix[$0.pathExtension] != nil }
        let stems = Set(artifacts.map(\.stem))
        let manifests = urls.filter { $0.pathExtension == "json" }
        let described = Set(manifests.map(\.stem))
        let found = manifests.filter { stems.contains($0.stem) || isManifest($0) }.map(open)
        return found
            + artifacts.filter { !described.contains($0.stem) }.map {
                .refused($0, reason: "There is no manifest \($0.stem).json beside it.")
            }
    }

    /// Other JSON files, such as a conversion's report, may lie in the folder; they are none of ours.
    private func isManifest(_ url: URL) -> Bool { (try? Manifest.parse(read(url))) != nil }

    private func read(_ url: URL) throws -> Data {
        let size = try FileManager.default.attributesOfItem(atPath: url.path)[.size] as? Int ?? 0
        try refuse(size > Self.maxManifestBytes, "The manifest is larger than any real one.")
        return try Data(contentsOf: url)
    }

    private func open(_ manifest: URL) -> ModelEntry {
        do {
            return .usable(try check(manifest))
        } catch let error as ManifestError {
            return .refused(manifest, reason: error.sentence)
        } catch {
            return .refused(manifest, reason: "The model or its manifest cannot be read.")
        }
    }

    private func check(_ manifestURL: URL) throws -> Model {
        let folder = manifestURL.deletingLastPathComponent()
        try refuse(leaves(manifestURL, folder), "The manifest is a link that leads out of the folder.")
        let manifest = try Manifest.parse(read(manifestURL))

        let name = manifest.file
        let shown = name.prefix(80)
        let isPlain = !name.isEmpty && !name.contains { "/\\\0".contains($0) } && name != "." && name != ".."
        try refuse(!isPlain, "The manifest names a file outside its folder: \(shown).")
        try refuse(manifest.runtime == .coreai, "This is a Core AI program, which this app does not run.")
        let url = folder.appendingPathComponent(name)
        try refuse(
            Manifest.Runtime.ofSuffix[url.pathExtension] != manifest.runtime,
            "\(shown) is no \(manifest.runtime.rawValue) program.")
        try refuse(
            url.stem != manifestURL.stem, "The manifest describes \(shown), which its own name does not match.")
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder)
        try refuse(!exists, "The file \(name) is missing.")
        try refuse(leaves(url, folder), "\(name) is a link that leads out of the folder.")
        try refuse(
            isFolder.boolValue != (manifest.runtime == .coreml),
            isFolder.boolValue ? "\(name) is not a file." : "\(name) is not a package.")
        for side in [manifest.tile, manifest.tileSize.height, manifest.tileSize.width] {
            try refuse(
                side < sizeMultiple || side % sizeMultiple != 0,
                "The tile size \(side) is not a multiple of \(sizeMultiple).")
        }
        try checkEntries(of: manifest)

        let found = try hash(of: url)
        try refuse(
            found != manifest.sha256.lowercased(),
            "\(name) is not the file that its manifest describes: sha256 \(found.prefix(12)).., "
                + "\(manifest.sha256.prefix(12)).. is due.")
        return Model(manifest: manifest, url: url)
    }

    /// What the app gives and takes, and that `restore` takes what `look` gives.
    private func checkEntries(of manifest: Manifest) throws {
        let (look, restore) = (manifest.entries.look, manifest.entries.restore)
        let statistics = manifest.entries.statistics
        guard let sheet = look.inputs.first, let tile = restore.inputs.first, let output = restore.outputs.first,
            look.inputs.count == 1, restore.outputs.count == 1
        else { throw ManifestError("The model does not take one image and give one.") }
        let sheetShape = [1, 3, manifest.tile, manifest.tile]
        let tileShape = [1, 3, manifest.tileSize.height, manifest.tileSize.width]
        let types = manifest.runtime == .coreml ? ["float16", "float32"] : ["float32"]
        let known = types.joined(separator: " or ")
        for (image, shape) in [(sheet, sheetShape), (tile, tileShape), (output, tileShape)] {
            try refuse(
                image.shape != shape || !types.contains(image.dtype),
                "\(image.name) is \(image.dtype) \(Manifest.Tensor.text(image.shape)); this app gives and takes \(known) "
                    + "\(Manifest.Tensor.text(shape)).")
        }
        try refuse(
            statistics.isEmpty || statistics != Array(restore.inputs.dropFirst()),
            "The model's restore does not take what its look gives.")
        var values = 0
        for tensor in statistics {
            try refuse(
                !types.contains(tensor.dtype), "\(tensor.name) is \(tensor.dtype); this app copies \(known).")
            try refuse(
                tensor.shape.contains { !(1...Self.maxStatistics ~= $0) }, "\(tensor.name) has an impossible size.")
            values += tensor.shape.reduce(1) { min($0 * $1, Self.maxStatistics + 1) }
        }
        try refuse(values > Self.maxStatistics, "The model's statistics are larger than any real one's.")
    }

    private func hash(of url: URL) throws -> String {
        let stamp = try stamp(of: url)
        if let known = hashes.withLock({ $0[url] }), known.stamp == stamp { return known.sha256 }
        let found = try sha256(at: url)
        hashes.withLock { $0[url] = Hash(stamp: stamp, sha256: found) }
        return found
    }

    /// Path, size and time of every file.
    private func stamp(of url: URL) throws -> [String] {
        let manager = FileManager.default
        let inside = (try? manager.subpathsOfDirectory(atPath: url.path).sorted()) ?? []
        return try ([url] + inside.map { url.appendingPathComponent($0) }).map { url in
            let facts = try manager.attributesOfItem(atPath: url.path)
            let time = (facts[.modificationDate] as? Date)?.timeIntervalSinceReferenceDate ?? 0
            return "\(url.path) \(facts[.size] ?? 0) \(time)"
        }
    }

    private func leaves(_ url: URL, _ folder: URL) -> Bool {
        url.resolvingSymlinksInPath().deletingLastPathComponent().path != folder.resolvingSymlinksInPath().path
    }

    private func refuse(_ fault: Bool, _ message: @autoclosure () -> String) throws {
        if fault { throw ManifestError(message()) }
    }
}

extension URL {
    /// The name without its suffix.
    fileprivate var stem: String { deletingPathExtension().lastPathComponent }
}
