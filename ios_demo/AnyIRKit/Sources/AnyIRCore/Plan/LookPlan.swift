/// A part of the photo and its place in the sheet, in pixels from the top left corners.
public struct Crop: Sendable, Hashable {
    public let x: Int
    public let y: Int
    public let left: Int
    public let top: Int
    public let width: Int
    public let height: Int
}

/// Which crops of a photo make the sheet of `tile` x `tile` pixels that its statistics are taken from.
///
/// A function of its three arguments alone, the same as in Python and Kotlin: docs/reference/look_plans.md states the
/// rules. A photo that fits into one tile is its own sheet. Where a side of the photo is shorter than a crop's, the
/// crop begins at 0 and is filled up by ``reflectIndices(length:size:)``.
public struct LookPlan: Sendable {
    public let width: Int
    public let height: Int
    public let tile: Int

    /// - Parameters:
    ///   - width: of the photo in pixels, at least 1
    ///   - height: of the photo in pixels, at least 1
    ///   - tile: side of the sheet in pixels, a positive multiple of 8
    public init(width: Int, height: Int, tile: Int) {
        precondition(width >= 1 && height >= 1, "no sheet for \(width)x\(height)")
        precondition(tile >= 1 && tile % sizeMultiple == 0, "a sheet's side is a multiple of \(sizeMultiple)")
        self.width = width
        self.height = height
        self.tile = tile
    }

    /// Whether the sheet is the photo itself.
    public var isWhole: Bool { max(width, height) <= tile }

    /// The crops, row by row from the sheet's top left.
    public var crops: [Crop] {
        if isWhole { return [Crop(x: 0, y: 0, left: 0, top: 0, width: tile, height: tile)] }
        let edges = sheetEdges(tile: tile)
        let side = edges.count - 1
        let columns = gridColumns(width: width, height: height, crops: side * side)
        let rows = side * side / columns
        return (0..<side * side).map { k in
            let (left, top) = (edges[k % side], edges[k / side])
            let (across, down) = (edges[k % side + 1] - left, edges[k / side + 1] - top)
            let (column, row) = (k % columns, k / columns)
            return Crop(
                x: cropStart(
                    length: width, crop: across, part: column, parts: columns,
                    jitter: half + golden * column + square * row),
                y: cropStart(
                    length: height, crop: down, part: row, parts: rows,
                    jitter: half + square * column + golden * row),
                left: left, top: top, width: across, height: down)
        }
    }
}

/// Sides of tiles are multiples of this.
package let sizeMultiple = 8

/// Pixels a side of a crop, roughly.
private let cropSide = 64

/// Places inside a part of the photo, along each side, at which its crop can begin.
private let jitterPlaces = 256
private let half = 128

/// About the golden section of ``jitterPlaces``, and its square: multiples of them are spread evenly.
private let golden = 158
private let square = 97

private func sheetEdges(tile: Int) -> [Int] {
    let count = max(1, (tile + cropSide / 2) / cropSide)
    return (0...count).map { sizeMultiple * ($0 * (tile / sizeMultiple) / count) }
}

/// The divisor of `crops` whose parts are the squarest; of two that are equally so, the smaller.
private func gridColumns(width: Int, height: Int, crops: Int) -> Int {
    let divisors = (1...crops).filter { crops % $0 == 0 }
    return divisors.min { abs($0 * height - crops / $0 * width) < abs($1 * height - crops / $1 * width) } ?? 1
}

private func cropStart(length: Int, crop: Int, part: Int, parts: Int, jitter: Int) -> Int {
    let free = max(0, length - crop) + 1
    return (part * jitterPlaces + jitter % jitterPlaces) * free / (parts * jitterPlaces)
}
