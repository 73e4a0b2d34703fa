import Synchronization

/// A photo that is read by regions, in any order, so that it need not lie in memory as a whole.
///
/// Pixels are 4 bytes, R G B A, alpha not premultiplied. One caller at a time, of any thread.
public protocol PhotoSource: Sendable {
    /// In pixels, upright, at least 1.
    var width: Int { get }

    /// In pixels, upright, at least 1.
    var height: Int { get }

    /// Whether the three colours of every pixel are equal: a grey photo, or a black-and-white one that is stored in
    /// colour. So are the result's then: the mean of what the engine gives. False unless a source says otherwise.
    var isGrey: Bool { get }

    /// Reads a region row by row.
    ///
    /// - Parameters:
    ///   - region: inside the photo
    ///   - pixels: receives region.width x region.height pixels from the beginning
    func read(_ region: Region, into pixels: UnsafeMutableBufferPointer<UInt8>) throws
}

extension PhotoSource {
    public var isGrey: Bool { false }
}

/// Takes a restored photo row by row, from top to bottom, each row once.
public protocol PhotoSink: Sendable {
    /// Takes the next rows.
    ///
    /// - Parameters:
    ///   - pixels: rows x width pixels, as ``PhotoSource`` has them; reused by the caller afterwards
    ///   - firstRow: its y
    ///   - rows: how many
    func write(_ pixels: UnsafeBufferPointer<UInt8>, firstRow: Int, rows: Int) throws
}

/// A photo in memory.
public struct MemoryPhoto: PhotoSource, Equatable {
    public let width: Int
    public let height: Int

    /// width x height x 4 bytes: R G B A.
    public let pixels: [UInt8]

    public let isGrey: Bool

    public init(width: Int, height: Int, pixels: [UInt8]) {
        precondition(width >= 1 && height >= 1 && pixels.count == 4 * width * height, "not \(width)x\(height) pixels")
        self.width = width
        self.height = height
        self.pixels = pixels
        isGrey = pixels.withUnsafeBufferPointer(AnyIRCore.isGrey)
    }

    public func read(_ region: Region, into target: UnsafeMutableBufferPointer<UInt8>) {
        precondition(region.x >= 0 && region.x + region.width <= width, "\(region) leaves the photo")
        precondition(region.y >= 0 && region.y + region.height <= height, "\(region) leaves the photo")
        pixels.withUnsafeBufferPointer { copy(region, of: $0, width: width, into: target) }
    }
}

/// Whether pixels, 4 bytes each, have three equal colours everywhere.
public func isGrey(_ pixels: UnsafeBufferPointer<UInt8>) -> Bool {
    stride(from: 0, to: pixels.count, by: 4).allSatisfy {
        pixels[$0] == pixels[$0 + 1] && pixels[$0 + 1] == pixels[$0 + 2]
    }
}

/// Copies a region of pixels, 4 bytes each, that lie in memory row by row.
///
/// - Parameters:
///   - width: pixels in a row
///   - target: receives region.width x region.height pixels
public func copy(
    _ region: Region, of pixels: UnsafeBufferPointer<UInt8>, width: Int,
    into target: UnsafeMutableBufferPointer<UInt8>
) {
    let bytes = 4 * region.width
    for row in 0..<region.height {
        let start = 4 * ((region.y + row) * width + region.x)
        _ = UnsafeMutableBufferPointer(rebasing: target[row * bytes..<(row + 1) * bytes])
            .update(fromContentsOf: pixels[start..<start + bytes])
    }
}

/// Whether pixels, 4 bytes each, are opaque everywhere.
public func isOpaque(_ pixels: UnsafeBufferPointer<UInt8>) -> Bool {
    stride(from: 3, to: pixels.count, by: 4).allSatisfy { pixels[$0] == 255 }
}

extension MemoryPhoto {
    public var isOpaque: Bool { pixels.withUnsafeBufferPointer(AnyIRCore.isOpaque) }
}

/// Collects a restored photo in memory.
public final class MemorySink: PhotoSink {
    private let width: Int
    private let height: Int
    private let pixels: Mutex<[UInt8]>

    public init(width: Int, height: Int) {
        self.width = width
        self.height = height
        let room = max(0, 4 * width * height)
        pixels = Mutex(Array(unsafeUninitializedCapacity: room) { _, count in count = 0 })
    }

    public func write(_ rows: UnsafeBufferPointer<UInt8>, firstRow: Int, rows count: Int) {
        pixels.withLock { pixels in
            precondition(pixels.count == 4 * width * firstRow, "row \(firstRow) after \(pixels.count / 4 / width)")
            pixels.append(contentsOf: rows[0..<4 * width * count])
        }
    }

    /// The photo; nil while rows are missing.
    public var photo: MemoryPhoto? {
        let all = pixels.withLock { $0 }
        return all.count == 4 * width * height ? MemoryPhoto(width: width, height: height, pixels: all) : nil
    }
}
