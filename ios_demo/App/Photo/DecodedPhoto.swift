import AnyIRApple
import AnyIRCore
import AnyIRState
import CoreGraphics
import Foundation
import os

/// A photo decoded once and as a whole, in its own RGB colour space, from which upright tiles are read: 4 bytes a pixel.
/// ImageIO decodes no regions.
///
/// Sendable unchecked: its memory is written before anybody else knows of it.
final class DecodedPhoto: PhotoSource, @unchecked Sendable {
    let width: Int
    let height: Int
    let isGrey: Bool
    private let fileWidth: Int
    private let fileHeight: Int
    private let orientation: Orientation
    private let pixels: UnsafeMutableBufferPointer<UInt8>

    /// - Parameters:
    ///   - url: the photo's file
    ///   - info: as ``PhotoReader`` found it
    ///   - halfSize: at half its width and height
    /// - Throws: ``PhotoFault``: it is gone, cannot be decoded, or does not fit into memory
    init(_ url: URL, info: PhotoInfo, halfSize: Bool) throws {
        let size = halfSize ? info.half : (info.width, info.height)
        // The picture, and ImageIO's own copy while it decodes.
        try Self.checkMemory(8 * size.0 * size.1)
        let image = try PhotoReader(url).image(side: halfSize ? max(size.0, size.1) : nil)
        fileWidth = image.width
        fileHeight = image.height
        orientation = Orientation(exif: info.orientation)
        (width, height) = orientation.upright(width: image.width, height: image.height)
        pixels = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 4 * image.width * image.height)
        guard image.decode(into: pixels) else {
            pixels.deallocate()
            throw PhotoFault(.cannotDecode)
        }
        isGrey = AnyIRCore.isGrey(UnsafeBufferPointer(pixels))
    }

    deinit { pixels.deallocate() }

    func read(_ region: Region, into target: UnsafeMutableBufferPointer<UInt8>) {
        let part = orientation.inFile(region, width: fileWidth, height: fileHeight)
        if orientation.isUpright {
            copy(part, of: UnsafeBufferPointer(pixels), width: fileWidth, into: target)
        } else {
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 4 * part.width * part.height) { lying in
                copy(part, of: UnsafeBufferPointer(pixels), width: fileWidth, into: lying)
                orientation.turn(UnsafeBufferPointer(lying), width: region.width, height: region.height, into: target)
            }
        }
    }

    private static func checkMemory(_ bytes: Int) throws {
        let available = Int(os_proc_available_memory())
        // 0: the system does not tell, as in the simulator.
        if available > 0, bytes > available { throw PhotoFault(.noPhotoMemory) }
    }
}
