import Foundation

/// The value below which `share` percent of the samples lie, interpolated between neighbours: numpy's default, and what
/// profiling/schema.py checks a file's percentiles by.
///
/// - Parameters:
///   - samples: at least one value, in any order
///   - share: 0...100
public func percentile(_ samples: [Double], _ share: Double) -> Double {
    precondition(!samples.isEmpty && 0...100 ~= share, "percentile needs samples and a share in 0...100")
    let ordered = samples.sorted()
    let place = Double(ordered.count - 1) * share / 100
    let below = Int(place)
    let above = min(below + 1, ordered.count - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - Double(below))
}

/// In dB for values in 0..1; infinite for no error.
public func psnr(meanSquare: Double) -> Double {
    meanSquare > 0 ? 10 * log10(1 / meanSquare) : .infinity
}

/// A program's outputs against the reference's and the truth, gathered one tile at a time; the same figures as
/// profiling/quality.py's, but for SSIM, which the host alone computes.
struct Comparison {
    /// What equal images count as in a mean, in dB; the same as model/metrics.py's.
    private static let equal = 100.0

    private struct Kind {
        var squares = 0.0
        var values = 0
        var maxError = Float.zero
        var truthPSNRs: [Double] = []
    }

    private var kinds: [String: Kind] = [:]
    private var digest = SHA256Digest()

    /// Adds one tile; cases come in the reference's order.
    ///
    /// - Parameters:
    ///   - made: the program's output, not clamped
    ///   - expected: the network's
    ///   - truth: in 0..1
    /// - Throws: ``EngineError``: NaN or infinity in `made`
    mutating func add(_ kind: String, made: FloatBuffer, expected: FloatBuffer, truth: FloatBuffer) throws {
        guard made.isFinite else { throw EngineError("It returns NaN or infinity for \(kind).") }
        var entry = kinds[kind] ?? Kind()
        var toTruth = 0.0
        for i in 0..<made.count {
            let (value, due) = (made.values[i], expected.values[i])
            entry.maxError = max(entry.maxError, abs(value - due))
            let clipped = min(max(value, 0), 1)
            let difference = Double(clipped - min(max(due, 0), 1))
            entry.squares += difference * difference
            let error = Double(clipped - truth.values[i])
            toTruth += error * error
        }
        entry.values += made.count
        entry.truthPSNRs.append(psnr(meanSquare: toTruth / Double(made.count)))
        kinds[kind] = entry
        // Every system that Swift runs on here is little-endian, as the file's hash has it.
        digest.update(data: Data(UnsafeRawBufferPointer(made.values)))
    }

    /// Hex sha256 of all outputs, as little-endian float32 in the order of the cases. Ends the gathering.
    mutating func outputSha256() -> String { hex(digest.finalize()) }

    /// The entry `quality` of a row.
    func quality() -> [String: Results.Quality] {
        kinds.mapValues { kind in
            Results.Quality(
                psnrReference: finite(psnr(meanSquare: kind.squares / Double(kind.values))),
                maxErrorReference: Double(kind.maxError), psnrTruth: finite(mean(kind.truthPSNRs)))
        }
    }

    /// Over tiles, of which equal ones count as 100 dB; infinite if all are.
    private func mean(_ psnrs: [Double]) -> Double {
        if psnrs.allSatisfy(\.isInfinite) { return .infinity }
        return psnrs.map { min($0, Self.equal) }.reduce(0, +) / Double(psnrs.count)
    }

    private func finite(_ value: Double) -> Double? { value.isFinite ? value : nil }
}
