import Foundation

/// Where the share extension leaves a photo for the app: a folder that both see. The last photo counts.
public struct Handover: Sendable {
    /// The app group, as both targets' entitlements name it.
    public static let group = "group.org.anyir.demo"

    private let folder: URL
    private let copy: @Sendable (URL, URL) throws -> Void

    /// - Parameters:
    ///   - container: of the app group
    ///   - copy: a test's own, of a disk that is full
    public init(
        container: URL,
        copy: @escaping @Sendable (_ file: URL, _ target: URL) throws -> Void = {
            try FileManager.default.copyItem(at: $0, to: $1)
        }
    ) {
        folder = container.appendingPathComponent("Shared")
        self.copy = copy
    }

    /// Copies a photo there, under its own name. It is there whole or not at all.
    ///
    /// - Throws: what the disk says; nothing is left then
    public func leave(_ photo: URL) throws {
        let manager = FileManager.default
        let own = folder.appendingPathComponent(".\(UUID().uuidString)")
        try manager.createDirectory(at: own, withIntermediateDirectories: true)
        do {
            try copy(photo, own.appendingPathComponent(photo.lastPathComponent))
            // A rename: what ends the extension leaves no half of a photo that the app would take.
            try manager.moveItem(at: own, to: folder.appendingPathComponent(UUID().uuidString))
        } catch {
            try? manager.removeItem(at: own)
            throw error
        }
    }

    /// Takes the photo that was left last, and forgets all others.
    ///
    /// - Parameter target: a folder that exists; receives a folder with the photo
    /// - Returns: where the photo is now; nil where none was left
    public func take(into target: URL) -> URL? {
        let manager = FileManager.default
        let keys: Set<URLResourceKey> = [.creationDateKey, .contentModificationDateKey]
        let left = (try? manager.contentsOfDirectory(at: folder, includingPropertiesForKeys: Array(keys))) ?? []
        func date(_ url: URL) -> Date {
            (try? url.resourceValues(forKeys: keys))?.contentModificationDate ?? .distantPast
        }
        let whole = left.filter { !$0.lastPathComponent.hasPrefix(".") }.sorted { date($0) < date($1) }
        defer { for one in left { try? manager.removeItem(at: one) } }
        guard let last = whole.last else { return nil }
        let own = target.appendingPathComponent(last.lastPathComponent)
        guard (try? manager.moveItem(at: last, to: own)) != nil,
            let name = try? manager.contentsOfDirectory(atPath: own.path).first
        else { return nil }
        return own.appendingPathComponent(name)
    }
}
