import AnyIRCore
import CoreML
import CoreVideo
import Foundation

/// A float16 array whose memory the app and the Neural Engine share: a pixel buffer on an IOSurface, as wide as the last
/// dimension and as high as the others together. Core ML reads and writes it where it lies.
///
/// It is made once and used for every tile. Its rows may be padded.
final class HalfArray {
    let array: MLMultiArray
    private let buffer: CVPixelBuffer
    private let name: String
    private let width: Int
    private let height: Int

    /// - Throws: ``EngineError``: there is not enough memory
    init(_ tensor: Manifest.Tensor) throws {
        name = tensor.name
        width = tensor.shape.last ?? 1
        height = tensor.shape.dropLast().reduce(1, *)
        var made: CVPixelBuffer?
        let attributes = [kCVPixelBufferIOSurfacePropertiesKey as String: [String: Any]()]
        let status = CVPixelBufferCreate(
            nil, width, height, kCVPixelFormatType_OneComponent16Half, attributes as CFDictionary, &made)
        guard status == kCVReturnSuccess, let made else {
            throw EngineError("There is no memory for \(tensor.name), which Core ML is to share (\(status)).")
        }
        buffer = made
        array = MLMultiArray(pixelBuffer: made, shape: tensor.shape.map { NSNumber(value: $0) })
    }

    /// Rounds the values to float16.
    ///
    /// - Parameter values: width x height
    /// - Throws: ``EngineError``: the system does not give the memory
    func fill(from values: FloatBuffer) throws {
        try withRows([]) { row, halves in
            let start = row * width
            for x in 0..<width { halves[x] = Float16(values.values[start + x]) }
        }
    }

    /// - Parameter values: receives width x height
    /// - Throws: ``EngineError``: the system does not give the memory
    func read(into values: FloatBuffer) throws {
        try withRows(.readOnly) { row, halves in
            let start = row * width
            for x in 0..<width { values.values[start + x] = Float(halves[x]) }
        }
    }

    private func withRows(
        _ flags: CVPixelBufferLockFlags, _ body: (Int, UnsafeMutablePointer<Float16>) -> Void
    ) throws {
        let status = CVPixelBufferLockBaseAddress(buffer, flags)
        guard status == kCVReturnSuccess else { throw unreachable(status) }
        defer { CVPixelBufferUnlockBaseAddress(buffer, flags) }
        guard let memory = CVPixelBufferGetBaseAddress(buffer) else { throw unreachable(status) }
        let bytes = CVPixelBufferGetBytesPerRow(buffer)
        for row in 0..<height {
            body(row, (memory + row * bytes).bindMemory(to: Float16.self, capacity: width))
        }
    }
    private func unreachable(_ status: CVReturn) -> EngineError {
        EngineError("The memory of \(name), which Core ML shares, cannot be reached (\(status)).")
    }
}
