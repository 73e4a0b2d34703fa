import Foundation

/// Makes a file whole or not at all: beside its place, then renamed. One of its name is replaced.
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
        throw PhotoFileError("\(url.path) cannot be written: \(sentence(of: error))")
    }
    guard rename(part.path, url.path) == 0 else {
        throw PhotoFileError("\(url.path) cannot be written: \(String(cString: strerror(errno))).")
    }
}
