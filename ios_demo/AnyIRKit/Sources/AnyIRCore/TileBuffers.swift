/// What goes into the engine and comes out of it: made once for a photo of these sides, used for its look and for all
/// of its tiles.
final class TileBuffers {
    /// Of a tile as the engine takes it.
    let size: TileSize

    /// Of the photo in every tile.
    let width: Int
    let height: Int

    /// Whether tiles are as large as sheets.
    let areSheets: Bool

    /// The region of the photo: R G B A.
    private(set) var pixels: [UInt8]

    /// The engine's answer: 3 planes of a tile.
    let output: FloatBuffer

    private let engine: any TileEngine
    private let side: Int

    /// Of the photo in the sheet: of one that is not whole in it, crops all over.
    private let sheetWidth: Int
    private let sheetHeight: Int

    /// The sheet, and the tile: one buffer where they are as large.
    private let sheet: FloatBuffer
    private let input: FloatBuffer
    private let statistics: Statistics
    private let columns: [Int]
    private let rows: [Int]

    init(engine: any TileEngine, photoWidth: Int, photoHeight: Int) {
        self.engine = engine
        side = engine.tile
        size = engine.tileSize
        width = min(size.width, photoWidth)
        height = min(size.height, photoHeight)
        areSheets = size == TileSize(side: side)
        let isSheet = LookPlan(width: photoWidth, height: photoHeight, tile: side).isWhole
        sheetWidth = isSheet ? photoWidth : side
        sheetHeight = isSheet ? photoHeight : side
        pixels = [UInt8](repeating: 0, count: 4 * width * height)
        input = FloatBuffer(count: 3 * size.pixels)
        output = FloatBuffer(count: 3 * size.pixels)
        sheet = areSheets ? input : FloatBuffer(count: 3 * side * side)
        statistics = engine.newStatistics()
        columns = reflectIndices(length: width, size: size.width)
        rows = reflectIndices(length: height, size: size.height)
    }

    /// Looks at the whole photo, once, before its tiles; asks before every crop whether the task was cancelled.
    func look(at photo: any PhotoSource) throws {
        for crop in LookPlan(width: photo.width, height: photo.height, tile: side).crops {
            try Task.checkCancellation()
            let region = Region(
                x: crop.x, y: crop.y, width: min(crop.width, photo.width), height: min(crop.height, photo.height))
            try read(region, of: photo)
            fill(
                sheet, of: TileSize(side: side), across: region.width,
                columns: reflectIndices(length: region.width, size: crop.width),
                rows: reflectIndices(length: region.height, size: crop.height), corner: crop.top * side + crop.left)
        }
        try Task.checkCancellation()
        _ = try engine.look(sheet, into: statistics)
        guard statistics.isFinite else { throw RestoreError.lookNotFinite }
    }

    /// Restores the tile at this place.
    func restore(_ photo: any PhotoSource, x: Int, y: Int) throws {
        try read(Region(x: x, y: y, width: width, height: height), of: photo)
        fill(input, of: size, across: width, columns: columns, rows: rows, corner: 0)
        try restore()
    }

    /// What restoring changes of the sheet that ``look(at:)`` left in its buffer: one tile's work, and no look. Of a tile
    /// that is not as large it is the part that fits in, filled up by reflection.
    func needOfSheet() throws -> Need {
        if !areSheets {
            let columns = reflectIndices(length: min(side, size.width), size: size.width)
            let rows = reflectIndices(length: min(side, size.height), size: size.height)
            for i in 0..<input.count {
                let (c, y, x) = (i / size.pixels, i / size.width % size.height, i % size.width)
                input.values[i] = sheet.values[(c * side + rows[y]) * side + columns[x]]
            }
        }
        try restore()
        return Need(
            from: input, to: output, tile: size, width: min(sheetWidth, size.width),
            height: min(sheetHeight, size.height))
    }

    /// The same of the only tile of a photo, which is its sheet, after it was restored.
    func needOfTile() -> Need { Need(from: input, to: output, tile: size, width: width, height: height) }

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

    /// `columns` and `rows` of the pixels, which are `across` wide, as the engine takes them, in an image of this size
    /// from `corner` on.
    private func fill(
        _ image: FloatBuffer, of size: TileSize, across: Int, columns: [Int], rows: [Int], corner: Int
    ) {
        let plane = size.pixels
        let values = image.values
        pixels.withUnsafeBufferPointer { pixels in
            for y in rows.indices {
                let row = rows[y] * across
                for x in columns.indices {
                    let from = 4 * (row + columns[x])
                    let place = corner + y * size.width + x
                    values[place] = Float(pixels[from]) / 255
                    values[plane + place] = Float(pixels[from + 1]) / 255
                    values[2 * plane + place] = Float(pixels[from + 2]) / 255
                }
            }
        }
    }
}
