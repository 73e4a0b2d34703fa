/// What goes into the engine and comes out of it: made once for a photo, used for its look and for all of its tiles,
/// each `width` x `height` of the photo.
final class TileBuffers {
    let tile: Int
    let width: Int
    let height: Int

    /// The region of the photo: R G B A.
    private(set) var pixels: [UInt8]

    /// The engine's answer: 3 planes of tile x tile.
    let output: FloatBuffer

    private let engine: any TileEngine
    private let input: FloatBuffer
    private let statistics: Statistics
    private let columns: [Int]
    private let rows: [Int]

    init(engine: any TileEngine, width: Int, height: Int) {
        self.engine = engine
        self.width = width
        self.height = height
        tile = engine.tile
        pixels = [UInt8](repeating: 0, count: 4 * width * height)
        input = FloatBuffer(count: 3 * tile * tile)
        output = FloatBuffer(count: 3 * tile * tile)
        statistics = engine.newStatistics()
        columns = reflectIndices(length: width, size: tile)
        rows = reflectIndices(length: height, size: tile)
    }

    /// Looks at the whole photo, once, before its tiles; asks before every crop whether the task was cancelled.
    func look(at photo: any PhotoSource) throws {
        for crop in LookPlan(width: photo.width, height: photo.height, tile: tile).crops {
            try Task.checkCancellation()
            let region = Region(
                x: crop.x, y: crop.y, width: min(crop.width, photo.width), height: min(crop.height, photo.height))
            try read(region, of: photo)
            fill(
                across: region.width, columns: reflectIndices(length: region.width, size: crop.width),
                rows: reflectIndices(length: region.height, size: crop.height), corner: crop.top * tile + crop.left)
        }
        try Task.checkCancellation()
        _ = try engine.look(input, into: statistics)
        guard statistics.isFinite else { throw RestoreError.lookNotFinite }
    }

    /// Restores the tile at this place.
    func restore(_ photo: any PhotoSource, x: Int, y: Int) throws {
        try read(Region(x: x, y: y, width: width, height: height), of: photo)
        fill(across: width, columns: columns, rows: rows, corner: 0)
        try restore()
    }

    /// What restoring changes of the sheet that ``look(at:)`` left in the engine's input: one tile's work, and no look.
    func needOfSheet() throws -> Need {
        try restore()
        return Need(from: input, to: output, tile: tile, width: tile, height: tile)
    }

    /// The same of the only tile of a photo, which is its sheet, after it was restored.
    func needOfTile() -> Need { Need(from: input, to: output, tile: tile, width: width, height: height) }

    private func restore() throws {
        _ = try engine.restore(input, with: statistics, into: output)
        guard output.isFinite else { throw RestoreError.notFinite }
    }

    private func read(_ region: Region, of photo: any PhotoSource) throws {
        let count = 4 * region.width * region.height
        // A crop may be larger than a region of the tiles: a photo narrower than a tile has small regions.
        if pixels.count < count { pixels = [UInt8](repeating: 0, count: count) }
        try pixels.withUnsafeMutableBufferPointer { pixels in
            try photo.read(region, into: UnsafeMutableBufferPointer(rebasing: pixels[0..<count]))
        }
    }

    /// `columns` and `rows` of the pixels, which are `across` wide, as the engine takes them, from `corner` on.
    private func fill(across: Int, columns: [Int], rows: [Int], corner: Int) {
        let plane = tile * tile
        let values = input.values
        pixels.withUnsafeBufferPointer { pixels in
            for y in rows.indices {
                let row = rows[y] * across
                for x in columns.indices {
                    let from = 4 * (row + columns[x])
                    let place = corner + y * tile + x
                    values[place] = Float(pixels[from]) / 255
                    values[plane + place] = Float(pixels[from + 1]) / 255
                    values[2 * plane + place] = Float(pixels[from + 2]) / 255
                }
            }
        }
    }
}
