import AnyIRCore
import CoreGraphics
import Foundation
import ImageIO

/// A photo's file through ImageIO: its pixels, upright as its EXIF says, with 8 bits a channel, and what else it says.
public struct PhotoFile {
    private static let types = [
        "png": "public.png", "jpg": "public.jpeg", "jpeg": "public.jpeg", "heic": "public.heic", "tif": "public.tiff",
        "tiff": "public.tiff",
    ]

    /// What ``write(_:to:)`` can make.
    public static let suffixes = ["png", "jpg", "jpeg", "heic", "tif", "tiff"]

    public let photo: MemoryPhoto
    private let properties: [String: Any]
    private let space: CGColorSpace
    private let hasAlpha: Bool

    /// - Throws: ``PhotoFileError``
    public init(_ url: URL) throws {
        let name = url.lastPathComponent
        guard FileManager.default.fileExists(atPath: url.path) else {
            throw PhotoFileError("There is no \(url.path).")
        }
        guard let source = CGImageSourceCreateWithURL(url as CFURL, nil), CGImageSourceGetType(source) != nil else {
            throw PhotoFileError("\(name) is no photo that this system reads.")
        }
        switch SeveralPictures(source) {
        case .frames: throw PhotoFileError("\(name) is an animation; only still photos can be restored.")
        case .pages: throw PhotoFileError("\(name) has several pages; only single photos can be restored.")
        case nil: break
        }
        let index = CGImageSourceGetPrimaryImageIndex(source)
        guard CGImageSourceGetStatusAtIndex(source, index) == .statusComplete,
            let image = CGImageSourceCreateImageAtIndex(source, index, nil)
        else { throw PhotoFileError("\(name) is damaged.") }
        var pixels = [UInt8](repeating: 0, count: 4 * image.width * image.height)
        guard pixels.withUnsafeMutableBufferPointer({ image.decode(into: $0) }) else {
            throw PhotoFileError("There is not enough memory to decode \(name).")
        }
        properties = CGImageSourceCopyPropertiesAtIndex(source, index, nil) as? [String: Any] ?? [:]
        space = image.restoringSpace
        hasAlpha = image.hasAlpha
        let orientation = (properties[kCGImagePropertyOrientation as String] as? NSNumber)?.intValue ?? 1
        photo = MemoryPhoto(width: image.width, height: image.height, pixels: pixels).upright(exif: orientation)
    }

    /// Writes what became of the photo beside the target, then renames: there is never half a file. It has the photo's
    /// properties, of an upright picture, and its colour space.
    ///
    /// - Parameter url: its suffix, of ``suffixes``, is the format. JPEG and HEIC have quality 95.
    /// - Returns: sentences on what was lost
    /// - Throws: ``PhotoFileError``
    public func write(_ restored: MemoryPhoto, to url: URL) throws -> [String] {
        guard let type = Self.types[url.pathExtension.lowercased()] else {
            throw PhotoFileError("\(url.path) is no name of a photo that this command writes.")
        }
        if type == "public.jpeg", !restored.isOpaque {
            throw PhotoFileError("\(url.path) cannot be written: a JPEG has no alpha; name a PNG.")
        }
        let image = picture(
            of: Data(restored.pixels), width: restored.width, height: restored.height, space: space,
            hasAlpha: hasAlpha && !restored.isOpaque)
        var properties = resultProperties(properties, width: restored.width, height: restored.height)
        properties[kCGImageDestinationLossyCompressionQuality as String] = 0.95
        try makeWhole(url) { part in
            let destination = CGImageDestinationCreateWithURL(part as CFURL, type as CFString, 1, nil)
            guard let image, let destination else { throw PhotoFileError("\(url.path) cannot be written.") }
            CGImageDestinationAddImage(destination, image, properties as CFDictionary)
            guard CGImageDestinationFinalize(destination) else {
                throw PhotoFileError("\(url.path) cannot be written.")
            }
        }
        return []
    }
}
