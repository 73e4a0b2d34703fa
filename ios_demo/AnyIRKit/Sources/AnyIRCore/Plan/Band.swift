/// Rows of the result, across the whole photo, that tiles still add to. 13 bytes a pixel.
final class Band {
    private let width: Int

    /// Whether a pixel's colours become their mean.
    private let isGrey: Bool

    /// Weighted sums, 3 a pixel.
    private(set) var sums: [Float]
    private var alpha: [UInt8]
    private var pixels: [UInt8]

    private static let rowsAtOnce = 16

    init(width: Int, height: Int, isGrey: Bool) {
        self.width = width
        self.isGrey = isGrey
        sums = [Float](repeating: 0, count: 3 * width * height)
        alpha = [UInt8](repeating: 0, count: width * height)
        pixels = [UInt8](repeating: 0, count: 4 * width * min(height, Self.rowsAtOnce))
    }

    /// Adds a tile whose left edge is at `x`; the weights are its own along x and along y.
    func add(_ tile: TileBuffers, x: Int, columnWeights: [Double], rowWeights: [Double]) {
        let plane = tile.size.pixels
        let values = tile.output.values
        sums.withUnsafeMutableBufferPointer { sums in
            alpha.withUnsafeMutableBufferPointer { alpha in
                for row in 0..<tile.height {
                    for column in 0..<tile.width {
                        let weight = Float(rowWeights[row] * columnWeights[column])
                        let from = row * tile.size.width + column
                        let to = row * width + x + column
                        var (red, green, blue) = (values[from], values[plane + from], values[2 * plane + from])
                        if isGrey {
                            let mean = (red + green + blue) / 3
                            (red, green, blue) = (mean, mean, mean)
                        }
                        sums[3 * to] += red * weight
                        sums[3 * to + 1] += green * weight
                        sums[3 * to + 2] += blue * weight
                        alpha[to] = tile.pixels[4 * (row * tile.width + column) + 3]
                    }
                }
            }
        }
    }

    /// Hands the first rows on, few at a time: clamped and rounded half to even, once.
    func write(rows: Int, firstRow: Int, into sink: any PhotoSink) throws {
        for first in stride(from: 0, to: rows, by: Self.rowsAtOnce) {
            let count = min(Self.rowsAtOnce, rows - first)
            for i in 0..<count * width {
                let from = first * width + i
                for colour in 0..<3 { pixels[4 * i + colour] = byte(sums[3 * from + colour]) }
                pixels[4 * i + 3] = alpha[from]
            }
            try pixels.withUnsafeBufferPointer { pixels in
                let rows = UnsafeBufferPointer(rebasing: pixels[0..<4 * count * width])
                try sink.write(rows, firstRow: firstRow + first, rows: count)
            }
        }
    }

    /// Drops the first rows; what remains moves up.
    func moveUp(rows: Int) {
        let count = rows * width
        for i in 3 * count..<sums.count { sums[i - 3 * count] = sums[i] }
        for i in sums.count - 3 * count..<sums.count { sums[i] = 0 }
        for i in count..<alpha.count { alpha[i - count] = alpha[i] }
    }

    private func byte(_ value: Float) -> UInt8 {
        UInt8((min(max(value, 0), 1) * 255).rounded(.toNearestOrEven))
    }
}
