import AnyIRCore
import CJPEG
import CPNG
import Foundation

/// A photo's file cannot be read or written.
public struct PhotoFileError: OneSentence, Equatable {
    public let sentence: String

    init(_ sentence: String) { self.sentence = sentence }
}

/// Reads a PNG or JPEG, upright as its EXIF says, as 8 bits a channel. Colour profiles are left out.
///
/// - Throws: ``PhotoFileError``
public func readPhoto(_ url: URL) throws -> MemoryPhoto {
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
    if data.starts(with: [0x89, 0x50, 0x4e, 0x47]) { return try readPNG(data, name: name) }
    if data.starts(with: [0xff, 0xd8]) { return try readJPEG(data, name: name) }
    throw PhotoFileError("\(name) is neither a PNG nor a JPEG.")
}

private func readPNG(_ data: Data, name: String) throws -> MemoryPhoto {
    var image = png_image()
    image.version = anyir_png_version
    defer { png_image_free(&image) }
    return try data.withUnsafeBytes { bytes in
        guard png_image_begin_read_from_memory(&image, bytes.baseAddress, bytes.count) != 0 else {
            throw PhotoFileError("\(name) is damaged: \(reason(&image)).")
        }
        image.format = anyir_png_rgba
        let (width, height) = (Int(image.width), Int(image.height))
        var pixels = [UInt8](repeating: 0, count: 4 * width * height)
        guard png_image_finish_read(&image, nil, &pixels, Int32(4 * width), nil) != 0,
            image.warning_or_error == 0
        else { throw PhotoFileError("\(name) is damaged: \(reason(&image)).") }
        return MemoryPhoto(width: width, height: height, pixels: pixels)
    }
}

private func readJPEG(_ data: Data, name: String) throws -> MemoryPhoto {
    var image = anyir_jpeg()
    data.withUnsafeBytes { bytes in
        anyir_jpeg_read(bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count, &image)
    }
    defer { anyir_jpeg_free(&image) }
    guard let pixels = image.pixels else {
        let reason = withUnsafeBytes(of: image.error) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        throw PhotoFileError("\(name) is damaged: \(reason).")
    }
    let (width, height) = (Int(image.width), Int(image.height))
    let photo = MemoryPhoto(
        width: width, height: height,
        pixels: Array(UnsafeBufferPointer(start: pixels, count: 4 * width * height)))
    guard let exif = image.exif else { return photo }
    let block = Array(UnsafeBufferPointer(start: exif, count: image.exif_bytes))
    return photo.upright(exif: Exif.orientation(of: block))
}

/// Writes a PNG beside the target, then renames: there is never half a file.
///
/// - Throws: ``PhotoFileError``
public func writePNG(_ photo: MemoryPhoto, to url: URL) throws {
    var image = png_image()
    image.version = anyir_png_version
    image.width = png_uint_32(photo.width)
    image.height = png_uint_32(photo.height)
    let isOpaque = stride(from: 3, to: photo.pixels.count, by: 4).allSatisfy { photo.pixels[$0] == 255 }
    image.format = isOpaque ? anyir_png_rgb : anyir_png_rgba
    let pixels = isOpaque ? photo.pixels.enumerated().filter { $0.offset % 4 != 3 }.map(\.element) : photo.pixels
    let part = url.deletingLastPathComponent().appendingPathComponent(".\(url.lastPathComponent).part")
    defer { try? FileManager.default.removeItem(at: part) }
    guard png_image_write_to_file(&image, part.path, 0, pixels, 0, nil) != 0 else {
        throw PhotoFileError("\(url.path) cannot be written: \(reason(&image)).")
    }
    guard rename(part.path, url.path) == 0 else {
        throw PhotoFileError("\(url.path) cannot be written: \(String(cString: strerror(errno))).")
    }
}

private func reason(_ image: inout png_image) -> String {
    withUnsafeBytes(of: image.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
}
