import AnyIRCore
import CPNG
import Foundation

private let signature: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]

/// Bytes of the signature and of the first chunk, which says how large the picture is.
private let head = 33

/// No profile has more.
private let mostProfile = 1 << 24

func isPNG(_ data: Data) -> Bool { data.starts(with: signature.prefix(4)) }

func readPNG(_ data: Data, name: String) throws -> (MemoryPhoto, PhotoTags) {
    var image = png_image()
    image.version = anyir_png_version
    defer { png_image_free(&image) }
    let photo = try data.withUnsafeBytes { bytes in
        guard png_image_begin_read_from_memory(&image, bytes.baseAddress, bytes.count) != 0 else {
            throw PhotoFileError("\(name) is damaged: \(reason(image)).")
        }
        let isGrey = image.format & anyir_png_colour == 0
        image.format = anyir_png_rgba
        let (width, height) = (Int(image.width), Int(image.height))
        var pixels = [UInt8](repeating: 0, count: 4 * width * height)
        guard png_image_finish_read(&image, nil, &pixels, Int32(4 * width), nil) != 0,
            image.warning_or_error == 0
        else { throw PhotoFileError("\(name) is damaged: \(reason(image)).") }
        return (MemoryPhoto(width: width, height: height, pixels: pixels), isGrey)
    }
    var tags = PhotoTags(isGrey: photo.1)
    for (kind, content) in chunks(of: Array(data)) {
        if kind == "eXIf" { tags.exif = Exif.withoutHeader(content) }
        if kind == "iCCP" { tags.profile = profile(of: content) }
    }
    return (photo.0, tags)
}

func png(of photo: MemoryPhoto, _ tags: PhotoTags, name: String) throws -> Data {
    var image = png_image()
    image.version = anyir_png_version
    image.width = png_uint_32(photo.width)
    image.height = png_uint_32(photo.height)
    let isOpaque = photo.isOpaque
    image.format =
        tags.isGrey
        ? isOpaque ? anyir_png_gray : anyir_png_gray_alpha : isOpaque ? anyir_png_rgb : anyir_png_rgba
    if !tags.profile.isEmpty { image.flags |= anyir_png_own_colours }
    let pixels = packed(photo, isGrey: tags.isGrey, isOpaque: isOpaque)
    var size = anyir_png_most(image)
    var bytes = [UInt8](repeating: 0, count: size)
    guard png_image_write_to_memory(&image, &bytes, &size, 0, pixels, 0, nil) != 0 else {
        throw PhotoFileError("\(name) cannot be written: \(reason(image)).")
    }
    var data = Data(bytes[..<head])
    if !tags.profile.isEmpty { data += chunk("iCCP", Array("profile\0\0".utf8) + deflated(tags.profile)) }
    data += bytes[head..<size]
    if !tags.exif.isEmpty { data.insert(contentsOf: chunk("eXIf", tags.exif), at: data.count - 12) }
    return data
}

/// Without the channels that say nothing.
private func packed(_ photo: MemoryPhoto, isGrey: Bool, isOpaque: Bool) -> [UInt8] {
    if !isGrey, !isOpaque { return photo.pixels }
    var packed: [UInt8] = []
    packed.reserveCapacity(photo.pixels.count)
    for i in stride(from: 0, to: photo.pixels.count, by: 4) {
        packed += photo.pixels[i..<i + (isGrey ? 1 : 3)]
        if !isOpaque { packed.append(photo.pixels[i + 3]) }
    }
    return packed
}

/// Kind and content of every chunk of a file that libpng has read already.
private func chunks(of bytes: [UInt8]) -> [(String, [UInt8])] {
    var found: [(String, [UInt8])] = []
    var place = signature.count
    while place + 12 <= bytes.count {
        let length = bytes[place..<place + 4].reduce(0) { $0 << 8 | Int($1) }
        guard place + 12 + length <= bytes.count else { break }
        let kind = String(decoding: bytes[place + 4..<place + 8], as: UTF8.self)
        if kind == "eXIf" || kind == "iCCP" { found.append((kind, Array(bytes[place + 8..<place + 8 + length]))) }
        place += 12 + length
    }
    return found
}

private func chunk(_ kind: String, _ content: [UInt8]) -> Data {
    let body = Array(kind.utf8) + content
    func number(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }
    let sum = UInt32(truncatingIfNeeded: crc32(0, body, uInt(body.count)))
    return Data(number(UInt32(content.count)) + body + number(sum))
}

/// Of an iCCP chunk: a name, 0, the method, and the profile, deflated. Empty where it is damaged.
private func profile(of content: [UInt8]) -> [UInt8] {
    guard let end = content.firstIndex(of: 0), end + 2 <= content.count else { return [] }
    let packed = Array(content[(end + 2)...])
    var room = 1 << 16
    while room <= mostProfile {
        var bytes = [UInt8](repeating: 0, count: room)
        var count = uLongf(room)
        let status = uncompress(&bytes, &count, packed, uLong(packed.count))
        if status == Z_OK { return Array(bytes[..<Int(count)]) }
        if status != Z_BUF_ERROR { return [] }
        room *= 4
    }
    return []
}

private func deflated(_ bytes: [UInt8]) -> [UInt8] {
    var count = compressBound(uLong(bytes.count))
    var packed = [UInt8](repeating: 0, count: Int(count))
    guard compress(&packed, &count, bytes, uLong(bytes.count)) == Z_OK else { return [] }
    return Array(packed[..<Int(count)])
}

private func reason(_ image: png_image) -> String {
    withUnsafeBytes(of: image.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
}
