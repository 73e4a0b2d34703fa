import CoreGraphics
import Foundation
import ImageIO

extension CGImage {
    /// The picture's own where it is RGB, as the network sees the numbers in the file; sRGB for all others.
    public var restoringSpace: CGColorSpace {
        if let space = colorSpace, space.model == .rgb, space.supportsOutput { return space }
        return CGColorSpace(name: CGColorSpace.sRGB) ?? CGColorSpaceCreateDeviceRGB()
    }

    public var hasAlpha: Bool { ![CGImageAlphaInfo.none, .noneSkipFirst, .noneSkipLast].contains(alphaInfo) }

    /// Decodes the picture as it lies in its file.
    ///
    /// - Parameter pixels: receives width x height pixels, R G B A, alpha not premultiplied
    /// - Returns: false where there is not enough memory for it
    public func decode(into pixels: UnsafeMutableBufferPointer<UInt8>) -> Bool {
        precondition(pixels.count == 4 * width * height)
        let info = hasAlpha ? CGImageAlphaInfo.premultipliedLast : .noneSkipLast
        let context = CGContext(
            data: pixels.baseAddress, width: width, height: height, bitsPerComponent: 8, bytesPerRow: 4 * width,
            space: restoringSpace, bitmapInfo: info.rawValue | CGBitmapInfo.byteOrder32Big.rawValue)
        guard let context else { return false }
        context.interpolationQuality = .none
        context.setBlendMode(.copy)
        context.draw(self, in: CGRect(x: 0, y: 0, width: width, height: height))
        if hasAlpha {
            unpremultiply(pixels)
        } else {
            for i in stride(from: 3, to: pixels.count, by: 4) { pixels[i] = 255 }
        }
        return true
    }
}

/// A picture whose memory is that of `data`.
///
/// - Parameters:
///   - data: width x height pixels, R G B A, alpha not premultiplied
///   - hasAlpha: whether alpha counts
public func picture(
    of data: Data, width: Int, height: Int, space: CGColorSpace, hasAlpha: Bool
) -> CGImage? {
    let info = hasAlpha ? CGImageAlphaInfo.last : .noneSkipLast
    guard let provider = CGDataProvider(data: data as CFData) else { return nil }
    return CGImage(
        width: width, height: height, bitsPerComponent: 8, bitsPerPixel: 32, bytesPerRow: 4 * width, space: space,
        bitmapInfo: CGBitmapInfo(rawValue: info.rawValue | CGBitmapInfo.byteOrder32Big.rawValue), provider: provider,
        decode: nil, shouldInterpolate: true, intent: .defaultIntent)
}

/// What a result's file is to say: all that the photo's says, but for how the picture lies and how large it is.
public func resultProperties(_ properties: [String: Any], width: Int, height: Int) -> [String: Any] {
    var kept = properties
    kept[kCGImagePropertyOrientation as String] = 1
    kept[kCGImagePropertyPixelWidth as String] = width
    kept[kCGImagePropertyPixelHeight as String] = height
    // Of the file that was, not of the new one.
    for key in [kCGImagePropertyDepth, kCGImagePropertyIsFloat, kCGImagePropertyIsIndexed] {
        kept[key as String] = nil
    }
    let places = [
        (kCGImagePropertyTIFFDictionary, [kCGImagePropertyTIFFOrientation: 1]),
        (
            kCGImagePropertyExifDictionary,
            [kCGImagePropertyExifPixelXDimension: width, kCGImagePropertyExifPixelYDimension: height]
        ),
    ]
    for (name, changes) in places {
        guard var values = kept[name as String] as? [String: Any] else { continue }
        for (key, value) in changes { values[key as String] = value }
        kept[name as String] = values
    }
    return kept
}

/// Colours that were multiplied with their alpha, as they were. Those beneath alpha 0 are lost and stay 0.
func unpremultiply(_ pixels: UnsafeMutableBufferPointer<UInt8>) {
    for i in stride(from: 0, to: pixels.count, by: 4) {
        let alpha = Int(pixels[i + 3])
        if alpha == 255 || alpha == 0 { continue }
        for colour in i..<i + 3 { pixels[colour] = UInt8(min(255, (Int(pixels[colour]) * 255 + alpha / 2) / alpha)) }
    }
}
