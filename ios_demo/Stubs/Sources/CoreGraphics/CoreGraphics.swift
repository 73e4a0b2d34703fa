// Core Graphics as far as the app uses it: 8-bit pixels in memory, which are drawn only at their own size or reduced by
// taking the nearest. Signatures are Apple's, from the pages named.
import Foundation

// https://developer.apple.com/documentation/coregraphics/cgimagealphainfo
public enum CGImageAlphaInfo: UInt32, Sendable {
    case none = 0
    case premultipliedLast = 1
    case premultipliedFirst = 2
    case last = 3
    case first = 4
    case noneSkipLast = 5
    case noneSkipFirst = 6
    case alphaOnly = 7
}

// https://developer.apple.com/documentation/coregraphics/cgbitmapinfo
public struct CGBitmapInfo: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    // https://developer.apple.com/documentation/coregraphics/cgbitmapinfo/byteorder32big
    public static var byteOrder32Big: CGBitmapInfo { CGBitmapInfo(rawValue: 4 << 12) }
}

// https://developer.apple.com/documentation/coregraphics/cgcolorspacemodel
public enum CGColorSpaceModel: Int32, Sendable {
    case unknown = -1
    case monochrome = 0
    case rgb = 1
    case cmyk = 2
}

// https://developer.apple.com/documentation/coregraphics/cgcolorspace
public final class CGColorSpace {
    // https://developer.apple.com/documentation/coregraphics/cgcolorspace/name
    public let name: CFString?
    // https://developer.apple.com/documentation/coregraphics/cgcolorspace/model
    public let model: CGColorSpaceModel
    // https://developer.apple.com/documentation/coregraphics/cgcolorspace/supportsoutput
    public let supportsOutput = true

    // https://developer.apple.com/documentation/coregraphics/cgcolorspace/init(name:)
    public init?(name: CFString) {
        self.name = name
        model = name.contains("Gray") ? .monochrome : name.contains("CMYK") ? .cmyk : .rgb
    }

    // https://developer.apple.com/documentation/coregraphics/cgcolorspace/srgb
    public static let sRGB: CFString = "kCGColorSpaceSRGB"
}

// https://developer.apple.com/documentation/coregraphics/cgcolorspacecreatedevicergb()
public func CGColorSpaceCreateDeviceRGB() -> CGColorSpace {
    guard let space = CGColorSpace(name: "kCGColorSpaceDeviceRGB") else { fatalError("a stub without a space") }
    return space
}

// https://developer.apple.com/documentation/coregraphics/cgdataprovider
public final class CGDataProvider {
    let bytes: Data
    // https://developer.apple.com/documentation/coregraphics/cgdataprovider/init(data:)
    public init?(data: CFData) { bytes = data }
}

// https://developer.apple.com/documentation/coregraphics/cgcolorrenderingintent
public enum CGColorRenderingIntent: Int32, Sendable {
    case defaultIntent = 0
}

// https://developer.apple.com/documentation/coregraphics/cgimage
public final class CGImage {
    // https://developer.apple.com/documentation/coregraphics/cgimage/width
    public let width: Int
    // https://developer.apple.com/documentation/coregraphics/cgimage/height
    public let height: Int
    // https://developer.apple.com/documentation/coregraphics/cgimage/colorspace
    public let colorSpace: CGColorSpace?
    // https://developer.apple.com/documentation/coregraphics/cgimage/alphainfo
    public let alphaInfo: CGImageAlphaInfo

    /// R G B A; the stubs' own.
    public let stubPixels: Data

    // https://developer.apple.com/documentation/coregraphics/cgimage/init(width:height:bitspercomponent:bitsperpixel:bytesperrow:space:bitmapinfo:provider:decode:shouldinterpolate:intent:)
    public init?(
        width: Int, height: Int, bitsPerComponent: Int, bitsPerPixel: Int, bytesPerRow: Int, space: CGColorSpace,
        bitmapInfo: CGBitmapInfo, provider: CGDataProvider, decode: UnsafePointer<CGFloat>?, shouldInterpolate: Bool,
        intent: CGColorRenderingIntent
    ) {
        guard let alpha = CGImageAlphaInfo(rawValue: bitmapInfo.rawValue & 0x1f), bitsPerPixel == 32,
            provider.bytes.count >= 4 * width * height
        else { return nil }
        self.width = width
        self.height = height
        colorSpace = space
        alphaInfo = alpha
        stubPixels = provider.bytes
    }
}

