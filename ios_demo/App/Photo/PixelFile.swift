import AnyIRApple
import AnyIRCore
import CoreGraphics
import Foundation
import Synchronization

/// A result's pixels in a file, row by row, R G B A, without a header: written as rows become ready, and read without
/// taking memory for all of it.
final class PixelWriter: PhotoSink {
    private let file: Mutex<FileHandle>

    /// - Throws: the file cannot be made
    init(_ url: URL) throws {
        try Data().write(to: url)
        file = Mutex(try FileHandle(forWritingTo: url))
    }

    func write(_ pixels: UnsafeBufferPointer<UInt8>, firstRow: Int, rows: Int) throws {
        let data = Data(buffer: pixels)
        try file.withLock { try $0.write(contentsOf: data) }
    }

    func close() throws {
        try file.withLock { file in
            try file.synchronize()
            try file.close()
        }
    }
}

/// What ``PixelWriter`` wrote.
struct PixelFile {
    let width: Int
    let height: Int
    private let data: Data

    /// - Throws: ``PhotoFault``: it is gone or not of this size
    init(_ url: URL, width: Int, height: Int) throws {
        guard let data = try? Data(contentsOf: url, options: .alwaysMapped), data.count == 4 * width * height else {
            throw PhotoFault(.gone)
        }
        self.width = width
        self.height = height
        self.data = data
    }

    func withPixels<Value>(_ body: (UnsafeBufferPointer<UInt8>) throws -> Value) rethrows -> Value {
        try data.withUnsafeBytes { try body($0.bindMemory(to: UInt8.self)) }
    }

    /// The picture, whose memory is the file's.
    func image(space: CGColorSpace, hasAlpha: Bool) throws -> CGImage {
        guard let image = picture(of: data, width: width, height: height, space: space, hasAlpha: hasAlpha) else {
            throw PhotoFault(.noMemory)
        }
        return image
    }
}
