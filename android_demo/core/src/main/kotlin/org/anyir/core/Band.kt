package org.anyir.core

private const val ROWS_AT_ONCE = 16

/**
 * Rows of the result, across the whole photo, that tiles still add to.
 *
 * @param grey whether a pixel's colours become their mean
 */
internal class Band(private val width: Int, height: Int, private val grey: Boolean = false) {
    /** Weighted sums, 3 a pixel. */
    val sums = FloatArray(width * height * 3)
    private val alpha = ByteArray(width * height)
    private val argb = IntArray(width * minOf(height, ROWS_AT_ONCE))

    /** Adds a tile whose left edge is at [x]; the weights are its own along x and along y. */
    fun add(x: Int, tile: TileBuffers, columnWeights: DoubleArray, rowWeights: DoubleArray) {
        val plane = tile.size.pixels
        for (row in 0 until tile.height) {
            for (column in 0 until tile.width) {
                val weight = (rowWeights[row] * columnWeights[column]).toFloat()
                val from = row * tile.size.width + column
                val to = row * width + x + column
                var red = tile.values[from]
                var green = tile.values[plane + from]
                var blue = tile.values[2 * plane + from]
                if (grey) {
                    red = (red + green + blue) / 3
                    green = red
                    blue = red
                }
                sums[3 * to] += red * weight
                sums[3 * to + 1] += green * weight
                sums[3 * to + 2] += blue * weight
                alpha[to] = (tile.argb[row * tile.width + column] ushr 24).toByte()
            }
        }
    }

    /** Hands the first [rows] rows on, few at a time, as ARGB: clamped and rounded half to even, once. */
    fun write(y: Int, rows: Int, sink: PhotoSink) {
        for (first in 0 until rows step ROWS_AT_ONCE) {
            val count = minOf(ROWS_AT_ONCE, rows - first)
            for (i in 0 until count * width) {
                val from = first * width + i
                argb[i] = (alpha[from].toInt() and 255 shl 24) or (byte(sums[3 * from]) shl 16) or
                    (byte(sums[3 * from + 1]) shl 8) or byte(sums[3 * from + 2])
            }
            sink.writeRows(y + first, count, argb)
        }
    }

    /** Drops the first [rows] rows; what remains moves up. */
    fun moveUp(rows: Int) {
        val count = rows * width
        sums.copyInto(sums, 0, 3 * count)
        sums.fill(0f, sums.size - 3 * count)
        alpha.copyInto(alpha, 0, count)
    }

    private fun byte(value: Float): Int = Math.rint((value.coerceIn(0f, 1f) * 255f).toDouble()).toInt()
}
