/// The part of a photo that one tile covers, in pixels from the top left corner.
public struct Region: Sendable, Hashable {
    public let x: Int
    public let y: Int
    public let width: Int
    public let height: Int

    public init(x: Int, y: Int, width: Int, height: Int) {
        self.x = x
        self.y = y
        self.width = width
        self.height = height
    }
}

/// Height and width of a tile in pixels.
public struct TileSize: Sendable, Hashable, CustomStringConvertible {
    public let height: Int
    public let width: Int

    public init(height: Int, width: Int) {
        self.height = height
        self.width = width
    }

    /// Of a square tile.
    public init(side: Int) { self.init(height: side, width: side) }

    public var shorter: Int { min(height, width) }
    public var pixels: Int { height * width }

    /// "192x320"; "256" of a square.
    public var description: String { height == width ? "\(height)" : "\(height)x\(width)" }
}

/// How a photo is cut into tiles, row by row from the top left, and the weights that blend them.
///
/// A function of its four arguments alone, the same as in Python and Kotlin: docs/reference/tile_plans.md states the
/// rules. A side that is shorter than the tile is covered by one tile, filled up by ``reflectIndices(length:size:)``.
public struct TilePlan: Sendable {
    public let width: Int
    public let height: Int
    public let tile: TileSize
    public let overlap: Int

    /// x of every tile in a row.
    public let columns: [Int]

    /// y of every row of tiles.
    public let rows: [Int]

    /// For every entry of ``columns``, the weight of each of its pixels along x.
    public let columnWeights: [[Double]]

    /// For every entry of ``rows``, the weight of each of its pixels along y.
    public let rowWeights: [[Double]]

    /// - Parameters:
    ///   - width: of the photo in pixels, at least 1
    ///   - height: of the photo in pixels, at least 1
    ///   - tile: its sides at least 1
    ///   - overlap: pixels that neighbours share, 0 to half a tile's shorter side; the last tiles may share more
    public init(width: Int, height: Int, tile: TileSize, overlap: Int) {
        precondition(width >= 1 && height >= 1 && tile.shorter >= 1, "no tiles of \(tile) for \(width)x\(height)")
        let half = tile.shorter / 2
        precondition(0...half ~= overlap, "overlap \(overlap) is not in 0..\(half), half the tile")
        self.width = width
        self.height = height
        self.tile = tile
        self.overlap = overlap
        columns = axisStarts(length: width, tile: tile.width, overlap: overlap)
        rows = axisStarts(length: height, tile: tile.height, overlap: overlap)
        columnWeights = axisWeights(length: width, tile: tile.width, overlap: overlap)
        rowWeights = axisWeights(length: height, tile: tile.height, overlap: overlap)
    }

    /// The number of tiles.
    public var count: Int { columns.count * rows.count }

    /// Every tile's part of the photo, row by row.
    public var regions: [Region] {
        rows.flatMap { y in
            columns.map { x in
                Region(x: x, y: y, width: min(tile.width, width), height: min(tile.height, height))
            }
        }
    }

    /// Pixels that neighbouring tiles share unless told otherwise: 32, a quarter of a tile's shorter side below 128.
    public static func defaultOverlap(tile: TileSize) -> Int { defaultOverlap(tile: tile.shorter) }

    static func defaultOverlap(tile: Int) -> Int { min(32, tile / 4) }
}

/// First pixel of every tile along one side: steps of `tile - overlap`, the last shifted inwards.
private func axisStarts(length: Int, tile: Int, overlap: Int) -> [Int] {
    if length <= tile { return [0] }
    let step = tile - overlap
    let last = length - tile
    let steps = (last + step - 1) / step
    return (0..<steps).map { $0 * step } + [last]
}

/// Blending weights of every tile along one side, each min(tile, length) long; they sum to 1 a pixel.
///
/// A tile's window rises over its first `overlap` pixels and falls over its last ones, but not at the photo's own
/// borders. Windows are then divided by their sum.
private func axisWeights(length: Int, tile: Int, overlap: Int) -> [[Double]] {
    let starts = axisStarts(length: length, tile: tile, overlap: overlap)
    let size = min(tile, length)
    var total = [Double](repeating: 0, count: length)
    var windows: [[Double]] = starts.map { start in
        var window = [Double](repeating: 1, count: size)
        for i in 0..<overlap {
            let ramp = (Double(i) + 0.5) / Double(overlap)
            if start > 0 { window[i] = ramp }
            if start + size < length { window[size - 1 - i] = ramp }
        }
        for i in 0..<size { total[start + i] += window[i] }
        return window
    }
    for (k, start) in starts.enumerated() {
        for i in 0..<size { windows[k][i] /= total[start + i] }
    }
    return windows
}

/// Which of `length` pixels each of `size` places shows: 0 1 2 3 2 1 0 1 ... (the edge once). A side of one pixel
/// repeats it.
public func reflectIndices(length: Int, size: Int) -> [Int] {
    let period = max(2 * (length - 1), 1)
    return (0..<size).map { place in
        let place = place % period
        return place < length ? place : period - place
    }
}
