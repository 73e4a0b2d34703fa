/// Mixes a result with the photo as it was.
///
/// - Parameters:
///   - result: 8-bit values at full strength
///   - photo: as many, as they were
///   - strength: 0...1, the result's share; alpha, the fourth of every four bytes, is the same in both
///   - mixed: receives as many values, rounded half to even; may be `result` or `photo` itself
public func mix(
    _ result: UnsafeBufferPointer<UInt8>, with photo: UnsafeBufferPointer<UInt8>, strength: Float,
    into mixed: UnsafeMutableBufferPointer<UInt8>
) {
    precondition(photo.count >= result.count && mixed.count >= result.count)
    let strength = min(max(strength, 0), 1)
    for i in result.indices {
        let value = Float(result[i]) * strength + Float(photo[i]) * (1 - strength)
        mixed[i] = UInt8(min(max(value, 0), 255).rounded(.toNearestOrEven))
    }
}
