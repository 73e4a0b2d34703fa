package org.anyir.core

/** A part of the photo and its place in the sheet, in pixels from the top left corners. */
data class Crop(val x: Int, val y: Int, val left: Int, val top: Int, val width: Int, val height: Int)

/**
 * Which crops of a photo make the sheet of [tile] x [tile] pixels that its statistics are taken from.
 *
 * A function of its three arguments alone, the same as in Python: docs/reference/look_plans.md states the rules. A
 * photo that fits into one tile is its own sheet. Where a side of the photo is shorter than a crop's, the crop begins
 * at 0 and is filled up by [reflectIndices].
 *
 * @param width of the photo in pixels, at least 1
 * @param height of the photo in pixels, at least 1
 * @param tile side of the sheet in pixels, a positive multiple of 8
 * @throws IllegalArgumentException a value out of its range
 */
class LookPlan(val width: Int, val height: Int, val tile: Int) {
    init {
        require(width >= 1 && height >= 1 && tile >= 1 && tile % SIZE_MULTIPLE == 0) {
            "no sheet of $tile for ${width}x$height: all must be positive, and the sheet's side a multiple of " +
                "$SIZE_MULTIPLE"
        }
    }

    /** Whether the sheet is the photo itself. */
    val isWhole: Boolean get() = maxOf(width, height) <= tile

    /** The crops, row by row from the sheet's top left. */
    fun crops(): List<Crop> {
        if (isWhole) return listOf(Crop(0, 0, 0, 0, tile, tile))
        val edges = sheetEdges(tile)
        val side = edges.size - 1
        val columns = gridColumns(width, height, side * side)
        val rows = side * side / columns
        return List(side * side) { k ->
            val left = edges[k % side]
            val top = edges[k / side]
            val across = edges[k % side + 1] - left
            val down = edges[k / side + 1] - top
            val column = k % columns
            val row = k / columns
            Crop(
                x = cropStart(width, across, column, columns, HALF + GOLDEN * column + SQUARE * row),
                y = cropStart(height, down, row, rows, HALF + SQUARE * column + GOLDEN * row),
                left = left,
                top = top,
                width = across,
                height = down,
            )
        }
    }

    private companion object {
        const val SIZE_MULTIPLE = 8

        /** Pixels a side of a crop, roughly. */
        const val CROP = 64

        /** Places inside a part of the photo, along each side, at which its crop can begin. */
        const val JITTER = 256
        const val HALF = 128L

        /** About the golden section of [JITTER], and its square: multiples of them are spread evenly. */
        const val GOLDEN = 158L
        const val SQUARE = 97L

        fun sheetEdges(tile: Int): IntArray {
            val count = maxOf(1, (tile + CROP / 2) / CROP)
            return IntArray(count + 1) { SIZE_MULTIPLE * (it * (tile / SIZE_MULTIPLE) / count) }
        }

        /** The divisor of [crops] whose parts are the squarest; of two that are equally so, the smaller. */
        fun gridColumns(width: Int, height: Int, crops: Int): Int = (1..crops).filter { crops % it == 0 }
            .minBy { Math.abs(it.toLong() * height - (crops / it).toLong() * width) }

        fun cropStart(length: Int, crop: Int, part: Int, parts: Int, jitter: Long): Int {
            val free = maxOf(0, length - crop) + 1L
            return ((part.toLong() * JITTER + jitter % JITTER) * free / (parts.toLong() * JITTER)).toInt()
        }
    }
}