// https://developer.apple.com/documentation/coregraphics/cginterpolationquality
public enum CGInterpolationQuality: Int32, Sendable {
    case none = 1
    case high = 3
}

// https://developer.apple.com/documentation/coregraphics/cgblendmode
public enum CGBlendMode: Int32, Sendable {
    case normal = 0
    case copy = 17
}

// https://developer.apple.com/documentation/coregraphics/cgcontext
public final class CGContext {
    private let width: Int
    private let height: Int
    private let space: CGColorSpace
    private let alpha: CGImageAlphaInfo
    private let pixels: UnsafeMutableBufferPointer<UInt8>
    private let isOwn: Bool

    // https://developer.apple.com/documentation/coregraphics/cgcontext/interpolationquality
    public var interpolationQuality = CGInterpolationQuality.high

    // https://developer.apple.com/documentation/coregraphics/cgcontext/init(data:width:height:bitspercomponent:bytesperrow:space:bitmapinfo:)
    public init?(
        data: UnsafeMutableRawPointer?, width: Int, height: Int, bitsPerComponent: Int, bytesPerRow: Int,
        space: CGColorSpace, bitmapInfo: UInt32
    ) {
        // As Apple's: contexts hold colours multiplied with alpha, of RGB.
        guard let alpha = CGImageAlphaInfo(rawValue: bitmapInfo & 0x1f), bitsPerComponent == 8,
            [.premultipliedLast, .noneSkipLast].contains(alpha), space.model == .rgb, width > 0, height > 0
        else { return nil }
        self.width = width
        self.height = height
        self.space = space
        self.alpha = alpha
        isOwn = data == nil
        let memory = data ?? UnsafeMutableRawPointer.allocate(byteCount: 4 * width * height, alignment: 16)
        pixels = UnsafeMutableBufferPointer(
            start: memory.bindMemory(to: UInt8.self, capacity: 4 * width * height), count: 4 * width * height)
    }

    deinit { if isOwn { pixels.deallocate() } }

    // https://developer.apple.com/documentation/coregraphics/cgcontext/setblendmode(_:)
    public func setBlendMode(_ mode: CGBlendMode) {}

    // https://developer.apple.com/documentation/coregraphics/cgcontext/draw(_:in:bytiling:)
    public func draw(_ image: CGImage, in rect: CGRect, byTiling: Bool = false) {
        image.stubPixels.withUnsafeBytes { source in
            for y in 0..<height {
                for x in 0..<width {
                    let from = 4 * (y * image.height / height * image.width + x * image.width / width)
                    let to = 4 * (y * width + x)
                    let opacity = alpha == .premultipliedLast ? Int(source[from + 3]) : 255
                    for i in 0..<3 {
                        let isStraight = image.alphaInfo == .last
                        let value = Int(source[from + i])
                        pixels[to + i] = UInt8(isStraight ? (value * opacity + 127) / 255 : value)
                    }
                    pixels[to + 3] = UInt8(opacity)
                }
            }
        }
    }

    // https://developer.apple.com/documentation/coregraphics/cgcontext/makeimage()
    public func makeImage() -> CGImage? {
        CGDataProvider(data: Data(buffer: pixels)).flatMap {
            CGImage(
                width: width, height: height, bitsPerComponent: 8, bitsPerPixel: 32, bytesPerRow: 4 * width,
                space: space,
                bitmapInfo: CGBitmapInfo(rawValue: alpha.rawValue), provider: $0, decode: nil, shouldInterpolate: true,
                intent: .defaultIntent)
        }
    }
}
