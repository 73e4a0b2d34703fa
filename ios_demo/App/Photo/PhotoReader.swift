import AnyIRApple
import AnyIRState
import CoreGraphics
import Foundation
import ImageIO

/// A photo's file as ImageIO sees it.
struct PhotoReader {
    private let source: CGImageSource
    private let index: Int
    private let properties: [String: Any]

    /// The file's uniform type identifier, such as "public.jpeg".
    let type: String

    /// - Throws: ``PhotoFault``: it is gone, is no photo, an animation, has several pages, or its end is missing
    init(_ url: URL) throws {
        guard FileManager.default.fileExists(atPath: url.path) else { throw PhotoFault(.gone) }
        guard let source = CGImageSourceCreateWithURL(url as CFURL, nil), let type = CGImageSourceGetType(source),
            CGImageSourceGetCount(source) > 0
        else { throw PhotoFault(.notAPhoto) }
        self.source = source
        self.type = type as String
        switch SeveralPictures(source) {
        case .frames: throw PhotoFault(.animated)
        case .pages: throw PhotoFault(.severalPages)
        case nil: break
        }
        index = CGImageSourceGetPrimaryImageIndex(source)
        guard CGImageSourceGetStatusAtIndex(source, index) == .statusComplete else { throw PhotoFault(.cutOff) }
        properties = CGImageSourceCopyPropertiesAtIndex(source, index, nil) as? [String: Any] ?? [:]
    }

    /// What the screens show of it.
    ///
    /// - Parameters:
    ///   - file: where it lies, in the app's folder
    ///   - name: for people
    /// - Throws: ``PhotoFault``: it is larger than can be restored even at half size, or cannot be decoded
    func info(file: String, name: String) throws -> PhotoInfo {
        let orientation = number(kCGImagePropertyOrientation) ?? 1
        guard let width = number(kCGImagePropertyPixelWidth), let height = number(kCGImagePropertyPixelHeight),
            width > 0, height > 0
        else { throw PhotoFault(.cannotDecode) }
        let swaps = 5...8 ~= orientation
        let info = PhotoInfo(
            file: file, name: name, type: type, orientation: orientation, width: swaps ? height : width,
            height: swaps ? width : height, notes: notes)
        let megapixels = Int(info.megapixels.rounded(.up))
        if megapixels > 4 * PhotoInfo.maxMegapixels { throw PhotoFault(.tooLarge(megapixels: megapixels)) }
        return info
    }

    /// The picture as it lies in the file.
    ///
    /// - Parameter side: its longer side at most; nil for the whole
    /// - Throws: ``PhotoFault``: it cannot be decoded
    func image(side: Int? = nil) throws -> CGImage {
        let image =
            if let side { thumbnail(side: side, upright: false) } else {
                CGImageSourceCreateImageAtIndex(source, index, nil)
            }
        guard let image else { throw PhotoFault(.cannotDecode) }
        return image
    }

    /// An upright picture for the screen.
    ///
    /// - Parameter side: its longer side at most, in pixels
    func preview(side: Int) throws -> CGImage {
        guard let image = thumbnail(side: side, upright: true) else { throw PhotoFault(.cannotDecode) }
        return image
    }

    /// What a result's file is to say.
    func properties(ofResult width: Int, _ height: Int) -> [String: Any] {
        resultProperties(properties, width: width, height: height)
    }

    private var notes: [String] {
        var notes: [String] = []
        let maps = [kCGImageAuxiliaryDataTypeHDRGainMap, kCGImageAuxiliaryDataTypeISOGainMap]
        if maps.contains(where: { CGImageSourceCopyAuxiliaryDataInfoAtIndex(source, index, $0) != nil }) {
            notes.append(Words.noteGainMap)
        }
        if let bits = number(kCGImagePropertyDepth), bits > 8 { notes.append(Words.noteBits(bits)) }
        let model = properties[kCGImagePropertyColorModel as String] as? String
        let known = [kCGImagePropertyColorModelRGB, kCGImagePropertyColorModelGray].map { $0 as String }
        if let model, !known.contains(model) { notes.append(Words.noteColours(model)) }
        return notes
    }

    private func number(_ key: CFString) -> Int? { (properties[key as String] as? NSNumber)?.intValue }

    private func thumbnail(side: Int, upright: Bool) -> CGImage? {
        let options: [String: Any] = [
            kCGImageSourceCreateThumbnailFromImageAlways as String: true,
            kCGImageSourceCreateThumbnailWithTransform as String: upright,
            kCGImageSourceThumbnailMaxPixelSize as String: side,
        ]
        return CGImageSourceCreateThumbnailAtIndex(source, index, options as CFDictionary)
    }
}
