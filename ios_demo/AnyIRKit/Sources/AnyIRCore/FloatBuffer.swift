import Foundation

/// Floats at a fixed address that engines may read and write without a copy, page-aligned as GPUs want it.
///
/// Not Sendable: whoever owns the engine owns its buffers.
public final class FloatBuffer {
    public let values: UnsafeMutableBufferPointer<Float>

    /// Where they begin.
    public let memory: UnsafeMutablePointer<Float>

    /// - Parameter count: of floats, at least 1; all are 0 at first.
    public init(count: Int) {
        precondition(count >= 1, "a buffer of \(count) floats")
        // Apple's pages; a multiple of those of other systems.
        let bytes = UnsafeMutableRawPointer.allocate(byteCount: 4 * count, alignment: 16384)
        memory = bytes.bindMemory(to: Float.self, capacity: count)
        values = UnsafeMutableBufferPointer(start: memory, count: count)
        values.initialize(repeating: 0)
    }

    deinit { UnsafeMutableRawPointer(memory).deallocate() }

    public var count: Int { values.count }

    /// Whether no value is NaN or infinity.
    public var isFinite: Bool { values.allSatisfy(\.isFinite) }
}
