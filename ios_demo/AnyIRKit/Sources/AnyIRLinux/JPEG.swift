import AnyIRCore
import CJPEG
import Foundation

/// As ``anyir restore`` has it: restored detail should survive.
private let quality: Int32 = 95

/// Of one segment, less the six bytes before the block.
private let mostExif = 65_527

func readJPEG(_ data: Data, name: String) throws -> (MemoryPhoto, PhotoTags) {
    var image = anyir_jpeg()
    data.withUnsafeBytes { bytes in
        anyir_jpeg_read(bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count, &image)
    }
    defer { anyir_jpeg_free(&image) }
    guard let pixels = image.pixels else { throw PhotoFileError("\(name) is damaged: \(reason(image)).") }
    let (width, height) = (Int(image.width), Int(image.height))
    let photo = MemoryPhoto(
        width: width, height: height,
        pixels: Array(UnsafeBufferPointer(start: pixels, count: 4 * width * height)))
    let tags = PhotoTags(
        exif: Array(UnsafeBufferPointer(start: image.exif, count: image.exif_bytes)),
        profile: Array(UnsafeBufferPointer(start: image.profile, count: image.profile_bytes)), isGrey: image.is_grey)
    return (photo, tags)
}

/// - Throws: ``PhotoFileError``: the photo is transparent somewhere, or too large for a JPEG
func jpeg(of photo: MemoryPhoto, _ tags: inout PhotoTags, _ notes: inout [String], name: String) throws -> Data {
    guard photo.isOpaque else {
        throw PhotoFileError("\(name) cannot be written: a JPEG has no alpha; name a PNG.")
    }
    if tags.exif.count > mostExif {
        tags.exif = []
        notes.append("Its EXIF is too long for a JPEG and was left out.")
    }
    var (pixels, exif, profile) = (photo.pixels, tags.exif, tags.profile)
    return try pixels.withUnsafeMutableBufferPointer { pixels in
        try exif.withUnsafeMutableBufferPointer { exif in
            try profile.withUnsafeMutableBufferPointer { profile in
                var image = anyir_jpeg()
                image.pixels = pixels.baseAddress
                (image.width, image.height) = (Int32(photo.width), Int32(photo.height))
                image.is_grey = tags.isGrey
                (image.exif, image.exif_bytes) = (exif.baseAddress, exif.count)
                (image.profile, image.profile_bytes) = (profile.baseAddress, profile.count)
                var count = 0
                guard let bytes = anyir_jpeg_write(&image, quality, &count) else {
                    throw PhotoFileError("\(name) cannot be written: \(reason(image)).")
                }
                return Data(bytesNoCopy: bytes, count: count, deallocator: .free)
            }
        }
    }
}

private func reason(_ image: anyir_jpeg) -> String {
    withUnsafeBytes(of: image.error) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
}
