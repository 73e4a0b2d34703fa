import AnyIRApple
import AnyIRState
import CoreGraphics
import Foundation

/// The pictures that the screen compares: upright, of the same shape, at most ``side`` pixels long.
///
/// Sendable unchecked: a CGImage never changes.
struct PhotoImages: @unchecked Sendable {
    /// A photo of 12 megapixels is seen pixel by pixel; larger ones are reduced. 64 MB each at most.
    static let side = 4096

    let before: CGImage

    /// At full strength; nil before there is one.
    let after: CGImage?

    /// Decodes them: not on the main thread.
    init(_ files: PhotoFiles, photo: PhotoInfo, result: RestoredPhoto?) throws {
        let before = try PhotoReader(files.url(photo.file)).preview(side: Self.side)
        self.before = before
        after = try result.map { result in
            let pixels = try PixelFile(files.url(result.file), width: result.width, height: result.height)
            let whole = try pixels.image(space: before.restoringSpace, hasAlpha: before.hasAlpha)
            return try Self.reduced(whole)
        }
    }

    private static func reduced(_ image: CGImage) throws -> CGImage {
        let scale = min(1, Double(side) / Double(max(image.width, image.height)))
        let (width, height) = (
            max(1, Int(Double(image.width) * scale)), max(1, Int(Double(image.height) * scale))
        )
        let info = image.hasAlpha ? CGImageAlphaInfo.premultipliedLast : .noneSkipLast
        guard
            let context = CGContext(
                data: nil, width: width, height: height, bitsPerComponent: 8, bytesPerRow: 0,
                space: image.restoringSpace, bitmapInfo: info.rawValue)
        else { throw PhotoFault(.noMemory) }
        context.interpolationQuality = .high
        context.draw(image, in: CGRect(x: 0, y: 0, width: width, height: height))
        guard let reduced = context.makeImage() else { throw PhotoFault(.noMemory) }
        return reduced
    }
}
