import AnyIRState
import Foundation

/// The app's private folder for the photo it works on, its result, and what outlives the process.
struct PhotoFiles: Sendable {
    typealias Copy = @Sendable (_ file: URL, _ target: URL) throws -> Void

    let folder: URL

    /// Copies a file from elsewhere.
    let copy: Copy

    private var keptURL: URL { folder.appendingPathComponent("kept.json") }

    /// - Parameter copy: a test's own, of a disk that is full
    /// - Throws: the folder cannot be made
    init(_ folder: URL, copy: @escaping Copy = { try FileManager.default.copyItem(at: $0, to: $1) }) throws {
        self.folder = folder
        self.copy = copy
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    /// Of a name that no other file has.
    func newFile(_ kind: String) -> URL { folder.appendingPathComponent("\(kind)-\(UUID().uuidString)") }

    func url(_ file: String) -> URL { folder.appendingPathComponent((file as NSString).lastPathComponent) }

    func exists(_ file: String) -> Bool { FileManager.default.fileExists(atPath: url(file).path) }

    /// What the last process left; nil where there is nothing that can be read.
    func kept() -> Kept? {
        (try? Data(contentsOf: keptURL)).flatMap { try? JSONDecoder().decode(Kept.self, from: $0) }
    }

    /// Writes down what outlives the process, whole or not at all, then deletes every other file.
    func keep(_ kept: Kept?) throws {
        if let kept {
            try JSONEncoder().encode(kept).write(to: keptURL, options: .atomic)
        } else if FileManager.default.fileExists(atPath: keptURL.path) {
            try FileManager.default.removeItem(at: keptURL)
        }
        let used = (kept?.files ?? []).union([keptURL.lastPathComponent])
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) where !used.contains(name) {
            try? FileManager.default.removeItem(at: folder.appendingPathComponent(name))
        }
    }
}
