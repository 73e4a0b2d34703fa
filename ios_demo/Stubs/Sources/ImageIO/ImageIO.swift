// ImageIO as far as the app uses it. Signatures are Apple's, from the pages named. Instead of JPEG and HEIC it reads and
// writes ``StubPhoto``, so that the way of a photo through the app is tested on Linux.
@_exported import CoreGraphics
import Foundation

/// A photo's file for the stubs: one line of JSON, then R G B A. Not Apple's.
public struct StubPhoto: Codable, Sendable {
    public var type: String
    public var width: Int
    public var height: Int
    public var orientation = 1
    public var space = "kCGColorSpaceSRGB"
    public var model = "RGB"
    public var alpha = false
    public var depth = 8
    public var frames = 1
    public var gainMap = false

    /// What decoding gives; false: nothing.
    public var decodes = true
    public var camera: String?

    public init(type: String, width: Int, height: Int) {
        self.type = type
        self.width = width
        self.height = height
    }

    public func file(_ pixels: [UInt8]) throws -> Data {
        try JSONEncoder().encode(self) + Data("\n".utf8) + Data(pixels)
    }

    /// The head and how many of its pixels are there.
    public static func read(_ data: Data) -> (StubPhoto, Data)? {
        guard let end = data.firstIndex(of: 10), let head = try? JSONDecoder().decode(Self.self, from: data[..<end])
        else { return nil }
        return (head, data[(end + 1)...])
    }
}

// https://developer.apple.com/documentation/imageio/cgimagesource
public final class CGImageSource {
    let photo: StubPhoto?
    let pixels: Data

    init(_ data: Data) {
        let found = StubPhoto.read(data)
        photo = found?.0
        pixels = found?.1 ?? Data()
    }
}

// https://developer.apple.com/documentation/imageio/cgimagesourcestatus
public enum CGImageSourceStatus: Int32, Sendable {
    case statusUnexpectedEOF = -5
    case statusInvalidData = -4
    case statusIncomplete = -1
    case statusComplete = 0
}

// https://developer.apple.com/documentation/imageio/cgimagesourcecreatewithurl(_:_:)
public func CGImageSourceCreateWithURL(_ url: CFURL, _ options: CFDictionary?) -> CGImageSource? {
    (try? Data(contentsOf: url)).map(CGImageSource.init)
}

// https://developer.apple.com/documentation/imageio/cgimagesourcegettype(_:)
public func CGImageSourceGetType(_ isrc: CGImageSource) -> CFString? { isrc.photo?.type }

// https://developer.apple.com/documentation/imageio/cgimagesourcegetcount(_:)
public func CGImageSourceGetCount(_ isrc: CGImageSource) -> Int { isrc.photo?.frames ?? 0 }

// https://developer.apple.com/documentation/imageio/cgimagesourcegetprimaryimageindex(_:)
public func CGImageSourceGetPrimaryImageIndex(_ isrc: CGImageSource) -> Int { 0 }

// https://developer.apple.com/documentation/imageio/cgimagesourcegetstatusatindex(_:_:)
public func CGImageSourceGetStatusAtIndex(_ isrc: CGImageSource, _ index: Int) -> CGImageSourceStatus {
    guard let photo = isrc.photo else { return .statusInvalidData }
    return photo.decodes && isrc.pixels.count < 4 * photo.width * photo.height ? .statusIncomplete : .statusComplete
}

// https://developer.apple.com/documentation/imageio/cgimagesourcecopypropertiesatindex(_:_:_:)
public func CGImageSourceCopyPropertiesAtIndex(
    _ isrc: CGImageSource, _ index: Int, _ options: CFDictionary?
) -> CFDictionary? {
    guard let photo = isrc.photo else { return nil }
    var properties: [AnyHashable: Any] = [
        kCGImagePropertyOrientation: NSNumber(value: photo.orientation),
        kCGImagePropertyPixelWidth: NSNumber(value: photo.width),
        kCGImagePropertyPixelHeight: NSNumber(value: photo.height),
        kCGImagePropertyDepth: NSNumber(value: photo.depth), kCGImagePropertyColorModel: photo.model,
    ]
    if let camera = photo.camera { properties[kCGImagePropertyTIFFDictionary] = ["Model": camera] }
    return properties
}

