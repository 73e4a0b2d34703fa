/// What a photo can have too much of.
public enum Fault: String, Sendable, CaseIterable {
    case lowLight = "low_light"
    case haze, noise, blur
}

/// How much a photo needs to be restored, and by what it differs: what restoring changes, of 255, on the sheet of crops
/// that stands for it. The same numbers as Python's `Restorer.need` and Kotlin's `Need`, and the same bounds.
public struct Need: Sendable, Hashable, Codable {
    /// Change of a photo, of 255, below which it is taken for fine.
    public static let needed = 2.5

    /// Change of brightness from which on darkness was lifted.
    private static let lighter = 5.0

    /// Change of contrast from which on a veil went, of haze, rain or snow, if no darkness did.
    private static let clearer = 1.0

    /// Change of detail, either way, from which on noise or blur went.
    private static let finer = 0.5

    /// Root of the mean square of all changes.
    public let change: Double

    /// Change of the mean: above 0 where darkness is lifted, below where haze or rain go.
    public let brightness: Double

    /// Change of the standard deviation of the 8x8 pixels' means: above 0 where haze goes.
    public let contrast: Double

    /// Change of the standard deviation around these means: below 0 where noise or streaks go, above where blur does.
    public let detail: Double

    public init(change: Double, brightness: Double, contrast: Double, detail: Double) {
        self.change = change
        self.brightness = brightness
        self.contrast = contrast
        self.detail = detail
    }

    /// What differs between two images, of which the top left `width` x `height` pixels count.
    ///
    /// - Parameters:
    ///   - before: 3 planes of a tile's values, clamped to 0...1 here
    ///   - after: the same
    ///   - width: 1 to the tile's
    ///   - height: 1 to the tile's
    public init(from before: FloatBuffer, to after: FloatBuffer, tile: TileSize, width: Int, height: Int) {
        precondition(1...tile.width ~= width && 1...tile.height ~= height, "\(width)x\(height) in \(tile)")
        precondition(before.count == 3 * tile.pixels && after.count == 3 * tile.pixels, "not an image of \(tile)")
        let old = Levels(before, tile: tile, width: width, height: height)
        let new = Levels(after, tile: tile, width: width, height: height)
        var squares = 0.0
        for c in 0..<3 {
            for y in 0..<height {
                let row = (c * tile.height + y) * tile.width
                for i in row..<row + width {
                    let difference = level(after.values[i]) - level(before.values[i])
                    squares += difference * difference
                }
            }
        }
        self.init(
            change: hundredths((squares / Double(3 * width * height)).squareRoot()),
            brightness: hundredths(new.mean - old.mean),
            contrast: hundredths(new.coarse - old.coarse),
            detail: hundredths(new.fine - old.fine))
    }

    /// Whether the change is more than what photos without a fault come to.
    public var isNeeded: Bool { change >= Self.needed }

    /// What restoring takes away; nothing of a photo that is fine, or where it is none of these.
    public var faults: [Fault] {
        guard isNeeded else { return [] }
        let isLighter = brightness >= Self.lighter
        let isClearer = contrast >= Self.clearer && !isLighter
        return Fault.allCases.filter { fault in
            switch fault {
            case .lowLight: isLighter
            case .haze: isClearer
            case .noise: detail <= -Self.finer
            // More light and more contrast are more detail too.
            case .blur: detail >= Self.finer && !isLighter && !isClearer
            }
        }
    }
}

/// An image's mean, and the standard deviations of its cells' mean luma and of the luma around these means.
private struct Levels {
    /// Pixels a side of the cells whose means are what is not detail.
    private static let cell = 8

    let mean: Double
    let coarse: Double
    let fine: Double

    init(_ image: FloatBuffer, tile: TileSize, width: Int, height: Int) {
        let plane = tile.pixels
        var sum = 0.0
        for c in 0..<3 {
            for y in 0..<height {
                for x in 0..<width { sum += level(image.values[c * plane + y * tile.width + x]) }
            }
        }
        mean = sum / Double(3 * width * height)
        // Where a side is shorter than a cell, so are the cells; what is left beside whole cells counts for nothing.
        let (across, down) = (min(Self.cell, width), min(Self.cell, height))
        let columns = width / across
        var luma = [Double](repeating: 0, count: across * down)
        var means = [Double](repeating: 0, count: columns * (height / down))
        var around = 0.0
        for k in means.indices {
            let corner = k / columns * down * tile.width + k % columns * across
            for i in luma.indices {
                let place = corner + i / across * tile.width + i % across
                luma[i] =
                    0.299 * level(image.values[place]) + 0.587 * level(image.values[plane + place])
                    + 0.114 * level(image.values[2 * plane + place])
            }
            means[k] = luma.reduce(0, +) / Double(luma.count)
            around += squares(of: luma, around: means[k])
        }
        let middle = means.reduce(0, +) / Double(means.count)
        coarse = (squares(of: means, around: middle) / Double(means.count)).squareRoot()
        fine = (around / Double(means.count * luma.count)).squareRoot()
    }
}

private func level(_ value: Float) -> Double { 255 * Double(min(max(value, 0), 1)) }

private func squares(of values: [Double], around middle: Double) -> Double {
    values.reduce(0) { $0 + ($1 - middle) * ($1 - middle) }
}

/// Adding 0 makes a zero of -0.
private func hundredths(_ value: Double) -> Double { (100 * value).rounded(.toNearestOrEven) / 100 + 0 }
