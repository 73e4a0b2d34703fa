package org.anyir.core

/**
 * What goes into the model and comes out of it: made once for a photo, used for its look and for all of its tiles, each
 * [width] x [height] of the photo.
 */
internal class TileBuffers(private val runner: TileRunner, val width: Int, val height: Int) {
    val tile: Int = runner.tile

    /** The region of the photo. */
    val argb = IntArray(width * height)

    /** The model's input, then its answer: 3 planes of tile x tile. */
    val values = FloatArray(3 * tile * tile)

    private val input = directFloats(values.size)
    private val output = directFloats(values.size)
    private val statistics = runner.newStatistics()
    private val columns = reflectIndices(width, tile)
    private val rows = reflectIndices(height, tile)

    /** Whether a pixel that was read from the photo has colours that differ. */
    private var coloured = false

    /**
     * Looks at the whole photo, once, before its tiles.
     *
     * @param cancelled asked before every crop
     */
    fun look(photo: PhotoSource, cancelled: () -> Boolean) {
        for (crop in LookPlan(photo.width, photo.height, tile).crops()) {
            if (cancelled()) throw CancelledException()
            val region = Region(crop.x, crop.y, minOf(crop.width, photo.width), minOf(crop.height, photo.height))
            read(photo, region)
            val columns = reflectIndices(region.width, crop.width)
            val rows = reflectIndices(region.height, crop.height)
            fill(region.width, columns, rows, corner = crop.top * tile + crop.left)
        }
        if (cancelled()) throw CancelledException()
        give()
        runner.look(input, statistics)
        if (!statistics.isFinite()) throw LookException()
    }

    /**
     * Whether any pixel of the photo has colours that differ, after its [look]. Most photos show it there; of one that
     * does not, tiles are read until one does, and all of them where none does.
     *
     * @param cancelled asked before every tile
     */
    fun findsColour(photo: PhotoSource, plan: TilePlan, cancelled: () -> Boolean): Boolean {
        if (plan.size == 1) return coloured // the look has read it all
        for (y in plan.rows) {
            for (x in plan.columns) {
                if (coloured) return true
                if (cancelled()) throw CancelledException()
                read(photo, Region(x, y, width, height))
            }
        }
        return coloured
    }

    private fun read(photo: PhotoSource, region: Region) {
        photo.read(region, argb)
        for (i in 0 until region.width * region.height) {
            if (coloured) return
            coloured = differs(argb[i])
        }
    }

    /** [argb] -> [values], through the model. */
    fun run() {
        fill(width, columns, rows)
        give()
        restore()
    }

    /** What restoring changes of the sheet that [look] left in the model's input: one tile's work, and no look. */
    fun sheetNeed(): Need {
        restore()
        return Need.between(input, output, tile, tile, tile)
    }

    /** The same of the only tile of a photo, which is its sheet, after its [run]. */
    fun tileNeed(): Need = Need.between(input, output, tile, width, height)

    private fun restore() {
        input.clear()
        output.clear()
        runner.restore(input, statistics, output)
        output.clear()
        output.get(values)
        for (value in values) {
            if (value.isNaN() || value.isInfinite()) throw RestoreException()
        }
    }

    private fun give() {
        input.clear()
        input.put(values)
        input.clear()
    }

    /** [columns] and [rows] of [argb], which is [across] wide, as the model takes them, from its place [corner] on. */
    private fun fill(across: Int, columns: IntArray, rows: IntArray, corner: Int = 0) {
        val plane = tile * tile
        for (y in rows.indices) {
            val row = rows[y] * across
            for (x in columns.indices) {
                val pixel = argb[row + columns[x]]
                val place = corner + y * tile + x
                values[place] = (pixel shr 16 and 255) / 255f
                values[plane + place] = (pixel shr 8 and 255) / 255f
                values[2 * plane + place] = (pixel and 255) / 255f
            }
        }
    }
}

/** Whether a pixel has a colour: red, green and blue are not the same. */
private fun differs(argb: Int): Boolean = (argb xor (argb shr 8)) and 0xffff != 0
