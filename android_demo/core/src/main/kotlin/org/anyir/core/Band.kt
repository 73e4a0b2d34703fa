package org.anyir.core

/** Rows of the result, across the whole photo, that tiles still add to. */
internal class Band(private val width: Int, height: Int) {
    /** Weighted sums, 3 a pixel. */
    val sums = FloatArray(width * height * 3)
    private val alpha = ByteArray(width * height)
    private val argb = IntArray(width * height)

    /** Adds a tile whose left edge is at [x]; the weights are its own along x and along y. */
    fun add(x: Int, tile: TileBuffers, columnWeights: DoubleArray, rowWeights: DoubleArray) {
        val plane = tile.tile * tile.tile
        for (row in 0 until tile.height) {
            for (column in 0 until tile.width) {
                val weight = (rowWeights[row] * columnWeights[column]).toFloat()
                val from = row * tile.tile + column
                val to = row * width + x + column
                sums[3 * to] += tile.values[from] * weight
                sums[3 * to + 1] += tile.values[plane + from] * weight
                sums[3 * to + 2] += tile.values[2 * plane + from] * weight
                alpha[to] = (tile.argb[row * tile.width + column] ushr 24).toByte()
            }
        }
    }

    /** The first [rows] rows as ARGB from index 0: clamped and rounded half to even, once. */
    fun pixels(rows: Int): IntArray {
        for (i in 0 until rows * width) {
            argb[i] = (alpha[i].toInt() and 255 shl 24) or (byte(sums[3 * i]) shl 16) or
                (byte(sums[3 * i + 1]) shl 8) or byte(sums[3 * i + 2])
        }
        return argb
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