// https://developer.apple.com/documentation/imageio/cgimagesourcecopyauxiliarydatainfoatindex(_:_:_:)
public func CGImageSourceCopyAuxiliaryDataInfoAtIndex(
    _ isrc: CGImageSource, _ index: Int, _ auxiliaryImageDataType: CFString
) -> CFDictionary? {
    isrc.photo?.gainMap == true && auxiliaryImageDataType == kCGImageAuxiliaryDataTypeHDRGainMap ? [:] : nil
}

// https://developer.apple.com/documentation/imageio/cgimagesourcecreateimageatindex(_:_:_:)
public func CGImageSourceCreateImageAtIndex(
    _ isrc: CGImageSource, _ index: Int, _ options: CFDictionary?
) -> CGImage? {
    guard let photo = isrc.photo, photo.decodes, isrc.pixels.count >= 4 * photo.width * photo.height,
        let space = CGColorSpace(name: photo.space), let provider = CGDataProvider(data: Data(isrc.pixels))
    else { return nil }
    let alpha = photo.alpha ? CGImageAlphaInfo.last : .noneSkipLast
    return CGImage(
        width: photo.width, height: photo.height, bitsPerComponent: 8, bitsPerPixel: 32, bytesPerRow: 4 * photo.width,
        space: space, bitmapInfo: CGBitmapInfo(rawValue: alpha.rawValue), provider: provider, decode: nil,
        shouldInterpolate: true, intent: .defaultIntent)
}

// https://developer.apple.com/documentation/imageio/cgimagesourcecreatethumbnailatindex(_:_:_:)
public func CGImageSourceCreateThumbnailAtIndex(
    _ isrc: CGImageSource, _ index: Int, _ options: CFDictionary?
) -> CGImage? {
    guard let whole = CGImageSourceCreateImageAtIndex(isrc, index, nil), let photo = isrc.photo,
        let side = options?[kCGImageSourceThumbnailMaxPixelSize] as? Int
    else { return nil }
    let isTurned =
        options?[kCGImageSourceCreateThumbnailWithTransform] as? Bool == true && 5...8 ~= photo.orientation
    let scale = min(1, Double(side) / Double(max(whole.width, whole.height)))
    let width = max(1, Int(Double(whole.width) * scale))
    let height = max(1, Int(Double(whole.height) * scale))
    let alpha = photo.alpha ? CGImageAlphaInfo.premultipliedLast : .noneSkipLast
    let context = CGContext(
        data: nil, width: isTurned ? height : width, height: isTurned ? width : height, bitsPerComponent: 8,
        bytesPerRow: 0,
        space: whole.colorSpace.flatMap { $0.model == .rgb ? $0 : nil } ?? CGColorSpaceCreateDeviceRGB(),
        bitmapInfo: alpha.rawValue)
    context?.draw(whole, in: .zero)
    return context?.makeImage()
}

// https://developer.apple.com/documentation/imageio/cgimagedestination
public final class CGImageDestination {
    let url: URL
    let type: String
    var file: Data?

    init(_ url: URL, _ type: String) {
        self.url = url
        self.type = type
    }
}

// https://developer.apple.com/documentation/imageio/cgimagedestinationcopytypeidentifiers()
public func CGImageDestinationCopyTypeIdentifiers() -> CFArray {
    ["public.jpeg", "public.png", "public.heic", "public.tiff", "com.compuserve.gif"]
}

// https://developer.apple.com/documentation/imageio/cgimagedestinationcreatewithurl(_:_:_:_:)
public func CGImageDestinationCreateWithURL(
    _ url: CFURL, _ type: CFString, _ count: Int, _ options: CFDictionary?
) -> CGImageDestination? {
    CGImageDestination(url, type)
}

// https://developer.apple.com/documentation/imageio/cgimagedestinationaddimage(_:_:_:)
public func CGImageDestinationAddImage(_ idst: CGImageDestination, _ image: CGImage, _ properties: CFDictionary?) {
    var photo = StubPhoto(type: idst.type, width: image.width, height: image.height)
    photo.orientation = properties?[kCGImagePropertyOrientation] as? Int ?? 1
    photo.camera = (properties?[kCGImagePropertyTIFFDictionary] as? [String: Any])?["Model"] as? String
    photo.space = image.colorSpace?.name ?? ""
    photo.alpha = image.alphaInfo == .last
    idst.file = try? photo.file(Array(image.stubPixels))
}

// https://developer.apple.com/documentation/imageio/cgimagedestinationfinalize(_:)
public func CGImageDestinationFinalize(_ idst: CGImageDestination) -> Bool {
    (try? idst.file?.write(to: idst.url)) != nil
}
