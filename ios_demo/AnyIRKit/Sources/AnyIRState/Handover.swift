import Foundation

/// Where the share extension leaves a photo for the app: a folder that both see. The last photo counts.
public struct Handover: Sendable {
    /// The app group, as both targets' entitlements name it.
    public static let group = "group.org.anyir.demo"

    /// In seconds.
    private static let longestCopy: TimeInterval = 3600

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

    /// Whether a photo was left.
    public var isWaiting: Bool { !whole().isEmpty }

    /// Takes the photo that was left last, and forgets those before it.
    ///
    /// - Parameter target: a folder that exists; receives a folder with the photo
    /// - Returns: where the photo is now; nil where none was left
    public func take(into target: URL) -> URL? {
        let manager = FileManager.default
        let left = whole()
        // Of an extension that ended while it copied; another one may be copying now.
        let old = all().filter(isHidden).filter { date($0) < Date(timeIntervalSinceNow: -Self.longestCopy) }
        for one in old { try? manager.removeItem(at: one) }
        guard let last = left.last else { return nil }
        let own = target.appendingPathComponent(last.lastPathComponent)
        guard (try? manager.moveItem(at: last, to: own)) != nil else { return nil }
        for one in left.dropLast() { try? manager.removeItem(at: one) }
        guard let name = try? manager.contentsOfDirectory(atPath: own.path).first else { return nil }
        return own.appendingPathComponent(name)
    }

    /// All that is whole, the last one last.
    private func whole() -> [URL] { all().filter { !isHidden($0) }.sorted { date($0) < date($1) } }

    private func all() -> [URL] {
        let keys: [URLResourceKey] = [.contentModificationDateKey]
        return (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: keys)) ?? []
    }

    private func isHidden(_ url: URL) -> Bool { url.lastPathComponent.hasPrefix(".") }

    private func date(_ url: URL) -> Date {
        (try? url.resourceValues(forKeys: [.contentModificationDateKey]))?.contentModificationDate ?? .distantPast
    }
}
