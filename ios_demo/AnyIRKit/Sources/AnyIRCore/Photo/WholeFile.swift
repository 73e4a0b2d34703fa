import Foundation

/// Makes a file whole or not at all: beside its place, then put there. One that is there by then stays.
///
/// - Parameter write: makes the file at the place that it is given
/// - Throws: ``PhotoFileError``; nothing is left then
public func makeWhole(_ url: URL, _ write: (URL) throws -> Void) throws {
    let part = url.deletingLastPathComponent().appendingPathComponent(".\(url.lastPathComponent).part")
    defer { try? FileManager.default.removeItem(at: part) }
    do {
        try write(part)
    } catch let error as PhotoFileError {
        throw error
    } catch {
        let isFull = (error as? CocoaError)?.code == .fileWriteOutOfSpace
        let reason = isFull ? "there is not enough space." : sentence(of: error)
        throw PhotoFileError("\(url.path) cannot be written: \(reason)")
    }
    if link(part.path, url.path) == 0 { return }
    guard !FileManager.default.fileExists(atPath: url.path) else {
        throw PhotoFileError("\(url.path) is there already; name another file.")
    }
    // A disk without hard links.
    guard rename(part.path, url.path) == 0 else {
        throw PhotoFileError("\(url.path) cannot be written: \(String(cString: strerror(errno))).")
    }
}
