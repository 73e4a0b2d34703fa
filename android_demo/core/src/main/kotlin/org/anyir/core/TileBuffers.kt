package org.anyir.core

import java.nio.FloatBuffer

/**
 * What goes into the model and comes out of it: made once for a photo of these sides, used for its look and for all of
 * its tiles.
 */
internal class TileBuffers(private val runner: TileRunner, photoWidth: Int, photoHeight: Int) {
    private val side = runner.tile
    private val sheetSize = TileSize(side)

    /** Of a tile as the model takes it. */
    val size: TileSize = runner.tileSize

    /** Of the photo in every tile. */
    val width: Int = minOf(size.width, photoWidth)
    val height: Int = minOf(size.height, photoHeight)

    /** Whether tiles are as large as sheets. */
    val areSheets: Boolean = size == sheetSize

    /** Whether the sheet is the photo itself. */
    private val photoIsSheet = LookPlan(photoWidth, photoHeight, side).isWhole

    /** Of the photo in the sheet: of one that is not whole in it, crops all over. */
    private val sheetWidth = if (photoIsSheet) photoWidth else side
    private val sheetHeight = if (photoIsSheet) photoHeight else side

    /** The region of the photo: a tile's, or a crop's. */
    val argb = IntArray(maxOf(width * height, minOf(side, photoWidth) * minOf(side, photoHeight)))

    /** The model's input, then its answer: 3 planes of a tile, or of a sheet. */
    val values = FloatArray(3 * maxOf(size.pixels, sheetSize.pixels))

    private val input = directFloats(3 * size.pixels)
    private val output = directFloats(3 * size.pixels)
    private val sheet = if (areSheets) input else directFloats(3 * sheetSize.pixels)
    private val statistics = runner.newStatistics()
    private val columns = reflectIndices(width, size.width)
    private val rows = reflectIndices(height, size.height)

    /** Whether a pixel that was read from the photo has colours that differ. */
    private var coloured = false

    /**
     * Looks at the whole photo, once, before its tiles.
     *
     * @param cancelled asked before every crop
     */
    fun look(photo: PhotoSource, cancelled: () -> Boolean) {
        for (crop in LookPlan(photo.width, photo.height, side).crops()) {
            if (cancelled()) throw CancelledException()
            val region = Region(crop.x, crop.y, minOf(crop.width, photo.width), minOf(crop.height, photo.height))
            read(photo, region)
            val columns = reflectIndices(region.width, crop.width)
            val rows = reflectIndices(region.height, crop.height)
            fill(sheetSize, region.width, columns, rows, corner = crop.top * side + crop.left)
        }
        if (cancelled()) throw CancelledException()
        give(sheet)
        runner.look(sheet, statistics)
        if (!statistics.isFinite()) throw LookException()
    }

    /**
     * Whether any pixel of the photo has colours that differ, after its [look]. Most photos show it there; of one that
     * does not, tiles are read until one does, and all of them where none does.
     *
     * @param cancelled asked before every tile
     */
    fun findsColour(photo: PhotoSource, plan: TilePlan, cancelled: () -> Boolean): Boolean {
        if (photoIsSheet) return coloured // the look has read it all
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
        fill(size, width, columns, rows)
        give(input)
        restore()
    }

    /**
     * What restoring changes of the sheet that [look] left in its buffer: one tile's work, and no look. Of a tile that
     * is not as large it is the part that fits in, filled up by reflection.
     */
    fun sheetNeed(): Need {
        if (!areSheets) {
            val columns = reflectIndices(minOf(side, size.width), size.width)
            val rows = reflectIndices(minOf(side, size.height), size.height)
            for (i in 0 until 3 * size.pixels) {
                val (c, y, x) = Triple(i / size.pixels, i / size.width % size.height, i % size.width)
                input.put(i, sheet.get(c * sheetSize.pixels + rows[y] * side + columns[x]))
            }
        }
        restore()
        return Need.between(input, output, size, minOf(sheetWidth, size.width), minOf(sheetHeight, size.height))
    }

    /** The same of the only tile of a photo, which is its sheet, after its [run]. */
    fun tileNeed(): Need = Need.between(input, output, size, width, height)

    private fun restore() {
        input.clear()
        output.clear()
        runner.restore(input, statistics, output)
        output.clear()
        output.get(values, 0, output.capacity())
        for (i in 0 until output.capacity()) {
            if (values[i].isNaN() || values[i].isInfinite()) throw RestoreException()
        }
    }

    private fun give(buffer: FloatBuffer) {
        buffer.clear()
        buffer.put(values, 0, buffer.capacity())
        buffer.clear()
    }

    /**
     * [columns] and [rows] of [argb], which is [across] wide, as the model takes them in an image of [size], from its
     * place [corner] on.
     */
    private fun fill(size: TileSize, across: Int, columns: IntArray, rows: IntArray, corner: Int = 0) {
        val plane = size.pixels
        for (y in rows.indices) {
            val row = rows[y] * across
            for (x in columns.indices) {
                val pixel = argb[row + columns[x]]
                val place = corner + y * size.width + x
                values[place] = (pixel shr 16 and 255) / 255f
                values[plane + place] = (pixel shr 8 and 255) / 255f
                values[2 * plane + place] = (pixel and 255) / 255f
            }
        }
    }
}

/** Whether a pixel has a colour: red, green and blue are not the same. */
private fun differs(argb: Int): Boolean = (argb xor (argb shr 8)) and 0xffff != 0
