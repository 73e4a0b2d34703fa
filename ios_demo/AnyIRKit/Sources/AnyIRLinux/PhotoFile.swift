import AnyIRCore
import Foundation

/// What a file says beside its pixels.
struct PhotoTags {
    /// A TIFF block; empty where there is none.
    var exif: [UInt8] = []

    /// Of its colours; empty where there is none.
    var profile: [UInt8] = []

    /// Whether it has one colour channel.
    var isGrey = false

    /// - Returns: the same for an upright result of this size, and a note where something was lost
    func forResult(width: Int, height: Int) -> (tags: PhotoTags, notes: [String]) {
        if exif.isEmpty { return (self, []) }
        var tags = self
        let mended = Exif.forResult(exif, width: width, height: height)
        tags.exif = mended ?? []
        return (tags, mended == nil ? ["Its EXIF is damaged and was left out."] : [])
    }
}

/// A PNG or JPEG: its pixels, upright as its EXIF says, with 8 bits a channel, and what else it says.
public struct PhotoFile {
    /// What ``write(_:to:)`` can make.
    public static let suffixes = ["png", "jpg", "jpeg"]

    public let photo: MemoryPhoto
    let tags: PhotoTags

    /// - Throws: ``PhotoFileError``
    public init(_ url: URL) throws {
        let name = url.lastPathComponent
        guard FileManager.default.fileExists(atPath: url.path) else {
            throw PhotoFileError("There is no \(url.path).")
        }
        let data: Data
        do {
            data = try Data(contentsOf: url)
        } catch {
            throw PhotoFileError("\(name) cannot be read.")
        }
        let lying: MemoryPhoto
        if isPNG(data) {
            (lying, tags) = try readPNG(data, name: name)
        } else if data.starts(with: [0xff, 0xd8]) {
            (lying, tags) = try readJPEG(data, name: name)
        } else {
            throw PhotoFileError("\(name) is neither a PNG nor a JPEG.")
        }
        photo = lying.upright(exif: Exif.orientation(of: tags.exif))
    }

    /// Writes what became of the photo beside the target, then renames: there is never half a file. It has the photo's
    /// EXIF, of an upright picture and without the thumbnail, and its colour profile.
    ///
    /// - Parameter url: its suffix, of ``suffixes``, is the format. A JPEG has quality 95 and no alpha.
    /// - Returns: sentences on what was lost
    /// - Throws: ``PhotoFileError``
    public func write(_ restored: MemoryPhoto, to url: URL) throws -> [String] {
        var (tags, notes) = tags.forResult(width: restored.width, height: restored.height)
        let data: Data
        switch url.pathExtension.lowercased() {
        case "png": data = try png(of: restored, tags, name: url.path)
        case "jpg", "jpeg": data = try jpeg(of: restored, &tags, &notes, name: url.path)
        default: throw PhotoFileError("\(url.path) is no name of a PNG or JPEG.")
        }
        try makeWhole(url) { try data.write(to: $0) }
        return notes
    }
}
