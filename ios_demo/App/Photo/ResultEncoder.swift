import AnyIRApple
import AnyIRCore
import AnyIRState
import CoreGraphics
import Foundation
import ImageIO

/// Makes a photo's file of a result: at some strength, with the photo's EXIF and colour profile, of its format where
/// this system writes it.
struct ResultEncoder {
    /// What was made, and sentences about what it does not have.
    struct Encoded: Sendable, Equatable {
        let url: URL
        let notes: [String]
    }

    let photo: PhotoInfo
    let photoURL: URL
    let result: RestoredPhoto
    let resultURL: URL

    /// Formats that keep every pixel, and what takes their place where they cannot be written.
    private static let lossless: Set = [
        "public.png", "public.tiff", "com.compuserve.gif", "com.microsoft.bmp", "org.webmproject.webp",
    ]

    /// - Parameters:
    ///   - strength: 0...1, how much of the restoration
    ///   - folder: that exists; the file is named after the photo
    /// - Throws: ``PhotoFault``, and what the disk says
    func encode(strength: Double, into folder: URL) throws -> Encoded {
        let photoImage = try PhotoReader(photoURL).preview(side: 1)
        let mixed = strength < 1 ? try mix(strength: strength, in: folder) : nil
        defer { if let mixed { try? FileManager.default.removeItem(at: mixed) } }
        let pixels = try PixelFile(mixed ?? resultURL, width: result.width, height: result.height)
        let image = try pixels.image(space: photoImage.restoringSpace, hasAlpha: photoImage.hasAlpha)
        let isTransparent = photoImage.hasAlpha && !pixels.withPixels(isOpaque)
        let type = format(isTransparent: isTransparent)
        let url = folder.appendingPathComponent(name(type))
        try? FileManager.default.removeItem(at: url)
        guard let destination = CGImageDestinationCreateWithURL(url as CFURL, type as CFString, 1, nil) else {
            throw PhotoFault(.notEncoded)
        }
        var properties = try PhotoReader(photoURL).properties(ofResult: result.width, result.height)
        properties[kCGImageDestinationLossyCompressionQuality as String] = 0.95
        CGImageDestinationAddImage(destination, image, properties as CFDictionary)
        guard CGImageDestinationFinalize(destination) else {
            try? FileManager.default.removeItem(at: url)
            throw PhotoFault(hasSpace(folder) ? .notEncoded : .noSpaceToSave)
        }
        return Encoded(url: url, notes: type == photo.type ? [] : [Words.noteFormat(suffix(type), suffix(photo.type))])
    }

    /// The photo's own where this system writes it; else one that keeps what it has.
    private func format(isTransparent: Bool) -> String {
        let writable = CGImageDestinationCopyTypeIdentifiers() as? [String] ?? []
        if writable.contains(photo.type), photo.type != "com.compuserve.gif" { return photo.type }
        // A JPEG has no alpha.
        return isTransparent || Self.lossless.contains(photo.type) ? "public.png" : "public.jpeg"
    }

    /// The photo is decoded again: what is mixed in is the file's, not what the screen shows.
    private func mix(strength: Double, in folder: URL) throws -> URL {
        let before = try DecodedPhoto(photoURL, info: photo, halfSize: result.halfSize)
        guard before.width == result.width, before.height == result.height else { throw PhotoFault(.cannotDecode) }
        let after = try PixelFile(resultURL, width: result.width, height: result.height)
        let url = folder.appendingPathComponent("mixed-\(UUID().uuidString)")
        do {
            let writer = try PixelWriter(url)
            let row = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 4 * result.width)
            defer { row.deallocate() }
            try after.withPixels { pixels in
                for y in 0..<result.height {
                    before.read(Region(x: 0, y: y, width: result.width, height: 1), into: row)
                    let restored = UnsafeBufferPointer(rebasing: pixels[y * row.count..<(y + 1) * row.count])
                    AnyIRCore.mix(restored, with: UnsafeBufferPointer(row), strength: Float(strength), into: row)
                    try writer.write(UnsafeBufferPointer(row), firstRow: y, rows: 1)
                }
            }
            try writer.close()
        } catch {
            try? FileManager.default.removeItem(at: url)
            throw error
        }
        return url
    }

    /// "IMG_0042-restored.heic"
    private func name(_ type: String) -> String {
        let stem = (photo.name as NSString).deletingPathExtension
        let plain = stem.map { "/\\:".contains($0) ? "_" : $0 }
        return "\(plain.isEmpty ? "photo" : String(plain.prefix(80)))-restored.\(suffix(type))"
    }

    private func suffix(_ type: String) -> String {
        let known = [
            "public.jpeg": "jpg", "public.png": "png", "public.tiff": "tiff", "public.heic": "heic",
            "public.heif": "heif", "public.avif": "avif", "org.webmproject.webp": "webp", "com.compuserve.gif": "gif",
            "com.microsoft.bmp": "bmp",
        ]
        return known[type] ?? type.split(separator: ".").last.map(String.init) ?? type
    }

    private func hasSpace(_ folder: URL) -> Bool {
        let values = try? folder.resourceValues(forKeys: [.volumeAvailableCapacityForImportantUsageKey])
        let free = values?.volumeAvailableCapacityForImportantUsage ?? .max
        return free > Int64(4 * result.width * result.height)
    }
}
